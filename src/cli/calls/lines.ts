import type { PriceRow } from '../../core/price.ts'
import type { Receipt, ReceiptLine } from '../../core/receipt.ts'
import { divideDecimal } from '../../playbook/price/decimal.ts'
import { conditionsOf } from '../../playbook/price/explain.ts'
import { clean, count, exactMoney, nothing } from '../show/format.ts'
import { type Look, paint } from '../show/look.ts'
import { type Column, table } from '../show/table.ts'

/** Rates are dollars per million units, whatever the unit. Tokens are shown so; pieces by the thousand, as they are sold. */
const rateText = ({ meter, rate_usd: rate }: ReceiptLine): string => {
  if (rate === undefined) return nothing
  return /^(in|out)\./.test(meter) ? `$${rate}/M` : `$${divideDecimal(rate, '1000')}/1k`
}

const columns: readonly Column<ReceiptLine>[] = [
  { head: 'line', cell: ({ kind }) => kind, drop: 2 },
  { head: 'model', cell: ({ model }) => model, shrink: 12, drop: 3 },
  { head: 'meter', cell: ({ meter }) => meter },
  { head: 'quantity', cell: ({ quantity }) => count(quantity), align: 'right' },
  { head: '× rate', cell: rateText, align: 'right' },
  {
    head: '= cost',
    cell: ({ cost_usd }) => (cost_usd === undefined ? 'unpriced' : exactMoney(cost_usd)),
    align: 'right',
    style: (text, { cost_usd }, colours) => (cost_usd === undefined ? colours.yellow(text) : colours.bold(text)),
  },
  { head: 'price row', cell: ({ price_row }) => price_row ?? nothing, shrink: 16, drop: 1 },
]

/** Every line of a receipt: meter × quantity × rate = cost, and the price row that said so. Empty without lines. */
export const linesTable = (receipt: Receipt, look: Look): string =>
  receipt.lines === undefined || receipt.lines.length === 0 ? '' : table(receipt.lines, columns, look, { indent: 2 })

/** What limits a price row, in words: its conditions, and the dates that it holds from and until. */
const limits = (row: PriceRow): string => {
  const conditions = conditionsOf(row)
  const { effective_from: from, effective_to: to } = row
  const said = [
    conditions === 'standard' ? '' : conditions,
    from === undefined ? '' : `from ${from.slice(0, 10)}`,
    to === undefined ? '' : `until ${to.slice(0, 10)}`,
  ]
  return said.filter((text) => text !== '').join(' · ')
}

const layers = { contract: 'your contract', weir: 'Weir’s price files', catalog: 'public catalogue' } as const

/** The price rows that a call was priced with: what limits each, where it comes from and when that was checked. */
export const pricesText = (receipts: readonly Receipt[], known: readonly PriceRow[], look: Look): string => {
  const colours = paint(look)
  const used = new Set(
    receipts.flatMap(({ lines }) => (lines ?? []).flatMap(({ price_row: row }) => (row ? [row] : []))),
  )
  if (used.size === 0) return ''
  const rows = new Map(known.filter(({ id }) => used.has(id)).map((row) => [row.id, row]))
  const version = receipts.find(({ price_book }) => price_book !== undefined)?.price_book
  const blocks = [...used].map((id) => {
    const row = rows.get(id)
    if (row === undefined) return `  ${clean(id)}\n    ${colours.dim('not in the price book of today any more')}`
    const limited = limits(row)
    const about = `${layers[row.layer]}, checked ${row.checked_at.slice(0, 10)}: ${row.source}`
    return [
      `  ${clean(id)}`,
      ...(limited === '' ? [] : [`    ${clean(limited)}`]),
      `    ${colours.dim(clean(about))}`,
    ].join('\n')
  })
  const title = `${colours.bold('Prices')}${version === undefined ? '' : colours.dim(`  book ${version}`)}`
  return `${title}\n${blocks.join('\n')}`
}
