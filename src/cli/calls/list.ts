import type { Receipt } from '../../core/receipt.ts'
import { duration, money, tokens } from '../show/format.ts'
import { type Look, paint, type Style } from '../show/look.ts'
import { type Column, table } from '../show/table.ts'
import { clock, day } from '../show/time.ts'

const outcomeStyles: Readonly<Record<Receipt['outcome'], Style>> = {
  ok: 'green',
  cached: 'green',
  deferred: 'blue',
  refused: 'yellow',
  'client-gone': 'yellow',
  error: 'red',
  cut: 'red',
  unknown: 'red',
}

/** How an attempt ended, with its status or code where it failed. */
export const outcomeText = (receipt: Receipt): string => {
  if (receipt.outcome === 'ok') return 'ok'
  const { error_code: code, http_status: status } = receipt
  const why = code !== undefined && code !== receipt.outcome ? code : (status ?? '')
  return `${receipt.outcome} ${why}`.trim()
}

export const outcomeStyle = (receipt: Receipt): Style => outcomeStyles[receipt.outcome]

/** What a receipt cost; states without an amount are said in words, never as 0. */
export const costText = (receipt: Receipt): string => {
  if (receipt.price_state === 'unpriced' || receipt.price_state === 'unmetered') return receipt.price_state
  if (receipt.price_state === 'none' && receipt.cost_usd === undefined) return money('0')
  const about = receipt.usage_source === 'estimated' || receipt.outcome === 'unknown' ? '~' : ''
  return about + money(receipt.cost_usd)
}

const payerText = (receipt: Receipt): string =>
  [receipt.team, receipt.feature, receipt.customer].filter((name) => name !== undefined).join(' / ')

/** The model that answered; the asked one where none did. A retry shows its number. */
const modelText = (receipt: Receipt): string => {
  const model = receipt.model_served ?? receipt.model_asked ?? receipt.endpoint
  return receipt.attempt > 1 ? `${model} (attempt ${receipt.attempt})` : model
}

/** Null for what was brought in without its end, and so ends as it begins. */
const took_ms = (receipt: Receipt): number | null => (receipt.ended_at_us - receipt.started_at_us) / 1000 || null

/** Columns of the list of calls. With `dated` the day stands before the time. */
export const callColumns = (zone: string, dated: boolean): readonly Column<Receipt>[] => [
  {
    head: `time ${zone}`,
    cell: ({ started_at_us: at }) => (dated ? `${day(at, zone)} ${clock(at, zone)}` : clock(at, zone)),
    style: (text, _, colours) => colours.dim(text),
  },
  { head: 'call', cell: ({ call_id }) => call_id, shrink: 14, drop: 1 },
  { head: 'payer', cell: payerText, shrink: 10, drop: 3 },
  { head: 'model', cell: modelText, shrink: 12 },
  {
    head: 'outcome',
    cell: outcomeText,
    style: (text, receipt, colours) => colours[outcomeStyle(receipt)](text),
    shrink: 6,
  },
  { head: 'in', cell: ({ input_tokens }) => tokens(input_tokens), align: 'right', drop: 4 },
  { head: 'cached', cell: ({ cache_read_tokens }) => tokens(cache_read_tokens), align: 'right', drop: 6 },
  { head: 'out', cell: ({ output_tokens }) => tokens(output_tokens), align: 'right', drop: 4 },
  { head: 'took', cell: (receipt) => duration(took_ms(receipt)), align: 'right', drop: 5 },
  {
    head: 'cost',
    cell: costText,
    align: 'right',
    style: (text, { price_state }, colours) => (price_state === 'unpriced' ? colours.yellow(text) : colours.bold(text)),
  },
]

/** The list of calls, one line an attempt; with their days unless all are of today. */
export const renderCalls = (receipts: readonly Receipt[], zone: string, look: Look, now_us: number): string => {
  const today = day(now_us, zone)
  const dated = receipts.some(({ started_at_us }) => day(started_at_us, zone) !== today)
  const list = table(receipts, callColumns(zone, dated), look)
  const more = paint(look).dim('One call in whole: weir calls ID')
  return `${list}\n\n${more}`
}
