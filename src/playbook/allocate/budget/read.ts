import type { Budget, BudgetEvery, BudgetWindow, FallBack, ScopeDimension } from '../../../core/budget.ts'
import { MINUTE_US } from '../../../core/date.ts'
import { parseUsd } from '../../../core/money.ts'
import { localTime } from '../../price/local-time.ts'
import { overlaps } from './nesting.ts'

/** What is wrong with a list of budgets: where in it, and what to do. */
export type BudgetProblem = Readonly<{ path: readonly (string | number)[]; message: string }>

type JsonRecord = Readonly<Record<string, unknown>>
type Tell = (field: string | readonly (string | number)[], message: string) => void

const everies: readonly BudgetEvery[] = ['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year']
export const scopeDimensions: readonly ScopeDimension[] = [
  'team',
  'feature',
  'key',
  'customer',
  'user',
  'session',
  'agent',
  'environment',
  'model',
  'provider',
]
const fieldNames = ['name', 'scope', 'limit', 'per', 'last', 'zone', 'kind', 'when_exhausted', 'unbounded']
const MOST_CONDITIONS = 8
const LARGEST = 9_000_000_000_000_000_000n
const LONGEST_US = 366 * 86_400 * 1e6

const asRecord = (value: unknown): JsonRecord | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : undefined

const shown = (value: unknown): string => (value === undefined ? 'nothing' : (JSON.stringify(value) ?? 'nothing'))

const isScope = (name: string): name is ScopeDimension =>
  (scopeDimensions as readonly string[]).includes(name) || /^tag:[^\s].*/.test(name)

const readScope = (value: unknown, tell: Tell): Budget['scope'] => {
  if (value === undefined) return {}
  const given = asRecord(value)
  if (!given) {
    tell('scope', `found ${shown(value)}; expected conditions, e.g. { team: search, session: each }`)
    return {}
  }
  const scope: Partial<Record<ScopeDimension, string>> = {}
  for (const [name, wanted] of Object.entries(given)) {
    const known = isScope(name)
    if (!known) tell(['scope', name], `there is no such dimension; there are ${scopeDimensions.join(', ')}, tag:NAME`)
    else if (typeof wanted !== 'string' || wanted === '')
      tell(['scope', name], `found ${shown(wanted)}; expected a value, text with *, or each`)
    else scope[name] = wanted
  }
  if (Object.keys(scope).length > MOST_CONDITIONS) tell('scope', `has more than ${MOST_CONDITIONS} conditions`)
  return scope
}

const usdOf = (value: unknown): bigint | undefined => {
  try {
    return typeof value === 'number' || typeof value === 'string' ? parseUsd(String(value)) : undefined
  } catch {
    return undefined
  }
}

const readUsd = (value: unknown, tell: Tell): string | undefined => {
  const amount = usdOf(value)
  if (amount !== undefined && amount > 0n && amount < LARGEST) return String(value)
  tell(['limit', 'usd'], `found ${shown(value)}; expected US dollars above 0 and below 9 million, e.g. 250`)
  return undefined
}

const readCount = (name: 'tokens' | 'calls', value: unknown, tell: Tell): number | undefined => {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value > 0) return value
  tell(['limit', name], `found ${shown(value)}; expected a whole number above 0`)
  return undefined
}

const readLimits = (value: unknown, tell: Tell): Budget['limits'] => {
  const given = asRecord(value)
  if (!given || Object.keys(given).length === 0) {
    tell('limit', `found ${shown(value)}; expected usd, tokens or calls, e.g. { usd: 250 }`)
    return {}
  }
  const limits: { usd?: string; tokens?: number; calls?: number } = {}
  for (const [name, amount] of Object.entries(given)) {
    if (name === 'usd') {
      const usd = readUsd(amount, tell)
      if (usd !== undefined) limits.usd = usd
    } else if (name === 'tokens' || name === 'calls') {
      const count = readCount(name, amount, tell)
      if (count !== undefined) limits[name] = count
    } else tell(['limit', name], 'there is no such unit; there are usd, tokens, calls')
  }
  return limits
}

const spans: Readonly<Record<string, number>> = { s: 1e6, m: 60e6, h: 3600e6, d: 86_400e6 }

const readLast = (value: unknown, tell: Tell): BudgetWindow => {
  const [, count = '', letter = ''] = /^(\d+)([smhd])$/.exec(String(value)) ?? []
  const last_us = Number(count) * (spans[letter] ?? Number.NaN)
  if (!(last_us >= MINUTE_US && last_us <= LONGEST_US && last_us % MINUTE_US === 0))
    tell('last', `found ${shown(value)}; expected whole minutes, hours or days up to 366d, e.g. 24h`)
  return { last_us }
}

const readZone = (value: unknown, tell: Tell): string => {
  if (value === undefined) return 'UTC'
  try {
    localTime(String(value), 0)
  } catch {
    tell('zone', `found ${shown(value)}; expected an IANA time zone, e.g. Asia/Shanghai`)
  }
  return String(value)
}

const readWindow = ({ per, last, zone }: JsonRecord, tell: Tell): BudgetWindow => {
  if ((per === undefined) === (last === undefined))
    tell('per', 'say either per (minute, hour, day, week, month, quarter, year, lifetime) or last (e.g. 24h)')
  const calendar = everies.find((every) => every === per)
  const bare = (last !== undefined && per === undefined) || per === 'lifetime'
  if (zone !== undefined && bare) tell('zone', 'only calendar windows have a time zone')
  if (last !== undefined) return readLast(last, tell)
  if (per === 'lifetime') return { lifetime: true }
  if (per !== undefined && !calendar)
    tell('per', `found ${shown(per)}; expected one of ${everies.join(', ')}, lifetime`)
  return { every: calendar ?? 'month', zone: readZone(zone, tell) }
}

const readTarget = (value: unknown): FallBack | undefined => {
  if (typeof value !== 'string' || value === '') return undefined
  const slash = value.indexOf('/')
  return slash < 0 ? { provider: value } : { provider: value.slice(0, slash), model: value.slice(slash + 1) }
}

const readExhausted = (value: unknown, soft: boolean, scope: Budget['scope'], tell: Tell): Budget['when_exhausted'] => {
  if (value === undefined || value === 'refuse') return 'refuse'
  const targets = (Array.isArray(value) ? value : [value]).map(readTarget)
  if (targets.length === 0 || targets.includes(undefined))
    tell('when_exhausted', `found ${shown(value)}; expected refuse, or targets such as [groq/llama-3.3-70b]`)
  else if (soft) tell('when_exhausted', 'a soft budget lets calls go on: take it out, or make the budget hard')
  else if (scope.model !== undefined)
    tell(
      'when_exhausted',
      'a budget for a model counts what is asked for, so another target frees nothing: limit a team or a key',
    )
  return targets.filter((target) => target !== undefined)
}

const choice = <T extends string>(field: string, value: unknown, words: readonly [T, ...T[]], tell: Tell): T => {
  const found = value === undefined ? words[0] : words.find((word) => word === value)
  if (found === undefined) tell(field, `found ${shown(value)}; expected ${words.join(' or ')}`)
  return found ?? words[0]
}

const readOne = (value: unknown, tell: Tell): Budget | undefined => {
  const given = asRecord(value)
  if (!given) {
    tell([], `found ${shown(value)}; expected a budget: { name, scope, limit, per }`)
    return undefined
  }
  for (const field of Object.keys(given))
    if (!fieldNames.includes(field)) tell(field, `there is no such field; there are ${fieldNames.join(', ')}`)
  const { name } = given
  if (typeof name !== 'string' || !/^[\w.-]{1,64}$/.test(name))
    tell('name', `found ${shown(name)}; expected 1 to 64 letters, digits, dots, dashes, underscores`)
  const kind = choice('kind', given['kind'], ['hard', 'soft'], tell)
  const scope = readScope(given['scope'], tell)
  return {
    name: String(name),
    scope,
    limits: readLimits(given['limit'], tell),
    window: readWindow(given, tell),
    kind,
    when_exhausted: readExhausted(given['when_exhausted'], kind === 'soft', scope, tell),
    unbounded: choice('unbounded', given['unbounded'], ['refuse', 'allow'], tell),
  }
}

/** More than this nobody oversees, and no call could hold. */
const MOST_BUDGETS = 100

/**
 * Reads budgets as they are written in weir.yaml, on the command line and in the store. Every problem is told with the way
 * to its field; with a problem the budgets are not to be used. `beside` are others that are in force already.
 */
export const readBudgets = (
  list: readonly unknown[],
  beside: readonly Budget[] = [],
): Readonly<{ budgets: readonly Budget[]; problems: readonly BudgetProblem[] }> => {
  const problems: BudgetProblem[] = []
  const budgets = list.map((value, at) =>
    readOne(value, (field, message) => {
      problems.push({ path: [at, ...(typeof field === 'string' ? [field] : field)], message })
    }),
  )
  if (list.length > MOST_BUDGETS) problems.push({ path: [], message: `more than ${MOST_BUDGETS} budgets` })
  budgets.forEach((budget, at) => {
    if (!budget) return
    const before = [...beside, ...budgets.slice(0, at).filter((one) => one !== undefined)]
    if (before.some(({ name }) => name === budget.name))
      problems.push({ path: [at, 'name'], message: `${budget.name} is the name of another budget` })
    for (const other of before)
      for (const unit of overlaps(other, budget))
        problems.push({
          path: [at, 'limit', unit],
          message: `${other.name} limits ${unit} of the same scope and window already: change that one, or take one out`,
        })
  })
  return { budgets: budgets.filter((budget) => budget !== undefined), problems }
}
