/** What the store keeps, as it is answered. */
import { z } from 'zod'
import { badRow, count, dimension, namedWindow, texts, time, usd, window } from './fields.ts'

const keyState = z.enum(['active', 'expired', 'revoked'])

const keyFields = {
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  team: z.string().exactOptional(),
  feature: z.string().exactOptional(),
  customer: z.string().exactOptional(),
  environment: z.string().exactOptional(),
  tags: z.record(z.string(), z.string()),
  models: texts,
  providers: texts,
  endpoints: texts,
  previous_until_us: time.exactOptional(),
  created_at_us: time,
  expires_at_us: time.exactOptional(),
  revoked_at_us: time.exactOptional(),
  revision: count,
  state: keyState,
} as const

export const key = z.strictObject(keyFields)
export const newKey = z.strictObject({ ...keyFields, token: z.string() })

const tokenFields = {
  id: z.string(),
  name: z.string(),
  prefix: z.string(),
  team: z.string().exactOptional(),
  created_at_us: time,
  expires_at_us: time.exactOptional(),
  revoked_at_us: time.exactOptional(),
  state: keyState,
} as const

export const token = z.strictObject(tokenFields)
export const newToken = z.strictObject({ ...tokenFields, token: z.string() })
export const revoked = z.strictObject({ id: z.string(), name: z.string(), revoked: z.literal(true) })

const outcomeFields = {
  id: z.string(),
  kind: z.string(),
  count,
  at_us: time,
  team: z.string().exactOptional(),
  feature: z.string().exactOptional(),
  customer: z.string().exactOptional(),
  user: z.string().exactOptional(),
  environment: z.string().exactOptional(),
  session: z.string().exactOptional(),
  value_usd: usd.exactOptional(),
} as const

export const outcome = z.strictObject(outcomeFields)
export const addedOutcome = z.strictObject({ ...outcomeFields, added: z.boolean() })
export const outcomeKinds = z.array(
  z.strictObject({ kind: z.string(), events: count, count, first_us: time, last_us: time }),
)
export const importedOutcomes = z.strictObject({
  added: count,
  already: count,
  conflicts: texts,
  bad: count,
  bad_rows: z.array(badRow),
})
export const removedOutcome = z.strictObject({ id: z.string(), removed: z.literal(true) })

/** A value is a glob, several of which one must hold, or null for "has none". */
const values = z.union([z.string(), texts, z.null()])

const tag = z.strictObject({
  name: z.string().exactOptional(),
  when: z.record(z.string(), z.union([z.string(), texts, z.null(), z.strictObject({ not: values })])),
  set: z.record(z.string(), z.union([z.string(), z.strictObject({ from: z.string() })])),
})

/** Version 0 has never been set, so it has no time. */
const ruleSet = { kind: z.enum(['tags', 'splits']), version: count } as const
const tagSet = { ...ruleSet, rules: z.array(tag) } as const
export const tags = z.strictObject({
  ...tagSet,
  set_at_us: time.exactOptional(),
  history: z.array(z.strictObject({ ...tagSet, set_at_us: time })).exactOptional(),
})

const borne = { from: z.string(), to: texts.exactOptional() } as const
const split = z.union([
  z.strictObject({ ...borne, by: z.enum(['even', 'spend']) }),
  z.strictObject({ ...borne, by: z.literal('percent'), percent: z.record(z.string(), z.string()) }),
  z.strictObject({ ...borne, by: z.literal('usage'), metric: z.string() }),
])
const splitSet = { ...ruleSet, dimension: z.string(), splits: z.array(split) } as const
export const splits = z.strictObject({
  ...splitSet,
  set_at_us: time.exactOptional(),
  history: z.array(z.strictObject({ ...splitSet, set_at_us: time })).exactOptional(),
})

export const putRules = z.strictObject({ version: count, changed: z.boolean() })

const moved = z.strictObject({ owner: z.string(), now_usd: usd, then_usd: usd, moved_usd: usd })
export const tagPreview = z.strictObject({
  by: dimension,
  window: namedWindow,
  total_usd: usd,
  owners: z.array(moved),
})

const budgetState = z.strictObject({
  budget: z.string(),
  kind: z.enum(['hard', 'soft']),
  unit: z.enum(['usd', 'tokens', 'calls']),
  scope: z.record(z.string(), z.string()),
  window: z.string(),
  zone: z.string().nullable(),
  period: window.nullable(),
  limit: z.string(),
  spent: z.string(),
  reserved: z.string(),
  left: z.string(),
  share: z.number(),
  resets_at_us: z.int().nullable(),
  exhausted_at_us: z.int().nullable(),
  counted: z.boolean(),
})
export const budgetStates = z.array(budgetState)

const budget = z.strictObject({
  name: z.string(),
  scope: z.record(z.string(), z.string()),
  limits: z.strictObject({
    usd: z.string().exactOptional(),
    tokens: z.number().exactOptional(),
    calls: z.number().exactOptional(),
  }),
  window: z.union([
    z.strictObject({ every: z.enum(['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']), zone: z.string() }),
    z.strictObject({ last_us: z.number() }),
    z.strictObject({ lifetime: z.literal(true) }),
  ]),
  kind: z.enum(['hard', 'soft']),
  when_exhausted: z.union([
    z.literal('refuse'),
    z.array(z.strictObject({ provider: z.string(), model: z.string().exactOptional() })),
  ]),
  unbounded: z.enum(['refuse', 'allow']),
})

export const budgetSight = z.strictObject({
  budget,
  written: z.enum(['weir.yaml', 'store']),
  revision: count.exactOptional(),
  counters: budgetStates,
})
/** The budget comes back as it was said. */
export const budgetSet = z.strictObject({ budget: z.record(z.string(), z.unknown()), revision: count, warnings: texts })
export const removedBudget = z.strictObject({ name: z.string(), removed: z.literal(true) })
