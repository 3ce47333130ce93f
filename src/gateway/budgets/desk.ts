import { type Budget, type BudgetState, EACH } from '../../core/budget.ts'
import type { Ledger } from '../../core/ledger.ts'
import type { Receipt } from '../../core/receipt.ts'
import type { Settings } from '../../core/settings.ts'
import { countersOf } from '../../playbook/allocate/budget/counter.ts'
import { inTurn } from '../in-turn.ts'
import type { Log } from '../log.ts'
import { type Active, activeOf, type BudgetsInForce, type InForce } from './active.ts'
import { type BudgetMemory, type Budgets, openBudgets } from './budgets.ts'
import { countCharged, type Sum } from './count.ts'
import { inFlightMemory } from './in-flight.ts'
import { stateOf } from './states.ts'
import { tableMemory } from './table.ts'

/** The gateway threads as far as budgets go. */
type Threads = Readonly<{ setBudgets(inForce: BudgetsInForce): Promise<readonly string[]> }>

export type DeskOptions = Readonly<{
  settings: Settings
  now_us: () => number
  log: Log
  /** Those who are told; nobody where absent. */
  threads?: Threads
}>

/** Where spend is counted again: the ledger, and the way to bring everything into it that was written so far. */
export type Counting = Readonly<{ ledger: Pick<Ledger, 'query'>; refresh: () => Promise<unknown> }>

/** The main thread's part in budgets: which are in force, what was spent before, how they stand. */
export type Desk = Readonly<{
  memory: BudgetMemory
  inForce(): BudgetsInForce
  /** Counts what was spent before, then lets the calls in that wait for it. Without a ledger there was nothing. */
  begin(counting?: Counting | 'no-ledger'): Promise<void>
  /** The ledger cannot be opened: hard budgets refuse what is under them, until it begins after all. */
  fail(): Promise<void>
  /** Puts other budgets in force. What was spent under those that stay, stays; a limit is a limit at once. */
  change(budgets: readonly Budget[]): Promise<void>
  /** Brings receipts in by another way than the journal, and charges them. */
  importing<T>(act: () => Promise<T>): Promise<T>
  /** Makes good what a thread that is dead left: its calls are charged what their receipts say. */
  bury(lane: number, recover: (ends: { wants(id: string): boolean; told(receipt: Receipt): void }) => void): void
  states(): Promise<readonly BudgetState[]>
  /** The same for who looks every few seconds: counters as they are, but a scope that is new may be missing for a while. */
  glance(): Promise<readonly BudgetState[]>
  /** Limit, spent and reserved by series, of budgets that have one counter: their names are labels, users and sessions never. */
  gauges(): Readonly<Record<string, number>>
  close(): void
}>

/** Lane 0 is the main thread's, and that of a gateway that runs in it. */
export const MAIN_LANE = 0

const SWEEP_EVERY_MS = 30_000
/** How often the clock is looked at: whether it was set back. */
const CLOCK_EVERY_MS = 1000
/**
 * Which scopes budgets with a counter for each value have, only the ledger knows. Who looks every few seconds has it asked for no
 * more than this part of the time: of ten million receipts the answer takes seconds.
 */
const ASKING_SHARE = 0.01
/** Of a budget with a counter for each value, so many are shown. */
const MOST_SHOWN = 100

/** One for each unit, because each has a counter, and a history, of its own. */
const split = (budget: Budget): { budget: Budget; identity: string }[] =>
  countersOf(budget).map(({ unit, identity }) => ({
    budget: { ...budget, limits: { [unit]: budget.limits[unit] } },
    identity,
  }))

/** What is in force after a change: a counter that was there before goes on. */
const next = (before: BudgetsInForce, budgets: readonly Budget[], newEpoch: () => number): BudgetsInForce => {
  const known = new Map(before.budgets.map((one) => [split(one.budget)[0]?.identity, one]))
  const all = budgets.flatMap(split).map(({ budget, identity }): InForce => {
    const same = known.get(identity)
    return same ? { ...same, budget } : { budget, epoch: newEpoch(), state: 'counting' }
  })
  const epochs = (some: readonly InForce[]) => some.map(({ epoch }) => epoch).join()
  const changed = epochs(all) !== epochs(before.budgets)
  return { generation: before.generation + (changed ? 1 : 0), budgets: all }
}

type Values = readonly (readonly string[])[]

/** The scopes of budgets by epoch, as the ledger said them, and how long it took to say so. */
type Scopes = Readonly<{ of: ReadonlyMap<number, Values>; asked_us: number; took_us: number }>

/** What the desk knows, and what it changes. */
type Known = {
  scopes: Scopes
  readonly settings: Settings
  readonly now_us: () => number
  readonly log: Log
  readonly own: Budgets
  inForce: BudgetsInForce
  readonly threads: Threads
  /** Where spend is counted: undefined until that is known; in no ledger there is nothing, of a lost one nobody knows. */
  counting: Counting | 'no-ledger' | 'lost' | undefined
}

const publish = ({ own, threads, inForce }: Known): Promise<readonly string[]> => {
  own.set(inForce)
  return threads.setBudgets(inForce)
}

const mark = (known: Known, state: InForce['state']): void => {
  const budgets = known.inForce.budgets.map((one) => (one.state === 'counting' ? { ...one, state } : one))
  known.inForce = { ...known.inForce, budgets }
}

type Which = Readonly<{ except?: readonly string[]; imported?: boolean }>

const sumsOf = ({ counting, settings, now_us }: Known, active: Active, which: Which): Promise<readonly Sum[]> =>
  typeof counting === 'object'
    ? countCharged(active.counter, { ledger: counting.ledger, settings, at_us: now_us(), ...which })
    : Promise.resolve([])

const seed = ({ own }: Known, active: Active, sums: readonly Sum[], sign = 1n): void => {
  for (const { values, amount, at_us } of sums) own.seed(active, values, sign * amount, at_us)
}

/**
 * Counts what is new from the ledger. Attempts that were open when the threads took the new budgets are charged by those
 * who write their receipts, so they are left out here, whether or not the ledger has them by now.
 */
const count = async (known: Known): Promise<void> => {
  const { counting } = known
  if (counting === undefined) return
  const except = await publish(known)
  const fresh = activeOf(known.inForce).filter(({ state }) => state === 'counting')
  if (fresh.length === 0) return
  try {
    if (counting === 'lost') throw new Error('the ledger cannot be opened')
    if (typeof counting === 'object') await counting.refresh()
    for (const active of fresh) seed(known, active, await sumsOf(known, active, { except }))
    mark(known, 'counted')
  } catch (error) {
    mark(known, 'failed')
    const why = { error: (error as Error).message }
    known.log.trouble('budgets cannot be counted; calls under hard ones are refused', why)
  }
  await publish(known)
}

const hasFailed = ({ state }: InForce): boolean => state === 'failed'
const isRolling = ({ budget: { window } }: InForce): boolean => 'last_us' in window

/** Counts some budgets again, in other counters: what was added to those stands in the ledger too. */
const recount = async (known: Known, newEpoch: () => number, which: (one: InForce) => boolean): Promise<void> => {
  const { generation, budgets } = known.inForce
  if (known.counting === undefined || !budgets.some(which)) return
  const anew = budgets.map((one): InForce => (which(one) ? { ...one, epoch: newEpoch(), state: 'counting' } : one))
  known.inForce = { generation: generation + 1, budgets: anew }
  await count(known)
}

/** Is the clock behind where it was at the last look? */
const setBack = (now_us: () => number) => {
  let seen_us = now_us()
  return (): boolean => {
    const before_us = seen_us
    seen_us = now_us()
    return seen_us < before_us
  }
}

const hasEach = ({ counter }: Active): boolean => counter.conditions.some(({ wanted }) => wanted === EACH)

const standing = (
  { own, now_us }: Known,
  active: Active,
  values: readonly string[],
  reserved: ReadonlyMap<number, bigint>,
) => {
  const at_us = now_us()
  const { slot, used, lacked_us } = own.used(active, values, at_us)
  return stateOf(active, { values, used, reserved: reserved.get(slot) ?? 0n, lacked_us, at_us })
}

/** What is shown of a budget before anybody has a counter: its limit, and that nothing is spent of it. */
const nobody = ({ counter: { conditions } }: Active): Values => [
  conditions.flatMap(({ wanted }) => (wanted === EACH ? [EACH] : [])),
]

const WHOLE: Values = [[]]
const NO_THREADS: Threads = { setBudgets: async () => [] }
const NO_SCOPES: Scopes = { of: new Map(), asked_us: 0, took_us: 0 }

const valuesOf = async (known: Known, active: Active): Promise<readonly [number, Values]> => {
  const sums = await sumsOf(known, active, {})
  return [active.epoch, [...new Map(sums.map(({ values }) => [values.join('\u0000'), values])).values()]]
}

const scopesOf = async (known: Known, each: readonly Active[], fresh: boolean): Promise<Scopes> => {
  const { of, asked_us, took_us } = known.scopes
  const stand = each.every(({ epoch }) => of.has(epoch)) && known.now_us() - asked_us < took_us / ASKING_SHARE
  if (stand && !fresh) return known.scopes
  const from_us = known.now_us()
  const said = await Promise.all(each.map((active) => valuesOf(known, active)))
  return { of: new Map(said), asked_us: from_us, took_us: known.now_us() - from_us }
}

const statesOf = async (known: Known, fresh: boolean): Promise<readonly BudgetState[]> => {
  const all = activeOf(known.inForce)
  known.scopes = await scopesOf(known, all.filter(hasEach), fresh)
  const reserved = known.own.reserved()
  const counted = (active: Active): Values => {
    const values = hasEach(active) ? (known.scopes.of.get(active.epoch) ?? []) : WHOLE
    return values.length === 0 ? nobody(active) : values
  }
  return all.flatMap((active) =>
    counted(active)
      .map((values) => standing(known, active, values, reserved))
      .sort((one, other) => other.share - one.share)
      .slice(0, MOST_SHOWN),
  )
}

const gaugesOf = (known: Known): Record<string, number> => {
  const gauges: Record<string, number> = {}
  const reserved = known.own.reserved()
  for (const active of activeOf(known.inForce).filter((one) => !hasEach(one))) {
    const state = standing(known, active, [], reserved)
    const labels = `{budget="${state.budget}",unit="${state.unit}"}`
    gauges[`weir_budget_limit${labels}`] = Number(state.limit)
    if (!state.counted) continue
    gauges[`weir_budget_spent${labels}`] = Number(state.spent)
    gauges[`weir_budget_reserved${labels}`] = Number(state.reserved)
  }
  return gauges
}

/** What imports and corrections add is charged as the difference that they make: live receipts are not looked at. */
const importing = async <T>(known: Known, act: () => Promise<T>): Promise<T> => {
  const active = activeOf(known.inForce)
  const before: (readonly Sum[])[] = []
  for (const one of active) before.push(await sumsOf(known, one, { imported: true }))
  const done = await act()
  for (const [at, one] of active.entries()) {
    seed(known, one, await sumsOf(known, one, { imported: true }))
    seed(known, one, before[at] ?? [], -1n)
  }
  return done
}

/** Opens the desk; no budget is in force yet. */
export const openDesk = ({ settings, now_us, log, threads = NO_THREADS }: DeskOptions): Desk => {
  const memory = { table: tableMemory(), lanes: inFlightMemory(settings.threads + 1) }
  const { unpriced_ceiling: ceiling, reserve_output_tokens } = settings
  const own = openBudgets({ memory, lane: MAIN_LANE, ceiling, reserve_output_tokens, now_us })
  const turn = inTurn()
  let epoch = 0
  const nextEpoch = () => ++epoch
  const inForce: BudgetsInForce = { generation: 0, budgets: [] }
  const none = { scopes: NO_SCOPES, counting: undefined }
  const known: Known = { settings, now_us, log, own, threads, inForce, ...none }
  own.set(inForce)
  const timer = setInterval(() => {
    own.sweep()
    if (typeof known.counting === 'object') void turn(() => recount(known, nextEpoch, hasFailed))
  }, SWEEP_EVERY_MS)
  timer.unref()
  // What has left a rolling window comes into it again then, and its counter would let it go at once.
  const wasSetBack = setBack(now_us)
  const clock = setInterval(() => {
    if (wasSetBack()) void turn(() => recount(known, nextEpoch, isRolling))
  }, CLOCK_EVERY_MS)
  clock.unref()
  return {
    memory,
    inForce: () => known.inForce,
    begin: (counting = 'no-ledger') =>
      turn(async () => {
        known.counting = counting
        await recount(known, nextEpoch, hasFailed)
        await count(known)
      }),
    fail: () =>
      turn(async () => {
        known.counting = 'lost'
        await count(known)
      }),
    change: (changed) =>
      turn(() => {
        known.inForce = next(known.inForce, changed, nextEpoch)
        return count(known)
      }),
    importing: (act) => turn(() => importing(known, act)),
    bury(lane, recover) {
      const held = own.heldBy(lane)
      recover({ wants: (id) => held.has(id), told: own.spend })
      own.bury(lane)
    },
    states: () => statesOf(known, true),
    glance: () => statesOf(known, false),
    gauges: () => gaugesOf(known),
    close() {
      clearInterval(timer)
      clearInterval(clock)
    },
  }
}
