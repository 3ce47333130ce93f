import type { Ledger } from '../../core/ledger.ts'
import type { Settings } from '../../core/settings.ts'
import type { Log } from '../log.ts'
import { type Active, activeOf, type BudgetsInForce, type InForce } from './active.ts'
import type { Budgets } from './budgets.ts'
import { countCharged, type Sum } from './count.ts'

/** The gateway threads as far as budgets go. */
export type Threads = Readonly<{ setBudgets(inForce: BudgetsInForce): Promise<readonly string[]> }>

/** Where spend is counted again: the ledger, and the way to bring everything into it that was written so far. */
export type Counting = Readonly<{ ledger: Pick<Ledger, 'query'>; refresh: () => Promise<unknown> }>

export type Values = readonly (readonly string[])[]

/** The scopes of budgets by epoch, as the ledger said them, and how long it took to say so. */
export type Scopes = Readonly<{ of: ReadonlyMap<number, Values>; asked_us: number; took_us: number }>

/** What the desk knows, and what it changes. */
export type Known = {
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

export const sumsOf = ({ counting, settings, now_us }: Known, active: Active, which: Which): Promise<readonly Sum[]> =>
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
export const count = async (known: Known): Promise<void> => {
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

export const hasFailed = ({ state }: InForce): boolean => state === 'failed'
export const isRolling = ({ budget: { window } }: InForce): boolean => 'last_us' in window

/** Counts some budgets again, in other counters: what was added to those stands in the ledger too. */
export const recount = async (
  known: Known,
  newEpoch: () => number,
  which: (one: InForce) => boolean,
): Promise<void> => {
  const { generation, budgets } = known.inForce
  if (known.counting === undefined || !budgets.some(which)) return
  const anew = budgets.map((one): InForce => (which(one) ? { ...one, epoch: newEpoch(), state: 'counting' } : one))
  known.inForce = { generation: generation + 1, budgets: anew }
  await count(known)
}

/** What imports and corrections add is charged as the difference that they make: live receipts are not looked at. */
export const importing = async <T>(known: Known, act: () => Promise<T>): Promise<T> => {
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
