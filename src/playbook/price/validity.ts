import type { PriceRow, PriceWindow } from '../../core/price.ts'
import { isMeter } from '../../core/usage.ts'
import { dayNumber, instant_us, localTime } from './local-time.ts'

const fields: Readonly<Record<keyof PriceRow, true>> = {
  id: true,
  layer: true,
  provider: true,
  models: true,
  region: true,
  geo: true,
  tier: true,
  speed: true,
  batch: true,
  context: true,
  window: true,
  attrs: true,
  effective_from: true,
  effective_to: true,
  rates: true,
  free: true,
  source: true,
  checked_at: true,
}

const layers: ReadonlySet<string> = new Set(['contract', 'weir', 'catalog'])
const operators: ReadonlySet<string> = new Set(['>', '>=', '<', '<='])
const tiers: ReadonlySet<string> = new Set([
  'standard',
  'flex',
  'priority',
  'batch',
  'scale',
  'provisioned',
  'reserved',
  'off_peak',
])

const rateProblems = (row: PriceRow): string[] => {
  const problems: string[] = []
  for (const [meter, rate] of Object.entries(row.rates)) {
    if (!isMeter(meter)) problems.push(`rates.${meter} is not a meter`)
    else if (typeof rate !== 'string' || !/^\d+(\.\d+)?$/.test(rate))
      problems.push(`rates.${meter} must be a plain decimal string in USD per million, not ${JSON.stringify(rate)}`)
    else if (/^[0.]+$/.test(rate) && row.free !== true)
      problems.push(`rates.${meter} is zero: leave an unknown rate out, or say free: true`)
  }
  if (Object.keys(row.rates).length === 0) problems.push('rates is empty')
  return problems
}

const windowProblems = (window: PriceWindow): string[] => {
  const problems: string[] = []
  try {
    localTime(window.zone, 0)
  } catch {
    problems.push(`window.zone ${JSON.stringify(window.zone)} is not an IANA zone`)
  }
  if (window.weekdays?.some((day) => !Number.isInteger(day) || day < 1 || day > 7))
    problems.push('window.weekdays must be 1 (Monday) to 7 (Sunday)')
  if (window.minutes.length === 0 || window.minutes.some(([from, to]) => !(from >= 0 && from < to && to <= 1440)))
    problems.push('window.minutes must be pairs from < to between 0 and 1440')
  const dates = (window.except_dates ?? []).filter((date) => Number.isNaN(dayNumber(date)))
  if (dates.length > 0) problems.push(`window.except_dates has no date in ${dates.join(', ')}`)
  return problems
}

const dateProblems = (row: PriceRow): string[] => {
  const problems: string[] = []
  const { effective_from: from, effective_to: to } = row
  for (const [name, text] of [['effective_from', from] as const, ['effective_to', to] as const])
    if (text !== undefined && Number.isNaN(instant_us(text)))
      problems.push(`${name} must be a date or a UTC instant, not ${JSON.stringify(text)}`)
  if (from !== undefined && to !== undefined && instant_us(from) >= instant_us(to))
    problems.push('effective_to must come after effective_from')
  return problems
}

const nameProblems = (row: PriceRow): string[] => {
  const problems: string[] = []
  const unknown = Object.keys(row).filter((field) => !(field in fields))
  if (unknown.length > 0) problems.push(`unknown field ${unknown.join(', ')}`)
  if (!layers.has(row.layer)) problems.push(`layer ${JSON.stringify(row.layer)} is not contract, weir or catalog`)
  if (row.models.length === 0) problems.push('models is empty')
  if (row.models.some((model) => model === '' || model.includes('*')))
    problems.push('models must be exact names: a pattern is never a price')
  if (row.tier !== undefined && !tiers.has(row.tier)) problems.push(`tier ${JSON.stringify(row.tier)} is not known`)
  if (row.source === '') problems.push('source is empty')
  return problems
}

const contextProblems = ({ context }: PriceRow): string[] =>
  context === undefined || (operators.has(context.operator) && Number.isInteger(context.tokens) && context.tokens >= 0)
    ? []
    : ['context must be an operator (>, >=, <, <=) and a whole number of tokens']

/** What is wrong with a row by itself, one sentence each, naming the field; empty when it is sound. */
export const problemsOf = (row: PriceRow): string[] => [
  ...nameProblems(row),
  ...rateProblems(row),
  ...(row.window === undefined ? [] : windowProblems(row.window)),
  ...dateProblems(row),
  ...contextProblems(row),
]
