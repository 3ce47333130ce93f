import { formatUsd, parseUsd, type Usd } from '../../core/money.ts'
import type { Receipt, ReceiptLine } from '../../core/receipt.ts'
import type { Meter } from '../../core/usage.ts'
import { multiplyExact } from '../../playbook/allocate/focus/decimals.ts'
import { tokenClassOf } from '../../playbook/allocate/focus/meters.ts'
import type { FocusRow } from './rows.ts'

export type Values = FocusRow['values']
export type Properties = Readonly<Record<string, unknown>>

/** The object in a JSON column; empty where it is null or none. */
export const objectIn = (values: Values, column: string): Properties => {
  try {
    const value: unknown = JSON.parse(values[column] ?? '{}')
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Properties) : {}
  } catch {
    return {}
  }
}

const textOf = (value: unknown): string | undefined =>
  value === null || value === undefined || value === '' ? undefined : String(value)

/** A property by its FOCUS name, that of the 1.5 draft, or with the `x_` of a custom one. */
export const property = (details: Properties, name: string): string | undefined =>
  textOf(details[name]) ?? textOf(details[`x_${name}`])

/** How many tokens one of the unit is: `Tokens`, `1000 Tokens`, and `1M Tokens` and `1K Tokens`, which FOCUS does not allow. */
export const tokensIn = (unit: string | null | undefined): string | undefined => {
  const match = /^(?:(\d+)([KM])? )?Tokens?$/i.exec((unit ?? '').replace(/^(\d+[KM]) tokens$/i, '$1 Tokens'))
  if (!match) return undefined
  const scale = { K: '1000', M: '1000000' }[(match[2] ?? '').toUpperCase()] ?? '1'
  return multiplyExact(match[1] ?? '1', scale)
}

const isDecimal = (text: string | null | undefined): text is string =>
  text !== null && text !== undefined && /^-?(\d+\.?\d*|\.\d+)(e[+-]?\d{1,3})?$/i.test(text)

/**
 * The tokens of a row, from what was consumed or else from what was priced. A share of a split charge has parts of tokens,
 * which a receipt has not: where neither is whole, the nearest whole number stands for it.
 */
const tokensOf = (values: Values): number | undefined => {
  const counted = ['Consumed', 'Pricing'].flatMap((kind) => {
    const [quantity, each] = [values[`${kind}Quantity`], tokensIn(values[`${kind}Unit`])]
    if (each === undefined || !isDecimal(quantity)) return []
    const tokens = Number(multiplyExact(quantity, each))
    return tokens >= 0 && Number.isSafeInteger(Math.round(tokens)) ? [tokens] : []
  })
  const [nearest] = counted.map(Math.round)
  return counted.find(Number.isInteger) ?? nearest
}

const meterOf = (values: Values, details: Properties): Meter | undefined =>
  tokenClassOf({
    direction: property(details, 'TokenDirection'),
    cache: property(details, 'TokenCacheAction'),
    ttl: property(details, 'CacheTtl'),
    modality: property(details, 'Modality')?.toLowerCase(),
    name: [values['SkuMeter'], values['SkuId'], values['ChargeDescription']].find(isGiven) ?? '',
  })

const isGiven = (text: string | null | undefined): text is string => text !== null && text !== undefined && text !== ''

/** US dollars per million tokens; undefined where the row is not priced by tokens. */
const rateOf = (values: Values): string | undefined => {
  const [price, each] = [values['ContractedUnitPrice'] ?? values['ListUnitPrice'], tokensIn(values['PricingUnit'])]
  if (each === undefined || !isDecimal(price) || !/^1(0{0,6})$/.test(each)) return undefined
  return multiplyExact(price, `1${'0'.repeat(7 - each.length)}`)
}

const classColumn: Readonly<Record<string, keyof Receipt>> = {
  fresh: 'input_fresh_tokens',
  cache_read: 'cache_read_tokens',
  cache_write: 'cache_write_tokens',
  cache_write_1h: 'cache_write_tokens',
}

export type Money = Readonly<{ cost: Usd; model: string | undefined }>

/** Usage and cost columns of a row: its tokens where it counts tokens, else its money alone as a fee. */
export const usageColumns = (values: Values, details: Properties, { cost, model }: Money): Partial<Receipt> => {
  const meter = meterOf(values, details)
  const tokens = meter === undefined ? undefined : tokensOf(values)
  const called = model ?? values['SkuId'] ?? values['ServiceName'] ?? 'unknown'
  if (meter === undefined || tokens === undefined) {
    const line: ReceiptLine = { kind: 'tool', model: called, meter: 'provider.other', quantity: 1, cost_usd: cost }
    return { lines: [line], fee_cost_usd: cost, usage_source: 'none' }
  }
  const [side = '', , kind = ''] = meter.split('.')
  const rate = rateOf(values)
  const line: ReceiptLine = {
    kind: 'message',
    model: called,
    meter,
    quantity: tokens,
    ...(rate === undefined ? {} : { rate_usd: rate }),
    cost_usd: cost,
  }
  const column = side === 'in' ? classColumn[kind] : undefined
  return {
    lines: [line],
    input_tokens: side === 'in' ? tokens : 0,
    output_tokens: side === 'out' ? tokens : 0,
    ...(column === undefined ? {} : { [column]: tokens }),
    ...(side === 'in' ? { input_cost_usd: cost } : { output_cost_usd: cost }),
    usage_source: 'provider',
    usage_quality: 'exact',
  }
}

/** No row of a bill is of a quadrillion dollars, and no ledger keeps as much. */
const LARGEST = parseUsd('1e15')

/** An amount of US dollars, exact to the picodollar; undefined when the text is none. */
export const amount = (text: string | null | undefined): Usd | undefined => {
  if (!isDecimal(text)) return undefined
  const usd = parseUsd(text)
  return usd < LARGEST && usd > -LARGEST ? formatUsd(usd) : undefined
}
