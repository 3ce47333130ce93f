import { defineCommand } from 'citty'
import { WeirError } from '../../core/errors.ts'
import type { PriceBook } from '../../core/price.ts'
import { rateAt, thresholds } from '../../playbook/price/compare.ts'
import { explain } from '../../playbook/price/explain.ts'
import { nothing } from '../show/format.ts'
import { type Look, lookOf } from '../show/look.ts'
import { note, print, printCsv, printJson } from '../show/output.ts'
import { type Column, table } from '../show/table.ts'
import { day } from '../show/time.ts'
import { bookArgs, momentOf, openBook } from './book.ts'

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

const amount = (usd: string | null): string => usd ?? nothing

const columns: readonly Column<Listed>[] = [
  { head: 'provider', cell: (row) => row.provider },
  { head: 'model', cell: (row) => row.model, shrink: 18, style: (text, _, colours) => colours.bold(text) },
  { head: 'input', cell: (row) => amount(row.input), align: 'right' },
  { head: 'output', cell: (row) => amount(row.output), align: 'right' },
  { head: 'cache read', cell: (row) => amount(row.cache_read), align: 'right' },
  { head: 'cache write', cell: (row) => amount(row.cache_write), align: 'right' },
  { head: 'long from', cell: (row) => row.long_from?.toLocaleString('en-US') ?? '', align: 'right', drop: 1 },
  { head: 'next change', cell: (row) => row.next_change ?? '', drop: 2 },
  { head: 'from', cell: (row) => row.layer, drop: 3 },
]

export const renderList = (rows: readonly Listed[], look: Look): string => table(rows, columns, look)

export const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'Standard prices of all models, USD per million tokens.' },
    args: {
      provider: {
        type: 'string',
        valueHint: 'NAME',
        description: 'Only this provider, with all that the catalogue has',
      },
      all: { type: 'boolean', description: 'Also the models that only the public catalogue has' },
      json: { type: 'boolean', description: 'Print the answer as JSON' },
      csv: { type: 'boolean', description: 'Print the answer as CSV' },
      ...bookArgs,
    },
    run: async ({ args }) => {
      const at_us = momentOf(args.at)
      const book = await openBook(args)
      const rows = listModels(book, at_us, args)
      if (rows.length === 0) {
        const known = [...new Set([...book.all()].map(({ provider }) => provider))]
        throw new WeirError('not-found', `no prices of ${args.provider}; there are those of ${known.join(', ')}`)
      }
      if (args.json) return printJson({ book: book.version, at: day(at_us), prices: rows })
      if (args.csv) {
        const keys = Object.keys(rows[0] ?? {}) as (keyof Listed)[]
        printCsv(rows, Object.fromEntries(keys.map((key) => [key, (row: Listed) => row[key]])))
        return
      }
      print(renderList(rows, lookOf()))
      note(`${rows.length} models on ${day(at_us)}, USD per million tokens, book ${book.version}.`)
    },
  }),
  examples: [
    ['weir prices list', 'our own prices'],
    ['weir prices list --provider mistral --at 2026-06-01', 'one provider on a day'],
  ],
} as const
