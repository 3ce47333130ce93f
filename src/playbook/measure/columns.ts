import { formatUsd, type Picodollars, parseUsd } from '../../core/money.ts'
import type { Priced, PricedLine } from '../../core/price.ts'
import type { PriceState, Receipt, ReceiptLine } from '../../core/receipt.ts'
import type { Modality, NormalisedUsage } from '../../core/usage.ts'

type Writable<T> = { -readonly [name in keyof T]?: T[name] }

const LONGEST_RAW_BYTES = 16 * 1024

const bytesOf = (text: string) => {
  let bytes = 0
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    bytes += code < 0x80 ? 1 : code < 0x800 || (code >= 0xd800 && code <= 0xdfff) ? 2 : 3
  }
  return bytes
}

/**
 * The provider's usage object as JSON text of at most 16 KiB. What is longer becomes `{"cut": "<beginning of it>"}`, so that
 * the column always holds JSON. Undefined when there is none.
 */
export const rawUsage = (raw: unknown): string | undefined => {
  const text = raw === null || raw === undefined ? undefined : JSON.stringify(raw)
  if (text === undefined || text.length * 3 <= LONGEST_RAW_BYTES || bytesOf(text) <= LONGEST_RAW_BYTES) return text
  let kept = LONGEST_RAW_BYTES - 16
  for (;;) {
    const cut = JSON.stringify({ cut: text.slice(0, kept) })
    if (bytesOf(cut) <= LONGEST_RAW_BYTES) return cut
    kept = Math.floor(kept / 1.5)
  }
}

type Sums = Record<string, number>

/** Which columns a token class counts in, beside its side's total. */
const classColumns: Readonly<Record<string, readonly (keyof Receipt)[]>> = {
  fresh: ['input_fresh_tokens'],
  cache_read: ['cache_read_tokens'],
  cache_write: ['cache_write_tokens'],
  cache_write_5m: ['cache_write_tokens'],
  cache_write_1h: ['cache_write_tokens', 'cache_write_1h_tokens'],
  tool: ['input_tool_tokens'],
  reasoning: ['reasoning_tokens'],
}

const modalityColumns: Readonly<Record<'in' | 'out', Partial<Record<Modality, keyof Receipt>>>> = {
  in: { audio: 'input_audio_tokens', image: 'input_image_tokens', video: 'input_video_tokens' },
  out: { audio: 'output_audio_tokens', image: 'output_image_tokens' },
}

const addTo = (sums: Sums, column: string | undefined, count: number) => {
  if (column !== undefined && count !== 0) sums[column] = (sums[column] ?? 0) + count
}

const addBucket = (sums: Sums, bucket: string, count: number) => {
  const [side, modality = '', kind = ''] = bucket.split('.')
  const columns = modalityColumns[side === 'out' ? 'out' : 'in']
  addTo(sums, side === 'out' ? 'output_tokens' : 'input_tokens', count)
  addTo(sums, columns[modality as Modality], count)
  for (const column of classColumns[kind] ?? []) addTo(sums, column, count)
}

const sourceOf = { exact: 'provider', inferred: 'provider', estimated: 'estimated', missing: 'none' } as const

/** A record without its undefined fields: absent is how a receipt says null. */
const given = <T extends object>(record: T) =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined)) as {
    [name in keyof T]?: Exclude<T[name], undefined>
  }

/**
 * The receipt's usage columns: totals over the billed lines. Columns overlap by design (fresh audio counts in input, in
 * fresh and in audio); `input_tokens` and `output_tokens` are the whole. A class that was not used is absent (null), the
 * two totals never. What was declined is not billed and not counted.
 */
export const usageColumns = (usage: NormalisedUsage | undefined): Partial<Receipt> & Pick<Receipt, 'usage_source'> => {
  if (usage === undefined) return { usage_source: 'none' }
  const sums: Sums = { input_tokens: 0, output_tokens: 0 }
  for (const line of usage.lines) {
    if (line.kind === 'declined') continue
    for (const [bucket, count] of Object.entries(line.tokens)) addBucket(sums, bucket, count)
  }
  const main = usage.lines.findLast((line) => line.kind !== 'declined') ?? usage.lines[0]
  return {
    ...sums,
    ...given({
      provider_total_tokens: usage.totals.provider_total,
      usage_raw: rawUsage(usage.raw),
      service_tier: main?.service_tier,
      speed: main?.speed,
      geo: main?.geo,
      region: main?.region,
      warnings: usage.warnings.length === 0 ? undefined : usage.warnings,
    }),
    usage_source: sourceOf[usage.quality],
    usage_quality: usage.quality,
  }
}

const receiptLine = (line: PricedLine): ReceiptLine => ({
  kind: line.kind,
  model: line.model,
  meter: line.meter,
  quantity: line.quantity,
  ...given({
    rate_usd: line.rate,
    cost_usd: line.cost === null ? undefined : formatUsd(line.cost),
    price_row: line.row,
  }),
})

export type MoneyOptions = Readonly<{
  /** The usage at the prices in force; absent where there is no usage. */
  priced?: Priced
  /** The same usage at list price, without contract rows. */
  list?: Priced
  counterfactual?: Picodollars | null
  usage?: NormalisedUsage
  /**
   * What to say without usage. `none`: nothing was billed (refused, failed before an answer). `unmetered`: the endpoint has no
   * meter. `unpriced`: something was billed and nobody knows what.
   */
  otherwise: Extract<PriceState, 'none' | 'unmetered' | 'unpriced'>
}>

const statedAmount = (usage: NormalisedUsage | undefined): Picodollars | undefined => {
  try {
    return usage?.stated && parseUsd(usage.stated.amount_usd)
  } catch {
    return undefined
  }
}

/** Every warning once, in order. */
const warningsOf = (options: MoneyOptions) => {
  const all = [...(options.usage?.warnings ?? []), ...(options.priced?.warnings ?? [])]
  return all.length === 0 ? {} : { warnings: [...new Set(all)] }
}

const stateOf = (options: MoneyOptions, stated: Picodollars | undefined): PriceState => {
  if (options.priced && options.priced.cost !== null) return 'priced'
  if (stated !== undefined) return 'stated'
  return options.priced ? 'unpriced' : options.otherwise
}

/**
 * The receipt's money columns and lines. The cost is the book's; where the book has no price and the provider stated a cost,
 * that one (`stated`; its split into input, output and fees is not known); else it is absent, never 0. Warnings are the
 * usage's and the pricing's together, so spread these columns after `usageColumns`.
 */
export const moneyColumns = (options: MoneyOptions): Partial<Receipt> & Pick<Receipt, 'price_state'> => {
  const { priced, list, counterfactual } = options
  const stated = statedAmount(options.usage)
  const columns: Writable<Receipt> = {}
  if (stated !== undefined) columns.stated_cost_usd = formatUsd(stated)
  if (priced) {
    columns.lines = priced.lines.map(receiptLine)
    columns.price_book = priced.book
  }
  const price_state = stateOf(options, stated)
  if (price_state === 'stated' && stated !== undefined) columns.cost_usd = formatUsd(stated)
  if (price_state === 'priced' && priced && priced.cost !== null) {
    columns.cost_usd = formatUsd(priced.cost)
    columns.input_cost_usd = formatUsd(priced.input)
    columns.output_cost_usd = formatUsd(priced.output)
    columns.fee_cost_usd = formatUsd(priced.fees)
  }
  if (list && list.cost !== null) columns.list_cost_usd = formatUsd(list.cost)
  if (counterfactual !== undefined && counterfactual !== null)
    columns.counterfactual_cost_usd = formatUsd(counterfactual)
  return { ...columns, ...warningsOf(options), price_state }
}
