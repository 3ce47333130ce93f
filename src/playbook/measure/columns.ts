import { formatUsd, type Picodollars, parseUsd, type Usd } from '../../core/money.ts'
import type { Priced, PricedLine } from '../../core/price.ts'
import type { PriceState, Receipt, ReceiptLine } from '../../core/receipt.ts'
import { type Bucket, buckets, type Modality, type NormalisedUsage, type UsageLine } from '../../core/usage.ts'

/** A receipt that is being made; what is undefined is absent. */
type Columns = { -readonly [name in keyof Receipt]?: Receipt[name] | undefined }

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

type CountColumn = {
  [name in keyof Receipt]-?: Receipt[name] extends number | undefined ? name : never
}[keyof Receipt]

/** Which columns a token class counts in, beside its side's total. */
const classColumns: Readonly<Record<string, readonly CountColumn[]>> = {
  fresh: ['input_fresh_tokens'],
  cache_read: ['cache_read_tokens'],
  cache_write: ['cache_write_tokens'],
  cache_write_5m: ['cache_write_tokens'],
  cache_write_1h: ['cache_write_tokens', 'cache_write_1h_tokens'],
  tool: ['input_tool_tokens'],
  reasoning: ['reasoning_tokens'],
}

const modalityColumns: Readonly<Record<'in' | 'out', Partial<Record<Modality, CountColumn>>>> = {
  in: { audio: 'input_audio_tokens', image: 'input_image_tokens', video: 'input_video_tokens' },
  out: { audio: 'output_audio_tokens', image: 'output_image_tokens' },
}

const columnsOf = (bucket: string): readonly CountColumn[] => {
  const [side, modality = '', kind = ''] = bucket.split('.')
  const direction = side === 'out' ? 'out' : 'in'
  const own = modalityColumns[direction][modality as Modality]
  const total = direction === 'out' ? 'output_tokens' : 'input_tokens'
  return [total, ...(own === undefined ? [] : [own]), ...(classColumns[kind] ?? [])]
}

const known = new Map<string, readonly CountColumn[]>(buckets.map((bucket) => [bucket, columnsOf(bucket)]))

const addBucket = (sums: Columns, bucket: string, count: number) => {
  if (count === 0) return
  for (const column of known.get(bucket) ?? columnsOf(bucket)) sums[column] = (sums[column] ?? 0) + count
}

const sourceOf = { exact: 'provider', inferred: 'provider', estimated: 'estimated', missing: 'none' } as const

const isBilled = (line: UsageLine): boolean => line.kind !== 'declined'

/** What the receipt's columns say of the service are those of the last line that is billed. */
const mainLine = (usage: NormalisedUsage): UsageLine | undefined => usage.lines.findLast(isBilled) ?? usage.lines[0]

const addService = (columns: Columns, { service_tier, speed, geo, region }: UsageLine): void => {
  if (service_tier !== undefined) columns.service_tier = service_tier
  if (speed !== undefined) columns.speed = speed
  if (geo !== undefined) columns.geo = geo
  if (region !== undefined) columns.region = region
}

/**
 * The receipt's usage columns: totals over the billed lines. Columns overlap by design (fresh audio counts in input, in
 * fresh and in audio); `input_tokens` and `output_tokens` are the whole. A class that was not used is absent (null), the
 * two totals never. What was declined is not billed and not counted. They are written into `columns` where one is given.
 */
export const usageColumns = (
  usage: NormalisedUsage | undefined,
  columns: Columns = {},
): Partial<Receipt> & Pick<Receipt, 'usage_source'> => {
  type Made = Partial<Receipt> & Pick<Receipt, 'usage_source'>
  columns.usage_source = 'none'
  if (usage === undefined) return columns as Made
  columns.input_tokens = 0
  columns.output_tokens = 0
  for (const line of usage.lines) {
    if (!isBilled(line)) continue
    for (const bucket in line.tokens) addBucket(columns, bucket, line.tokens[bucket as Bucket] ?? 0)
  }
  const { provider_total } = usage.totals
  if (provider_total !== undefined) columns.provider_total_tokens = provider_total
  const raw = rawUsage(usage.raw)
  if (raw !== undefined) columns.usage_raw = raw
  const main = mainLine(usage)
  if (main) addService(columns, main)
  if (usage.warnings.length > 0) columns.warnings = usage.warnings
  columns.usage_source = sourceOf[usage.quality]
  columns.usage_quality = usage.quality
  return columns as Made
}

const receiptLine = ({ kind, model, meter, quantity, rate, row, cost }: PricedLine): ReceiptLine => {
  const line: { -readonly [name in keyof ReceiptLine]: ReceiptLine[name] } = { kind, model, meter, quantity }
  if (rate !== undefined) line.rate_usd = rate
  if (cost !== null) line.cost_usd = formatUsd(cost)
  if (row !== undefined) line.price_row = row
  return line
}

export type MoneyOptions = Readonly<{
  /** The usage at the prices in force; absent where there is no usage. */
  priced?: Priced | undefined
  /** The same usage at list price, without contract rows. */
  list?: Priced | undefined
  counterfactual?: Picodollars | null | undefined
  usage?: NormalisedUsage | undefined
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
const addWarnings = (columns: Columns, { usage, priced }: MoneyOptions): void => {
  const given = usage?.warnings ?? []
  const found = priced?.warnings ?? []
  if (given.length + found.length > 0) columns.warnings = [...new Set([...given, ...found])]
}

const stateOf = (options: MoneyOptions, stated: Picodollars | undefined): PriceState => {
  if (options.priced && options.priced.cost !== null) return 'priced'
  if (stated !== undefined) return 'stated'
  return options.priced ? 'unpriced' : options.otherwise
}

/**
 * The receipt's money columns and lines. The cost is the book's; where the book has no price and the provider stated a cost,
 * that one (`stated`; its split into input, output and fees is not known); else it is absent, never 0. Warnings are the
 * usage's and the pricing's together, so write these columns after `usageColumns`, into the same ones or spread over them.
 */
export const moneyColumns = (
  options: MoneyOptions,
  columns: Columns = {},
): Partial<Receipt> & Pick<Receipt, 'price_state'> => {
  const { priced, list, counterfactual } = options
  const stated = statedAmount(options.usage)
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
  // Mostly these are the same amount: then it is written once.
  const written = (amount: Picodollars): Usd =>
    amount === priced?.cost && columns.cost_usd !== undefined ? columns.cost_usd : formatUsd(amount)
  if (list && list.cost !== null) columns.list_cost_usd = written(list.cost)
  if (counterfactual !== undefined && counterfactual !== null) columns.counterfactual_cost_usd = written(counterfactual)
  addWarnings(columns, options)
  columns.price_state = price_state
  return columns as Partial<Receipt> & Pick<Receipt, 'price_state'>
}
