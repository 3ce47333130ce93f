import type { BodyTags } from '../../core/wire.ts'
import { asRecord, named } from './json.ts'

/** Which of a body's metadata names say which payer field. Names are compared in lower case, `-` as `_`. */
const fields: Readonly<Record<string, keyof Omit<BodyTags, 'tags'>>> = {
  team: 'team',
  team_id: 'team',
  feature: 'feature',
  customer: 'customer',
  customer_id: 'customer',
  tenant: 'customer',
  tenant_id: 'customer',
  user: 'user',
  user_id: 'user',
  session: 'session',
  session_id: 'session',
  conversation_id: 'session',
  thread_id: 'session',
  environment: 'environment',
  env: 'environment',
  agent: 'agent',
  agent_id: 'agent',
  agent_name: 'agent',
}

/** Longest value and largest number of tags kept from a body: labels are bounded. */
const LONGEST_TAG = 256
const MOST_TAGS = 32

const tagText = (value: unknown): string | undefined => {
  if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') return undefined
  const text = String(value)
  return text === '' ? undefined : text.slice(0, LONGEST_TAG)
}

const firstText = (values: readonly unknown[]): string | undefined => {
  for (const value of values) {
    const text = tagText(value)
    if (text !== undefined) return text
  }
  return undefined
}

/**
 * Who pays, as far as a body's own fields say it: known names of `metadata` become payer fields, its other scalars tags.
 * `users` are the API's user fields (`user`, `safety_identifier`); the first that is text counts unless metadata names a user.
 */
export const bodyTags = (metadata: unknown, ...users: readonly unknown[]): BodyTags => {
  const payer: { -readonly [name in keyof Omit<BodyTags, 'tags'>]?: string } = {}
  const user = firstText(users)
  const given = asRecord(metadata)
  if (!given) return user === undefined ? payer : { user }
  const tags: Record<string, string> = {}
  for (const [name, value] of Object.entries(given).slice(0, MOST_TAGS)) {
    const text = tagText(value)
    if (text === undefined) continue
    const field = named(fields, name.toLowerCase().replaceAll('-', '_'))
    if (field) payer[field] ??= text
    else tags[name.slice(0, LONGEST_TAG)] = text
  }
  if (user !== undefined) payer['user'] ??= user
  return Object.keys(tags).length === 0 ? payer : { ...payer, tags }
}
