import type { Receipt } from '../../../core/receipt.ts'

/** What a rule can look at: who pays, and what was called. `tag:NAME` is a tag of the payer. */
const readers = {
  key_id: (receipt) => receipt.key_id,
  team: (receipt) => receipt.team,
  feature: (receipt) => receipt.feature,
  customer: (receipt) => receipt.customer,
  user: (receipt) => receipt.user,
  environment: (receipt) => receipt.environment,
  session: (receipt) => receipt.session,
  agent: (receipt) => receipt.agent,
  provider: (receipt) => receipt.provider,
  model: (receipt) => receipt.model_served ?? receipt.model_asked,
  model_asked: (receipt) => receipt.model_asked,
  endpoint: (receipt) => receipt.endpoint,
  wire: (receipt) => receipt.wire,
  region: (receipt) => receipt.region,
  origin: (receipt) => receipt.origin,
} satisfies Record<string, (receipt: Payer) => string | undefined>

/** The fields of a receipt that rules read. */
export type Payer = Readonly<
  Partial<
    Pick<
      Receipt,
      | 'key_id'
      | 'team'
      | 'feature'
      | 'customer'
      | 'user'
      | 'environment'
      | 'tags'
      | 'session'
      | 'agent'
      | 'provider'
      | 'model_asked'
      | 'model_served'
      | 'endpoint'
      | 'wire'
      | 'region'
      | 'origin'
    >
  >
>

export type Readable = keyof typeof readers | `tag:${string}`
/** What a rule can set: who pays, never what was called. */
export type Settable = 'team' | 'feature' | 'customer' | 'user' | 'environment' | `tag:${string}`

export const readable: readonly string[] = Object.keys(readers)
export const settable: readonly string[] = ['team', 'feature', 'customer', 'user', 'environment']

const isTag = (field: string): boolean => field.startsWith('tag:') && field.length > 'tag:'.length
export const isReadable = (field: string): field is Readable => isTag(field) || Object.hasOwn(readers, field)
export const isSettable = (field: string): field is Settable => isTag(field) || settable.includes(field)

/** The value of a field; undefined where the receipt has none. */
export const fieldOf = (payer: Payer, field: Readable): string | undefined => {
  if (!field.startsWith('tag:')) return readers[field as keyof typeof readers](payer)
  const name = field.slice('tag:'.length)
  return payer.tags && Object.hasOwn(payer.tags, name) ? payer.tags[name] : undefined
}
