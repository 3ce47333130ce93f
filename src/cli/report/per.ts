import { nearest } from '../../config/suggest.ts'
import { WeirError } from '../../core/errors.ts'
import type { Dimension, Filter, Ledger } from '../../core/ledger.ts'
import type { Store } from '../../core/store.ts'
import { ownerOf } from '../../playbook/allocate/statement/owners.ts'
import { askUnitCost, type UnitCostReport, type UnitCostRow } from '../../playbook/allocate/unit-cost/ask.ts'
import { rulesIn } from '../../verbs/allocation/in-force.ts'
import type { NamedWindow } from '../asking.ts'

/** What both a call and an outcome can name. */
const common = ['team', 'feature', 'customer', 'user', 'environment'] as const

export type PerQuestion = Readonly<{
  kind: string
  by: string | undefined
  window: NamedWindow
  filters: readonly Filter[]
}>

const dimensionFor = (by: string | undefined): Dimension => {
  const name = by ?? 'team'
  const found = common.find((one) => one === name)
  if (found !== undefined) return found
  throw new WeirError(
    'bad-input',
    `--per with --by ${name}: an outcome knows only ${common.join(', ')}; use one of these`,
  )
}

/** Splits need every owner's spend, so a filter can only choose among the rows of an answer. */
const checkFilters = (by: string, filters: readonly Filter[]): void => {
  const other = filters.find(({ dimension }) => dimension !== by)
  if (other !== undefined)
    throw new WeirError(
      'bad-input',
      `--where ${other.dimension} with --per: only --where ${by} can choose among its rows`,
    )
}

const chosen = (row: UnitCostRow, filters: readonly Filter[]): boolean =>
  filters.every(({ values, negate }) => values.some((value) => ownerOf(value) === row.owner) !== (negate ?? false))

const checkKind = async (store: Store, kind: string): Promise<void> => {
  const kinds = (await store.outcomes.kinds()).map((one) => one.kind)
  if (kinds.includes(kind)) return
  const meant = nearest(kind, kinds)
  const known =
    kinds.length === 0 ? 'none was reported yet (weir outcomes add --help)' : `there are ${kinds.join(', ')}`
  throw new WeirError(
    'not-found',
    `--per ${kind}: no such outcome; ${meant === undefined ? known : `did you mean ${meant}?`}`,
  )
}

const SLICES = 12

/** What an outcome cost, under the rules in force. Throws WeirError `bad-input` or `not-found` naming the flag. */
export const askPer = async (ledger: Ledger, store: Store, question: PerQuestion): Promise<UnitCostReport> => {
  const by = dimensionFor(question.by)
  checkFilters(by, question.filters)
  await checkKind(store, question.kind)
  const report = await askUnitCost(ledger, {
    kind: question.kind,
    by,
    window: question.window.window,
    zone: question.window.zone,
    slices: SLICES,
    rules: await rulesIn(store),
    outcomes: (window) => store.outcomes.list(window),
  })
  return { ...report, rows: report.rows.filter((row) => chosen(row, question.filters)) }
}
