import { z } from 'zod'
import { count, mover, share, time, usd, window } from './fields.ts'
import { leakKind } from './spend.ts'

const landing = z.strictObject({
  month: z.string(),
  spent_usd: usd,
  expected_usd: usd,
  low_usd: usd,
  high_usd: usd,
  coverage: z.number().describe('Probability that the month ends between low and high'),
  days: count,
})

const correction = z.strictObject({
  month: z.string(),
  owner: z.string(),
  reason: z.enum(['late-receipts', 're-rated', 'tag-rules', 'split-rules', 'outcomes']),
  amount_usd: usd,
})

const unitCost = z.strictObject({
  kind: z.string(),
  count: z.number(),
  each_usd: usd.nullable(),
  previous_count: z.number(),
  previous_each_usd: usd.nullable(),
})

const statement = z.strictObject({
  owner: z.string(),
  direct_usd: usd,
  shared: z.array(z.strictObject({ from: z.string(), cost_usd: usd })),
  total_usd: usd,
  share,
  previous_usd: usd,
  change_usd: usd,
  why: z.strictObject({ volume_usd: usd, mix_usd: usd, price_usd: usd, shared_usd: usd }),
  movers: z.array(mover),
  corrections: z.array(correction),
  charge_usd: usd,
  forecast: landing.nullable(),
  budget_usd: usd.nullable(),
  unit_costs: z.array(unitCost),
  calls: count,
  attempts: count,
  errors: count,
  input_tokens: count,
  output_tokens: count,
  cache_share: share,
  previous_cache_share: share,
  batch_share: share,
  rerated: z.strictObject({ receipts: count, cost_usd: usd }),
  waste: z.array(z.strictObject({ kind: leakKind, cost_usd: usd, share: z.number(), finding: z.string() })),
  coverage: z.strictObject({ share, unpriced_calls: count, unmetered_calls: count, estimated_calls: count }),
})

const period = z.strictObject({
  every: z.enum(['week', 'month']),
  name: z.string(),
  zone: z.string(),
  window,
  previous: window,
  ends_us: time,
  complete: z.boolean(),
})

export const statements = z.strictObject({
  by: z.string(),
  period,
  total_usd: usd,
  previous_usd: usd,
  corrections_usd: usd,
  charge_usd: usd,
  unallocated: z.strictObject({ cost_usd: usd, share }),
  rules: z.strictObject({ tags_version: count, splits_version: count }),
  closed: z.strictObject({ closed_at_us: time, sha256: z.string() }).nullable(),
  statements: z.array(statement),
})

export const close = z.strictObject({
  by: z.string(),
  month: z.string(),
  zone: z.string(),
  closed_at_us: time,
  sha256: z.string(),
  total_usd: usd,
  corrections_usd: usd,
  charge_usd: usd,
  owners: count,
  /** What was spent before the first month that was ever closed, where this is it. */
  before_usd: usd.optional(),
})

export const verified = z.strictObject({ months: count, broken: z.literal(0) })
