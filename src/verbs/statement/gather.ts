import { hint, nearest } from '../../config/suggest.ts'
import type { ClosedMonth } from '../../core/allocation.ts'
import type { Dimension } from '../../core/dimension.ts'
import { WeirError } from '../../core/errors.ts'
import { parseUsd } from '../../core/money.ts'
import type { Store } from '../../core/store.ts'
import { type AskedStatements, askStatements } from '../../playbook/allocate/statement/ask.ts'
import { readClosed } from '../../playbook/allocate/statement/close.ts'
import { type StatementPeriod, statementPeriod } from '../../playbook/allocate/statement/period.ts'
import type { StatementReport } from '../../playbook/allocate/statement/statement.ts'
import { rulesIn } from '../allocation/in-force.ts'
import { checkZone, parseTime } from '../asking/time.ts'
import type { Asking, Context } from '../verb.ts'
import type { Owners, StatementsAsked } from './asked.ts'

/** By which dimensions spend can be charged to owners. */
const chargeable = ['team', 'feature', 'customer', 'user', 'environment', 'key_id', 'agent'] as const

/** Throws WeirError `bad-input` where nobody can be charged by the dimension. */
export const chargeableBy = (name: string, field: string): Dimension => {
  const found = chargeable.find((one) => one === name || one.replace('_', '-') === name)
  if (found !== undefined) return found
  if (/^tag:.+/.test(name)) return name as Dimension
  const meant = nearest(name, chargeable)
  const use = `use one of ${chargeable.join(', ')}, tag:NAME`
  throw new WeirError('bad-input', `${field} ${name}: ${meant === undefined ? use : `did you mean ${meant}?`}`)
}

/** `team=search`: the value may have an equals sign, too. Where `by` says the kind, only another kind's name is none of the value. */
const namedIn = (text: string, by: string | undefined) => {
  const at = text.indexOf('=')
  const name = text.slice(0, Math.max(0, at))
  const isKind = name === by || chargeable.some((one) => one === name) || name.startsWith('tag:')
  return at < 0 || (by !== undefined && !isKind)
    ? { name: undefined, value: text }
    : { name, value: text.slice(at + 1) }
}

/** `team=search`, or only `search` where `by` says the rest, any number of them. Throws WeirError `bad-input`. */
export const readOwners = (texts: readonly string[], by: string | undefined, field: Context['field']): Owners => {
  const asked = texts.map((text) => namedIn(text, by))
  const owner = field('owner')
  const names = [...new Set([...asked.flatMap(({ name }) => name ?? []), ...(by === undefined ? [] : [by])])]
  if (names.length > 1)
    throw new WeirError('bad-input', `${owner}: ${names.join(' and ')} are two kinds of owners; ask for one`)
  const empty = asked.find(({ value }) => value === '')
  if (empty !== undefined) throw new WeirError('bad-input', `${owner}: name the owner, e.g. ${owner} team=search`)
  const dimension = chargeableBy(names[0] ?? 'team', by === undefined ? owner : field('by'))
  return asked.length === 0 ? { by: dimension } : { by: dimension, owners: asked.map(({ value }) => value) }
}

/** `search=500`, any number of them: what an owner may spend in a month, US dollars. Throws WeirError `bad-input`. */
export const readBudgets = (texts: readonly string[], field: string): Readonly<Record<string, string>> =>
  Object.fromEntries(
    texts.map((text) => {
      const [, owner = '', amount = ''] = /^(.+)=(\d+(?:\.\d{1,12})?)$/.exec(text) ?? []
      if (owner !== '' && parseUsd(amount) > 0n) return [owner, amount]
      throw new WeirError('bad-input', `${field} ${text}: write OWNER=USD above 0, e.g. ${field} search=500`)
    }),
  )

type PeriodAsked = Readonly<{ every: 'week' | 'month'; at?: string | undefined; zone: string }>

/**
 * The period that is asked for: the week or month that holds `at`, else the last one that is over; and where that is
 * empty, the one of the ledger's last call, so that an imported past has statements.
 */
export const periodFor = async (
  ledger: Asking,
  { every, at, zone }: PeriodAsked,
  { field, now_us: clock }: Pick<Context, 'field' | 'now_us'>,
): Promise<StatementPeriod> => {
  const now_us = clock()
  checkZone(zone, field('zone'))
  const holding = (at_us: number) => statementPeriod(every, at_us, { zone, now_us })
  if (at !== undefined) {
    const at_us = Math.round(parseTime(at, now_us / 1000, zone, field('at')) * 1000)
    if (at_us > now_us) throw new WeirError('bad-input', `${field('at')} ${at} is in the future`)
    return holding(at_us)
  }
  const last = holding(holding(now_us).window.from_us - 1)
  const { last_us, first_us } = await ledger.query({ ask: 'extent' })
  const outside =
    last_us !== null && first_us !== null && (last_us < last.window.from_us || first_us >= last.window.to_us)
  return outside ? holding(last_us) : last
}

/** Asks for statements under the rules in force. */
export const gather = async (ledger: Asking, store: Store, asked: StatementsAsked): Promise<AskedStatements> => {
  const rules = await rulesIn(store)
  const closes = await store.closes.list(asked.by)
  return askStatements(ledger, { ...asked, rules, closes, outcomes: (window) => store.outcomes.list(window) })
}

/** A month that is charged in one zone has no second bill in another. Throws WeirError `bad-input` that says which zone. */
const checkBooks = ([first]: readonly ClosedMonth[], { by, period }: StatementsAsked, field: string): void => {
  if (first === undefined || period.name < first.month || period.zone === first.zone) return
  throw new WeirError(
    'bad-input',
    `${field} ${period.zone}: from ${first.month} on months are closed by ${by} in ${first.zone}; ask for ${field} ${first.zone}`,
    { field: 'zone' },
  )
}

/** The statements as they were closed, or undefined where the month is open. */
const closedReport = async (
  store: Store,
  asked: StatementsAsked,
  field: string,
): Promise<StatementReport | undefined> => {
  const { by, period, owners } = asked
  if (period.every !== 'month') return undefined
  const closes = await store.closes.list(by)
  checkBooks(closes, asked, field)
  const closed = closes.find(({ month }) => month === period.name)
  if (closed === undefined) return undefined
  const { report } = readClosed(closed)
  return {
    ...report,
    closed: { closed_at_us: closed.closed_at_us, sha256: closed.sha256 },
    statements: report.statements.filter(({ owner }) => owners?.includes(owner) ?? true),
  }
}

/** The statements of a period: as they were closed, or as they stand. `zone` is what the field of the zone is called. */
export const statementsIn = async (
  ledger: Asking,
  store: Store,
  asked: StatementsAsked,
  zone: string,
): Promise<StatementReport> => (await closedReport(store, asked, zone)) ?? (await gather(ledger, store, asked)).report

/** A budget of which no statement speaks was written in vain. Throws WeirError `not-found`, or `bad-input` for a closed month. */
export const checkBudgets = (
  { statements, by, closed, period }: StatementReport,
  owners: readonly string[],
  field: string,
): void => {
  if (closed !== null && owners[0] !== undefined)
    throw new WeirError(
      'bad-input',
      `${field} ${owners[0]}: ${period.name} is closed, so its statements keep the budgets that they were closed with`,
    )
  const vain = owners.find((owner) => !statements.some((one) => one.owner === owner && one.budget_usd !== null))
  if (vain === undefined) return
  const meant = hint(
    vain,
    statements.map(({ owner }) => owner),
  )
  const there = statements.length === 0 || meant === '' ? '' : `; ${meant}`
  throw new WeirError('not-found', `${field} ${vain}: no statement of ${by} ${vain} to set it against${there}`)
}

/** Throws WeirError `not-found` where one of the owners that were asked for has no statement. */
export const checkOwners = ({ statements, by }: StatementReport, owners: readonly string[] | undefined): void => {
  const missing = owners?.find((owner) => !statements.some((one) => one.owner === owner))
  if (missing !== undefined)
    throw new WeirError(
      'not-found',
      `${by} ${missing} has no spend in this period or the one before; weir statement --by ${by} shows who has`,
    )
}
