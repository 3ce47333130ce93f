import { type BudgetState, EACH } from '../../core/budget.ts'
import { type Active, activeOf } from './active.ts'
import { type Known, type Scopes, sumsOf, type Values } from './counting.ts'
import { stateOf } from './states.ts'

/**
 * Which scopes budgets with a counter for each value have, only the ledger knows. Who looks every few seconds has it asked for no
 * more than this part of the time: of ten million receipts the answer takes seconds.
 */
const ASKING_SHARE = 0.01
/** Of a budget with a counter for each value, so many are shown. */
const MOST_SHOWN = 100

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
export const NO_SCOPES: Scopes = { of: new Map(), asked_us: 0, took_us: 0 }

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

export const statesOf = async (known: Known, fresh: boolean): Promise<readonly BudgetState[]> => {
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

export const gaugesOf = (known: Known): Record<string, number> => {
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
