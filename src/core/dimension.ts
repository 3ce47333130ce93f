/** What receipts can be grouped and filtered by; besides, by `tag:NAME`, a tag of the payer. */
export const dimensions = [
  'team',
  'feature',
  'customer',
  'user',
  'environment',
  'key_id',
  'session',
  'agent',
  'model_asked',
  'model',
  'provider',
  'endpoint',
  'wire',
  'service_tier',
  'outcome',
  'origin',
  'experiment',
  'arm',
  'day',
  'hour',
  'month',
] as const

export type Dimension = (typeof dimensions)[number] | `tag:${string}`

/** Receipts whose dimension has one of the values (`null`: not tagged), or with `negate` none of them. */
export type Filter = Readonly<{ dimension: Dimension; values: readonly (string | null)[]; negate?: boolean }>
