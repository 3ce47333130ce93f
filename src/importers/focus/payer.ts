import type { ImportOptions } from '../../core/importer.ts'
import { labelOf } from '../../core/label.ts'
import type { Receipt } from '../../core/receipt.ts'
import { objectIn, type Values } from './usage.ts'

const fields = ['team', 'feature', 'customer', 'user', 'environment', 'agent', 'session', 'key_id'] as const
type Field = (typeof fields)[number]

/** Spellings of tag keys that say the same; case and separators do not count. */
const spellings: Readonly<Record<string, Field>> = {
  team: 'team',
  feature: 'feature',
  customer: 'customer',
  user: 'user',
  environment: 'environment',
  env: 'environment',
  agent: 'agent',
  session: 'session',
  keyid: 'key_id',
}

const plain = (key: string): string =>
  key
    .replace(/^.*[/:]/, '')
    .replace(/[^a-z]/gi, '')
    .toLowerCase()

/** `--columns team=SubAccountName` or `team=tag:cost-centre`: from where a field of the payer is taken. */
const mapped = (values: Values, tags: Readonly<Record<string, string>>, column: string): string | undefined =>
  (column.startsWith('tag:') ? tags[column.slice(4)] : values[column]) ?? undefined

/** Who pays for a row: fields that the options map, else tags of that name, and all tags beside. A split row is paid by whom it was allocated to. */
export const payerOf = (values: Values, { columns }: ImportOptions): Partial<Receipt> => {
  const given = { ...objectIn(values, 'Tags'), ...objectIn(values, 'AllocatedTags') }
  const entries = Object.entries(given).flatMap(([key, value]) => {
    const label = value === null || value === undefined ? undefined : labelOf(String(value))
    return label === undefined ? [] : [[key, label] as const]
  })
  const allocated = entries.filter(([key]) => key.startsWith('allocated_'))
  const all = [...entries, ...allocated.map(([key, value]) => [key.slice('allocated_'.length), value] as const)]
  const found: Partial<Record<Field, string>> = {}
  const tags: Record<string, string> = {}
  for (const [key, value] of all) {
    const name = plain(key)
    const field = Object.hasOwn(spellings, name) ? spellings[name] : undefined
    if (field) found[field] = value
    else if (!key.startsWith('allocated_')) tags[key] = value
  }
  for (const field of fields) {
    const column = columns[field]
    const value = column === undefined ? undefined : labelOf(mapped(values, Object.fromEntries(entries), column) ?? '')
    if (value !== undefined) found[field] = value
  }
  return { ...found, ...(Object.keys(tags).length > 0 ? { tags } : {}) }
}

/** What `--columns` can name. */
export const mappable: readonly string[] = [...fields, 'cost_usd', 'model']
