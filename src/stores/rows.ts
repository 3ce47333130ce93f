import type { Insertable, Selectable } from 'kysely'
import type { KeyRecord } from '../core/store.ts'
import type { Tables } from './migrations.ts'

/** A key as a row: absent is null, lists and maps are JSON. */
export const rowOfKey = (key: KeyRecord): Insertable<Tables['keys']> => ({
  id: key.id,
  name: key.name,
  prefix: key.prefix,
  hash: key.hash,
  team: key.team ?? null,
  feature: key.feature ?? null,
  customer: key.customer ?? null,
  environment: key.environment ?? null,
  tags: JSON.stringify(key.tags),
  models: JSON.stringify(key.models),
  providers: JSON.stringify(key.providers),
  endpoints: JSON.stringify(key.endpoints),
  previous_hash: key.previous_hash ?? null,
  previous_until_us: key.previous_until_us ?? null,
  created_at_us: key.created_at_us,
  expires_at_us: key.expires_at_us ?? null,
  revoked_at_us: key.revoked_at_us ?? null,
  revision: key.revision,
})

/** The row as a key again. */
export const keyOfRow = (row: Selectable<Tables['keys']>): KeyRecord => ({
  id: row.id,
  name: row.name,
  prefix: row.prefix,
  hash: row.hash,
  ...(row.team === null ? {} : { team: row.team }),
  ...(row.feature === null ? {} : { feature: row.feature }),
  ...(row.customer === null ? {} : { customer: row.customer }),
  ...(row.environment === null ? {} : { environment: row.environment }),
  tags: JSON.parse(row.tags) as Record<string, string>,
  models: JSON.parse(row.models) as string[],
  providers: JSON.parse(row.providers) as string[],
  endpoints: JSON.parse(row.endpoints) as string[],
  ...(row.previous_hash === null ? {} : { previous_hash: row.previous_hash }),
  ...(row.previous_until_us === null ? {} : { previous_until_us: Number(row.previous_until_us) }),
  created_at_us: Number(row.created_at_us),
  ...(row.expires_at_us === null ? {} : { expires_at_us: Number(row.expires_at_us) }),
  ...(row.revoked_at_us === null ? {} : { revoked_at_us: Number(row.revoked_at_us) }),
  revision: Number(row.revision),
})
