import { z } from 'zod'
import { count, dimension, group, mover, namedWindow, share, texts, usd, window } from './fields.ts'

const milliseconds = z.number().nullable()

const spendRow = z.strictObject({
  group,
  calls: count,
  attempts: count,
  errors: count,
  cost_usd: usd,
  cost_per_call_usd: usd.nullable().describe('Of the calls whose cost is known; null where there is none'),
  input_cost_usd: usd,
  output_cost_usd: usd,
  fee_cost_usd: usd,
  list_cost_usd: usd,
  counterfactual_cost_usd: usd,
  input_tokens: count,
  output_tokens: count,
  cache_read_tokens: count,
  cache_write_tokens: count,
  reasoning_tokens: count,
  unpriced_calls: count,
  unmetered_calls: count,
  estimated_calls: count,
  ttft_ms_p50: milliseconds,
  duration_ms_p50: milliseconds,
  duration_ms_p95: milliseconds,
  previous_cost_usd: usd.exactOptional(),
  trend_usd: z.array(usd).exactOptional().describe('Cost by equal slices of the window, oldest first'),
})

export const report = z.strictObject({
  window: namedWindow,
  total: spendRow,
  sections: z.array(z.strictObject({ by: z.array(dimension), rows: z.array(spendRow), more: count })),
  movers: z.array(mover).describe('What moved most against the window before, among all groups, shown or not'),
  unpriced: z
    .array(z.strictObject({ provider: z.string().nullable(), model: z.string().nullable(), calls: count }))
    .describe('Models whose price nobody knows: the total lacks what they cost'),
  key_names: z.record(z.string(), z.string()).exactOptional().describe('What people call the keys in the rows, by id'),
})

const moment = z.int().min(0).nullable().describe('µs since the epoch (UTC); null where there is none')

export const extent = z.strictObject({
  receipts: count,
  calls: count,
  first_us: moment,
  last_us: moment,
  cost_usd: usd,
  input_tokens: count,
  output_tokens: count,
  unpriced: count,
  segments: count,
})

export const leakKind = z.enum([
  'system-and-tools',
  'context-accumulation',
  'retry-loops',
  'verbose-output',
  'reasoning',
  'error-spend',
  'uncached-prefix',
])

export const leaks = z.strictObject({
  window: namedWindow,
  leaks: z.array(
    z.strictObject({
      kind: leakKind,
      cost_usd: usd,
      share: z.number(),
      calls: count,
      finding: z.string(),
      detail: z.array(z.record(z.string(), z.union([z.string(), z.number(), z.null()]))),
      examples: texts,
    }),
  ),
  total_usd: usd,
  input_tokens: count,
  cacheable_tokens: count,
  cached_tokens: count,
})

const owned = {
  name: z.string(),
  cost_usd: usd,
  share,
  calls: count,
  unpriced_calls: count,
  unmetered_calls: count,
} as const
const owner = z.strictObject(owned)
const key = z.strictObject({
  ...owned,
  id: z.string().nullable(),
  state: z.enum(['active', 'expired', 'revoked']).nullable(),
})
const feature = z.strictObject({ ...owned, keys: z.array(key) })

export const owners = z.strictObject({
  window: namedWindow,
  organisation: z.string().nullable().describe('Null where weir.yaml names none'),
  cost_usd: usd,
  unallocated: z.strictObject({ cost_usd: usd, share }),
  teams: z.array(z.strictObject({ ...owned, features: z.array(feature) })),
  customers: z.array(owner),
  users: z.array(owner),
  more: z.strictObject({ teams: count, customers: count, users: count }).describe('How many the limit left out'),
})

const unitCostRow = z.strictObject({
  owner: z.string().nullable(),
  direct_usd: usd,
  shared_usd: usd,
  cost_usd: usd,
  count: z.number(),
  each_usd: usd.nullable(),
  previous_count: z.number(),
  previous_each_usd: usd.nullable(),
  token_yield: share,
  output_tokens: count,
  useful_output_tokens: count,
  trend_usd: z.array(usd.nullable()),
})

export const unitCost = z.strictObject({
  kind: z.string(),
  by: z.string(),
  window,
  zone: z.string(),
  total: unitCostRow,
  rows: z.array(unitCostRow),
  unallocated_count: z.number(),
  with_session: count,
  events: count,
  window_name: z.string(),
})

export const checklist = z.strictObject({
  window: namedWindow,
  steps: z.array(
    z.strictObject({
      step: z.enum(['measure', 'route', 'cache', 'batch', 'compact', 'own', 'allocate', 'prove']),
      question: z.string(),
      state: z.enum(['done', 'partly', 'next']),
      evidence: texts,
      command: z.string(),
    }),
  ),
  done: count,
  current: z.enum(['measure', 'route', 'cache', 'batch', 'compact', 'own', 'allocate', 'prove']).nullable(),
})
