/** Prices, bills and files of charges. */
import { z } from 'zod'
import { pieceKinds, tokenKinds } from '../../core/bill.ts'
import { reasons } from '../../playbook/allocate/reconcile/result.ts'
import { badRow, count, share, texts, usd } from './fields.ts'

const rate = z.string().nullable().describe('US dollars per million tokens')

export const prices = z.strictObject({
  book: z.string(),
  at: z.string(),
  prices: z.array(
    z.strictObject({
      provider: z.string(),
      model: z.string(),
      input: rate,
      output: rate,
      cache_read: rate,
      cache_write: rate,
      long_from: z.number().nullable(),
      next_change: z.string().nullable(),
      layer: z.string(),
    }),
  ),
})

const priceRow = z.strictObject({
  id: z.string(),
  layer: z.enum(['contract', 'weir', 'catalog']),
  provider: z.string(),
  models: texts,
  region: z.string().exactOptional(),
  geo: z.string().exactOptional(),
  tier: z
    .enum(['standard', 'flex', 'priority', 'batch', 'scale', 'provisioned', 'reserved', 'off_peak'])
    .exactOptional(),
  speed: z.enum(['standard', 'fast']).exactOptional(),
  batch: z.boolean().exactOptional(),
  context: z.strictObject({ operator: z.enum(['>', '>=', '<', '<=']), tokens: z.number() }).exactOptional(),
  window: z
    .strictObject({
      zone: z.string(),
      weekdays: z.array(z.int()).exactOptional(),
      minutes: z.array(z.tuple([z.int(), z.int()])),
      except_dates: texts.exactOptional(),
    })
    .exactOptional(),
  attrs: z.record(z.string(), z.string()).exactOptional(),
  effective_from: z.string().exactOptional(),
  effective_to: z.string().exactOptional(),
  rates: z.record(z.string(), z.string()),
  free: z.boolean().exactOptional(),
  source: z.string(),
  checked_at: z.string(),
})

export const modelPrices = z.strictObject({
  book: z.string(),
  at_us: z.number(),
  models: z.array(
    z.strictObject({
      provider: z.string(),
      model: z.string(),
      rows: z.array(
        z.strictObject({
          row: priceRow,
          state: z.enum(['in force', 'outside its hours', 'future', 'past', 'shadowed']),
          changes_at_us: z.number().exactOptional(),
        }),
      ),
    }),
  ),
})

export const exported = z.strictObject({ rows: count, cost_usd: usd, unpriced: count, files: texts })

export const checked = z.strictObject({
  version: z.enum(['1.2', '1.3', '1.4']),
  detected: z.boolean(),
  rows: count,
  columns: count,
  rules: count,
  violations: z.array(
    z.strictObject({
      rule: z.string(),
      column: z.string(),
      level: z.enum(['must', 'should']),
      says: z.string(),
      rows: count.nullable(),
      first: z.array(z.strictObject({ row: count, values: z.record(z.string(), z.string().nullable()) })),
    }),
  ),
})

/** Why a bill and the ledger differ → by how much; a reason that explains nothing is not there. */
const parts = <Amount extends z.ZodType>(amount: Amount) => z.partialRecord(z.enum(reasons), amount)

/** Kinds of tokens or of pieces compared as one, or what of the bill is neither. */
const kinds = z.union([
  z.array(z.enum(tokenKinds)),
  z.array(z.enum(pieceKinds)),
  z.array(z.enum(['fee', 'discount', 'credit', 'tax', 'rounding'])),
])

const counted = z.strictObject({
  provider: z.number(),
  ledger: z.number(),
  difference: z.number(),
  parts: parts(z.number()),
  residual: z.number(),
})

const compared = {
  tokens: counted.exactOptional(),
  pieces: counted.exactOptional(),
  cost: z
    .strictObject({
      provider_usd: usd,
      ledger_usd: usd,
      difference_usd: usd,
      parts_usd: parts(usd),
      residual_usd: usd,
    })
    .exactOptional(),
} as const

export const reconciled = z.strictObject({
  source: z.string(),
  from: z.string(),
  to: z.string(),
  reconciled: z.boolean(),
  total: z.strictObject(compared),
  pieces: z.array(counted.extend({ kind: z.enum(pieceKinds), open: z.number() })),
  coverage_tokens: share,
  coverage_usd: share,
  open_tokens: z.number(),
  open_usd: usd,
  open_tokens_share: share,
  open_usd_share: share,
  aligned: z.array(
    z.strictObject({ name: z.string(), model: z.string(), by: z.enum(['given', 'dated', 'price book', 'words']) }),
  ),
  suspected: z.array(z.strictObject({ name: z.string(), model: z.string() })),
  repeated: count.describe('Parts of the bill that came in two pages, and counted once'),
  bad: count,
  bad_rows: z.array(badRow),
  lines: z.array(
    z.strictObject({
      day: z.string(),
      owner: z.string().nullable(),
      model: z.string().nullable(),
      kinds,
      ...compared,
    }),
  ),
})
