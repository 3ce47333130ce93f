import type { ScopeDimension } from '../../core/budget.ts'
import type { ChargedDimension, ChargedQuestion, ChargedRow } from '../../core/charged.ts'
import type { Ledger } from '../../core/ledger.ts'
import { parseUsd } from '../../core/money.ts'
import type { Settings } from '../../core/settings.ts'
import type { Counter, Facts } from '../../playbook/allocate/budget/counter.ts'
import { valuesFor } from '../../playbook/allocate/budget/counter.ts'
import { IDLE_US, sliceLength, stretchOf } from '../../playbook/allocate/budget/period.ts'

/** What was charged to one counter, or to one slice of it, by receipts in the ledger. */
export type Sum = Readonly<{ values: readonly string[]; amount: bigint; at_us: number }>

export type CountOptions = Readonly<{
  ledger: Pick<Ledger, 'query'>
  settings: Pick<Settings, 'unpriced_ceiling' | 'reserve_output_tokens'>
  at_us: number
  /** Receipts that do not count. */
  except?: readonly string[]
  /** Only imports and corrections. */
  imported?: boolean
}>

const columns: Readonly<Record<string, ChargedDimension>> = { key: 'key_id', model: 'model_asked' }

const columnOf = (dimension: ScopeDimension): ChargedDimension => columns[dimension] ?? (dimension as ChargedDimension)

const factsOf = ({ group }: ChargedRow): Facts => {
  const facts: Record<string, string> = {}
  const tags: Record<string, string> = {}
  for (const [name, value] of Object.entries(group)) {
    if (value === null) continue
    if (name.startsWith('tag:')) tags[name.slice('tag:'.length)] = value
    else facts[name] = value
  }
  return { ...facts, tags }
}

const amountOf = ({ unit }: Counter, row: ChargedRow): bigint =>
  unit === 'usd' ? parseUsd(row.usd) : BigInt(row[unit])

const questionOf = (counter: Counter, { settings, at_us, except, imported }: CountOptions): ChargedQuestion => {
  const { window } = counter.budget
  return {
    ask: 'charged',
    window: stretchOf(window, at_us),
    by: counter.conditions.map(({ dimension }) => columnOf(dimension)),
    ceiling: settings.unpriced_ceiling,
    output_tokens: settings.reserve_output_tokens,
    ...('last_us' in window ? { slice_us: sliceLength(window.last_us) } : {}),
    ...('lifetime' in window ? { alive_since_us: at_us - IDLE_US } : {}),
    ...(except === undefined ? {} : { except }),
    ...(imported === undefined ? {} : { imported }),
  }
}

/** What the ledger holds against a counter in the period of an instant: sums by the values of `each`, and by slice. */
export const countCharged = async (counter: Counter, options: CountOptions): Promise<readonly Sum[]> => {
  const { window } = counter.budget
  const { rows } = await options.ledger.query(questionOf(counter, options))
  const sums = new Map<string, Sum>()
  for (const row of rows) {
    const values = valuesFor(counter, factsOf(row))
    if (!values) continue
    const at_us = row.slice === null || !('last_us' in window) ? options.at_us : row.slice * sliceLength(window.last_us)
    const name = JSON.stringify([values, at_us])
    sums.set(name, { values, at_us, amount: (sums.get(name)?.amount ?? 0n) + amountOf(counter, row) })
  }
  // Slices in their order: a counter turns forward only.
  return [...sums.values()].sort((one, other) => one.at_us - other.at_us)
}
