import type { BudgetState, BudgetStates } from '../../core/budget.ts'
import type { Dimension, Filter } from '../../core/dimension.ts'
import type { Answer, Ledger, Question } from '../../core/ledger.ts'
import { parseUsd } from '../../core/money.ts'
import { budgetAlerts, isCurrent, scopeOwner, standingOf } from '../../playbook/allocate/alert/budgets.ts'
import type { ScopeShapes } from '../../playbook/allocate/alert/owners.ts'
import { type Budgets, type Detection, explainDay, spendTrend } from '../../playbook/allocate/detect/detect.ts'
import type { BurnBudget } from '../../playbook/allocate/detect/settings.ts'
import { forecastOf } from '../../playbook/allocate/statement/landing.ts'
import { type RecordOptions, recordOnce, recordResolved } from './record.ts'

/** The budgets as the detectors need them: what burns, and by which scopes calls are told apart. */
export type Burning = Readonly<{ budgets: Budgets; shapes: ScopeShapes }>

export type BudgetWatch = Readonly<{
  burning(): Burning
  /** Tells of budgets that are spent, or will be, and ends what belongs to a period that is over. Gives whether anything was told. */
  look(detection: Detection): Promise<boolean>
}>

type Ask = (question: Question) => Promise<unknown>

const FORECAST_EVERY_US = 600_000_000
const HISTORY_US = 84 * 86_400_000_000
/** Budgets that are forecast in one look: it asks the ledger once for each. */
const FORECASTS = 20
/** A budget of which less is spent is not forecast: it would be the noise of its first hours. */
const LEAST_SHARE = 0.1

const filterOf = ([dimension, value]: readonly [string, string]): Filter => {
  const named = dimension === 'key' ? 'key_id' : dimension === 'model' ? 'model_asked' : dimension
  return { dimension: named as Dimension, values: [value] }
}

const nameOf = ({ budget, unit, scope, window }: BudgetState): string =>
  JSON.stringify([budget, unit, scopeOwner(scope), window])

/** Budgets whose end can be told ahead: in dollars, by the calendar, a week or longer. */
const isForecast = ({ unit, period, zone, share }: BudgetState): boolean =>
  unit === 'usd' &&
  zone !== null &&
  period !== null &&
  period.to_us - period.from_us >= 6 * 86_400_000_000 &&
  share >= LEAST_SHARE

/** Of the cap of one session only its end is news: sessions come by the hundred. */
const percentsFor = ({ scope }: BudgetState, percents: readonly number[]): readonly number[] =>
  scope['session'] === undefined ? percents : percents.filter((percent) => percent >= 100)

type Known = { at_us: number; period_us: number; forecast: bigint | undefined }

/** Forecasts of budgets from the ledger's days, each kept for ten minutes. */
const forecaster = (ask: Ask, now_us: () => number) => {
  const known = new Map<string, Known>()
  const compute = async ({ scope, period, zone }: BudgetState): Promise<bigint | undefined> => {
    if (period === null || zone === null) return undefined
    const now = now_us()
    const answer = (await ask({
      ask: 'owned',
      window: { from_us: period.from_us - HISTORY_US, to_us: now + 1 },
      group_by: ['day'],
      filters: Object.entries(scope).map(filterOf),
      zone,
    })) as Answer<Extract<Question, { ask: 'owned' }>>
    return forecastOf(answer.rows, period, now, zone)?.expected
  }
  return async (states: readonly BudgetState[]): Promise<ReadonlyMap<string, Known>> => {
    const stale = states.filter((state) => {
      const found = known.get(nameOf(state))
      const fresh = found && found.period_us === state.period?.from_us && now_us() - found.at_us < FORECAST_EVERY_US
      return isForecast(state) && !fresh
    })
    for (const state of stale.slice(0, FORECASTS)) {
      const forecast = await compute(state).catch(() => undefined)
      known.set(nameOf(state), { at_us: now_us(), period_us: state.period?.from_us ?? 0, forecast })
    }
    const named = new Set(states.map(nameOf))
    for (const name of known.keys()) if (!named.has(name)) known.delete(name)
    return known
  }
}

/** Dollar budgets by owner, with the length of their period. */
const burningOf = (states: readonly BudgetState[]): Burning => {
  const budgets = new Map<string, BurnBudget[]>()
  const shapes = new Map<string, readonly string[]>()
  for (const { budget, unit, scope, period, limit } of states) {
    if (unit !== 'usd' || period === null || parseUsd(limit) <= 0n) continue
    const owner = scopeOwner(scope)
    const burn: BurnBudget = { id: budget, limit: parseUsd(limit), length_us: period.to_us - period.from_us }
    budgets.set(owner, [...(budgets.get(owner) ?? []), burn])
    const shape = Object.keys(scope).sort()
    if (shape.length > 0) shapes.set(shape.join(' '), shape)
  }
  return { budgets, shapes: [...shapes.values()] }
}

const none: Burning = { budgets: new Map(), shapes: [] }

/** Watches budgets as they are spent: what `states` says, and what the ledger's days let expect. */
export const watchBudgets = (options: RecordOptions & Readonly<{ states: BudgetStates; ask: Ask }>): BudgetWatch => {
  const { states: askStates, ask, now_us, store, settings } = options
  const forecasts = forecaster(ask, now_us)
  const told = new Set<string>()
  let burning = none

  const tell = async (state: BudgetState, forecast: bigint | undefined, detection: Detection): Promise<boolean> => {
    const standing = standingOf(state, forecast)
    if (!standing) return false
    const why = { ...explainDay(detection, standing.owner), trend_usd: spendTrend(detection, standing.owner) }
    let any = false
    const percents = percentsFor(state, settings.alerts.budget_percents)
    for (const alert of budgetAlerts(standing, percents, why, now_us())) {
      if (told.has(alert.id)) continue
      any = (await recordOnce(alert, options)) || any
      told.add(alert.id)
    }
    return any
  }
  const endOld = async (states: readonly BudgetState[]): Promise<void> => {
    if (states.some(({ counted }) => !counted)) return
    const standings = states.flatMap((state) => standingOf(state) ?? [])
    for (const alert of await store.list({ state: 'open' })) {
      if (alert.kind !== 'budget-spent' && alert.kind !== 'budget-forecast') continue
      if (standings.some((standing) => isCurrent(alert.incident, standing))) continue
      told.delete(alert.id)
      await recordResolved({ ...alert, state: 'resolved', resolved_us: now_us() }, options)
    }
  }
  return {
    burning: () => burning,
    async look(detection) {
      const states = await askStates()
      burning = burningOf(states)
      const known = await forecasts(states)
      let any = false
      for (const state of states) any = (await tell(state, known.get(nameOf(state))?.forecast, detection)) || any
      await endOld(states)
      return any
    },
  }
}

/** A way to ask a ledger that may not be open yet; rejects until it is. */
export const askWhenOpen =
  (ledger: () => Ledger | undefined): Ask =>
  async (question) => {
    const open = ledger()
    if (!open) throw new Error('the ledger is not open yet')
    return open.query(question)
  }
