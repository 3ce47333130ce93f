import type { PriceBook } from '../../core/price.ts'
import { rateAt, thresholds } from '../../playbook/price/compare.ts'
import { explain } from '../../playbook/price/explain.ts'
import { day } from '../asking/time.ts'

/** A model's standard price at a moment: USD per million tokens. */
export type Listed = Readonly<{
  provider: string
  model: string
  input: string | null
  output: string | null
  cache_read: string | null
  cache_write: string | null
  /** Context tokens from which on another price holds. */
  long_from: number | null
  next_change: string | null
  layer: string
}>

const listed = (book: PriceBook, provider: string, model: string, at_us: number): Listed => {
  const ask = (meter: 'in.text.fresh' | 'out.text.visible' | 'in.text.cache_read' | 'in.text.cache_write') =>
    rateAt(book, { provider, model, meter, at_us, context_tokens: 1 })
  const rows = explain(book, provider, model, at_us)
  const changes = rows.flatMap(({ changes_at_us }) => changes_at_us ?? []).sort((a, b) => a - b)
  return {
    provider,
    model,
    input: ask('in.text.fresh'),
    output: ask('out.text.visible'),
    cache_read: ask('in.text.cache_read'),
    cache_write: ask('in.text.cache_write'),
    long_from: thresholds(book, provider, model, at_us)[0] ?? null,
    next_change: changes[0] === undefined ? null : day(changes[0]),
    layer: rows.find(({ state }) => state === 'in force')?.row.layer ?? rows[0]?.row.layer ?? '',
  }
}

/** Every model under its first name: ours and the contract's, and with `all` those that only the catalogue has. */
export const listModels = (
  book: PriceBook,
  at_us: number,
  wanted: Readonly<{ provider?: string | undefined; all?: boolean | undefined }>,
): Listed[] => {
  const names = new Map<string, readonly [provider: string, model: string]>()
  const aliases = new Set<string>()
  for (const row of book.all()) {
    const [model = ''] = row.models
    const key = `${row.provider}\n${model}`
    if (wanted.provider !== undefined && row.provider !== wanted.provider) continue
    if (row.layer === 'catalog' && (aliases.has(key) || !(wanted.all || wanted.provider))) continue
    names.set(key, [row.provider, model])
    for (const alias of row.models) aliases.add(`${row.provider}\n${alias}`)
  }
  return [...names.values()].map(([provider, model]) => listed(book, provider, model, at_us))
}
