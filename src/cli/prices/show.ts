import { defineCommand } from 'citty'
import type { PriceRow } from '../../core/price.ts'
import { buckets, isBucket } from '../../core/usage.ts'
import { divideDecimal } from '../../playbook/price/decimal.ts'
import { conditionsOf, type Explained } from '../../playbook/price/explain.ts'
import { perform } from '../../verbs/perform.ts'
import type { Shown } from '../../verbs/prices/show.ts'
import { verb as showPrices } from '../../verbs/prices-show.ts'
import { withContext } from '../calling.ts'
import { type Look, lookOf, paint } from '../show/look.ts'
import { print, printJson } from '../show/output.ts'
import { type Column, table } from '../show/table.ts'
import { wrap } from '../show/text.ts'
import { day, moment } from '../show/time.ts'
import { bookArgs } from './book.ts'

const short: Readonly<Record<string, string>> = {
  'in.text.fresh': 'in',
  'out.text.visible': 'out',
  'in.text.cache_read': 'cache read',
  'in.text.cache_write': 'cache write',
  'in.text.cache_write_5m': 'write 5m',
  'in.text.cache_write_1h': 'write 1h',
  'out.text.reasoning': 'reasoning',
  'out.text.citation': 'citation',
}

/** Fees as text, by the thousand: `web_search.query 10 per 1k`. */
const feeRates = (row: PriceRow): string =>
  Object.entries(row.rates)
    .filter(([meter]) => !isBucket(meter))
    .map(([meter, rate]) => `${meter} ${divideDecimal(rate, '1000')} per 1k`)
    .join(' · ')

/** Rows that differ in nothing but the region stand in one line. */
const mergeRegions = (rows: readonly Explained[]): Explained[] => {
  const merged = new Map<string, Explained>()
  for (const one of rows) {
    const { id, region, ...rest } = one.row
    const key = region === undefined ? id : JSON.stringify({ ...rest, state: one.state })
    const before = merged.get(key)
    merged.set(key, before ? { ...before, row: { ...before.row, region: `${before.row.region}, ${region}` } } : one)
  }
  return [...merged.values()]
}

const period = ({ effective_from: from, effective_to: to }: PriceRow): string =>
  from === undefined && to === undefined ? 'always' : `${from ?? ''} – ${to ?? ''}`.trim()

/** A column for each kind of token that one of the rows has a rate for. */
const rateColumns = (rows: readonly Explained[]): Column<Explained>[] =>
  buckets
    .filter((bucket) => rows.some(({ row }) => row.rates[bucket] !== undefined))
    .map((bucket) => ({
      head: short[bucket] ?? bucket,
      cell: ({ row }) => row.rates[bucket] ?? '',
      align: 'right',
      ...(short[bucket] === undefined && { shrink: 10 }),
    }))

/** Where a row comes from. Many rows share one source, which is long: the table has its number. */
const sourceOf = ({ row: { layer, checked_at, source } }: Explained): string =>
  `${layer}, checked ${checked_at.slice(0, 10)}: ${source}`

const fees: Column<Explained> = { head: 'fees', cell: ({ row }) => feeRates(row), drop: 2 }

const columnsOf = (rows: readonly Explained[], sources: readonly string[]): Column<Explained>[] => [
  {
    head: 'state',
    cell: ({ state }) => state,
    style: (text, { state }, colours) => (state === 'in force' ? colours.green(text) : colours.dim(text)),
  },
  { head: 'holds for', cell: ({ row }) => conditionsOf(row), shrink: 10 },
  { head: 'period', cell: ({ row }) => period(row) },
  ...rateColumns(rows),
  ...(rows.some(({ row }) => feeRates(row) !== '') ? [fees] : []),
  { head: 'source', cell: (row) => String(sources.indexOf(sourceOf(row)) + 1), align: 'right', drop: 1 },
]

/** The rows of a model with their sources below. */
const renderRows = (rows: readonly Explained[], look: Look): string => {
  const sources = [...new Set(rows.map(sourceOf))]
  const notes = sources.flatMap((source, i) => {
    const number = `  ${i + 1}  `
    return wrap(source, look.width - number.length).map(
      (line, nth) => (nth === 0 ? number : ' '.repeat(number.length)) + line,
    )
  })
  return [table(rows, columnsOf(rows, sources), look), ...notes.map(paint(look).dim)].join('\n')
}

const order: readonly Explained['state'][] = ['in force', 'outside its hours', 'future', 'past', 'shadowed']

/** What holds comes first, the plain price before those with conditions. */
const byStanding = (a: Explained, b: Explained): number =>
  order.indexOf(a.state) - order.indexOf(b.state) || weight(a.row) - weight(b.row)

const weight = (row: PriceRow): number => {
  const conditions = conditionsOf(row)
  return conditions === 'standard' ? 0 : conditions.split(' · ').length
}

export const renderShown = (shown: readonly Shown[], at_us: number, look: Look): string => {
  const colours = paint(look)
  return shown
    .map(({ provider, model, rows }) => {
      const lines = mergeRegions(rows).sort(byStanding)
      const next = rows.flatMap(({ changes_at_us }) => changes_at_us ?? []).sort((a, b) => a - b)[0]
      const change = next === undefined ? 'no change is known' : `next change ${moment(next)} UTC`
      const title = `${colours.title(`${provider}/${model}`)} on ${day(at_us)}, USD per million tokens: ${change}`
      return `${title}\n${renderRows(lines, look)}`
    })
    .join('\n\n')
}

export const show = {
  ...defineCommand({
    meta: {
      name: 'show',
      description:
        'Show every price of a model, past, current and announced, with its source and the date it was checked.',
    },
    args: {
      model: { type: 'positional', required: true, description: 'The exact name, as in calls' },
      provider: { type: 'string', valueHint: 'NAME', description: 'Only at this provider' },
      json: { type: 'boolean', description: 'Print the answer as JSON' },
      ...bookArgs,
    },
    run: async ({ args }) => {
      const { model, provider, at, config } = args
      const shown = await withContext({ config }, 'weir prices show', (context) =>
        perform(showPrices, { model, provider, at }, context),
      )
      if (args.json) printJson(shown)
      else print(renderShown(shown.models, shown.at_us, lookOf()))
    },
  }),
  examples: [
    ['weir prices show claude-haiku-5-5', 'today'],
    ['weir prices show gemini-4-argon --at 2026-12-01', 'on a day to come'],
  ],
} as const
