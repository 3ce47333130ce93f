import { WeirError } from '../../../core/errors.ts'
import {
  checkSplitRules,
  type Metrics,
  type OwnerShare,
  reallocate,
  type SplitRule,
  withEach,
} from '../split/reallocate.ts'
import { type Bases, directOf } from './owners.ts'

/** How shared costs are borne by the owners of one dimension. */
export type Splits = Readonly<{ dimension: string; rules: readonly SplitRule[] }>

/** Outcomes of each kind by owner. */
export type OutcomeCounts = Readonly<Record<string, Readonly<Record<string, number>>>>

export const noSplits: Splits = { dimension: 'team', rules: [] }

/** Usage that a split can go by: counted on the receipts, or `outcome:KIND`. */
const counted = {
  calls: ({ calls }) => calls,
  tokens: ({ input_tokens, output_tokens }) => input_tokens + output_tokens,
  input_tokens: ({ input_tokens }) => input_tokens,
  output_tokens: ({ output_tokens }) => output_tokens,
} satisfies Record<string, (basis: Bases[string]) => number>

const outcomeKind = (metric: string): string | undefined =>
  metric.startsWith('outcome:') && metric.length > 8 ? metric.slice(8) : undefined

const bad = (at: number, field: string, message: string): WeirError =>
  new WeirError('bad-input', `splits[${at}]${field === '' ? '' : `.${field}`}: ${message}`)

type Raw = Readonly<Record<string, unknown>>
const isRecord = (value: unknown): value is Raw => typeof value === 'object' && value !== null && !Array.isArray(value)
const isName = (value: unknown): value is string => typeof value === 'string' && value.trim() !== ''

const words = ['from', 'to', 'by', 'percent', 'metric']

const percentOf = (found: unknown, at: number): Readonly<Record<string, string>> => {
  if (!isRecord(found) || Object.keys(found).length === 0)
    throw bad(at, 'percent', 'name each owner with its share, e.g. { search: 60, billing: 40 }')
  return Object.fromEntries(
    Object.entries(found).map(([owner, share]) => {
      const text = typeof share === 'number' ? String(share) : share
      if (typeof text === 'string' && /^\d+(\.\d+)?$/.test(text)) return [owner, text]
      throw bad(at, `percent.${owner}`, `${JSON.stringify(share)} is not a share from 0 to 100`)
    }),
  )
}

const metricOf = (found: unknown, at: number): string => {
  if (typeof found === 'string' && (Object.hasOwn(counted, found) || outcomeKind(found) !== undefined)) return found
  throw bad(
    at,
    'metric',
    `${JSON.stringify(found) ?? 'nothing'}: use ${Object.keys(counted).join(', ')} or outcome:KIND`,
  )
}

const toOf = (found: unknown, at: number): { to?: readonly string[] } => {
  if (found === undefined) return {}
  if (Array.isArray(found) && found.every(isName)) return { to: found }
  throw bad(at, 'to', 'must be a list of owners')
}

const ruleOf = (found: unknown, at: number): SplitRule => {
  if (!isRecord(found)) throw bad(at, '', 'a split has from and by')
  const odd = Object.keys(found).find((word) => !words.includes(word))
  if (odd !== undefined) throw bad(at, odd, `no such word: a split has ${words.join(', ')}`)
  const { from, by } = found
  if (!isName(from)) throw bad(at, 'from', 'name the owner whose cost is shared')
  if (by !== 'percent' && found['percent'] !== undefined) throw bad(at, 'percent', 'only a split by percent has shares')
  if (by !== 'usage' && found['metric'] !== undefined) throw bad(at, 'metric', 'only a split by usage has a metric')
  const common = { from, ...toOf(found['to'], at) }
  if (by === 'percent') return { ...common, by, percent: percentOf(found['percent'], at) }
  if (by === 'usage') return { ...common, by, metric: metricOf(found['metric'], at) }
  if (by === 'even' || by === 'spend') return { ...common, by }
  throw bad(at, 'by', `${JSON.stringify(by) ?? 'nothing'}: use even, percent, spend or usage`)
}

/**
 * Reads splits from what a file or a request holds: a list of rules, or `{ dimension, splits }`. Throws WeirError
 * `bad-input` naming every wrong rule (from 0) and its field.
 */
export const readSplits = (input: unknown): Splits => {
  const list = isRecord(input) ? input['splits'] : input
  const dimension = isRecord(input) && input['dimension'] !== undefined ? input['dimension'] : 'team'
  if (!Array.isArray(list)) throw new WeirError('bad-input', 'splits: must be a list of rules')
  if (!isName(dimension)) throw new WeirError('bad-input', 'dimension: must be the name of a dimension, e.g. team')
  const rules = withEach([list, ruleOf])
  checkSplitRules(rules)
  return { dimension, rules }
}

/** The usage that the rules go by; an outcome that never happened is used by nobody. */
const metricsOf = (rules: readonly SplitRule[], bases: Bases, outcomes: OutcomeCounts): Metrics => {
  const names = rules.flatMap((rule) => (rule.by === 'usage' ? [rule.metric] : []))
  const usage = (metric: string): readonly (readonly [string, string])[] => {
    const kind = outcomeKind(metric)
    if (kind !== undefined) return Object.entries(outcomes[kind] ?? {}).map(([owner, n]) => [owner, String(n)])
    const measure = counted[metric as keyof typeof counted]
    return Object.entries(bases).map(([owner, basis]) => [owner, String(measure(basis))])
  }
  return Object.fromEntries(names.map((metric) => [metric, Object.fromEntries(usage(metric))]))
}

/** Hands shared costs on among owners: what each bears sums to what the receipts cost, to the picodollar. */
export const bear = (bases: Bases, { rules }: Splits, outcomes: OutcomeCounts = {}): readonly OwnerShare[] =>
  reallocate(
    new Map(Object.entries(bases).map(([owner, basis]) => [owner, directOf(basis)])),
    rules,
    metricsOf(rules, bases, outcomes),
  )
