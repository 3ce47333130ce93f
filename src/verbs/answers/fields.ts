import { z } from 'zod'
import type { Dimension } from '../../core/dimension.ts'
import type { Usd } from '../../core/money.ts'

/** Fields of many answers. Answers are closed: what is not named here does not come. */

const decimal = /^-?\d+(\.\d{1,12})?$/

/** Exact decimal US dollars, at most twelve decimals. */
export const usd = z.string().regex(decimal).describe('US dollars, exact decimal text') as unknown as z.ZodType<Usd>

/** µs since the epoch, UTC. */
export const time = z.int().min(0).describe('µs since the epoch (UTC)')
export const count = z.int().min(0)
/** A part of something, for people; null where there is nothing that it could be a part of. */
export const share = z.number().nullable()

export const window = z.strictObject({ from_us: time, to_us: time }).describe('[from, to)')
export const namedWindow = z.strictObject({ window, name: z.string(), zone: z.string() })

/** Column names are an open set: tags are among them. */
export const dimension = z.string() as unknown as z.ZodType<Dimension>
/** Dimension → value; null is "not tagged". */
export const group = z.record(z.string(), z.string().nullable())

export const texts = z.array(z.string())
export const badRow = z.strictObject({ file: z.string().exactOptional(), line: count, why: z.string() })

export const mover = z.strictObject({
  dimension: z.string(),
  name: z.string().nullable(),
  before_usd: usd,
  now_usd: usd,
  moved_usd: usd,
})
