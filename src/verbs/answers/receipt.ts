import { z } from 'zod'
import { type ColumnKind, columns } from '../../core/columns.ts'
import type { Receipt } from '../../core/receipt.ts'
import { count, texts, time, usd } from './fields.ts'

const line = z.strictObject({
  kind: z.string(),
  model: z.string(),
  meter: z.string(),
  quantity: z.number(),
  rate_usd: z.string().exactOptional().describe('US dollars per million units'),
  cost_usd: usd.exactOptional(),
  price_row: z.string().exactOptional(),
})

const lever = z.strictObject({
  name: z.string(),
  action: z.enum(['acted', 'observed', 'skipped']),
  saving_usd: usd.exactOptional(),
  why: z.string(),
  tokens: z.int().exactOptional(),
  removed: z.array(count).exactOptional(),
})

const kinds: Readonly<Record<ColumnKind, z.ZodType>> = {
  text: z.string(),
  flag: z.boolean(),
  count,
  small: count,
  score: z.number(),
  time,
  money: usd,
  hash: z.string(),
  tags: z.record(z.string(), z.string()),
  texts,
  hashes: texts,
  counts: z.array(count),
  lines: z.array(line),
  levers: z.array(lever),
}

/** What every receipt says; everything else may be absent. */
const always: readonly (keyof Receipt)[] = [
  'receipt_id',
  'call_id',
  'attempt',
  'origin',
  'started_at_us',
  'ended_at_us',
  'endpoint',
  'stream',
  'provider',
  'outcome',
  'usage_source',
  'price_state',
]

const one = ([name, kind]: readonly [string, ColumnKind]): readonly [string, z.ZodType] => {
  const schema = kinds[kind]
  return [name, (always as readonly string[]).includes(name) ? schema : z.exactOptional(schema)]
}

/** A receipt, from the same list of columns as the ledger's table. */
export const receipt = z.strictObject(
  Object.fromEntries((Object.entries(columns) as [string, ColumnKind][]).map(one)),
) as unknown as z.ZodType<Receipt>
