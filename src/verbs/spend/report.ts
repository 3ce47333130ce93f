import { DAY_US } from '../../core/date.ts'
import type { Dimension, Filter } from '../../core/dimension.ts'
import type { KeyNames } from '../../core/key-names.ts'
import type { Answers, SpendRow } from '../../core/ledger.ts'
import { parseUsd } from '../../core/money.ts'
import { foremostMovers, type Move, type Mover } from '../../playbook/allocate/movers.ts'
import { costPer } from '../../playbook/allocate/unit-cost/unit-cost.ts'
import type { NamedWindow } from '../asking/window.ts'
import type { Asking } from '../verb.ts'

/** A row of spend with what one of its calls costs, decimal US dollars; null where nobody knows. */
export type ReportRow = SpendRow & Readonly<{ cost_per_call_usd: string | null }>

export type Section = Readonly<{ by: readonly Dimension[]; rows: readonly ReportRow[]; more: number }>

/** Everything a report shows; the same for the terminal, JSON and the demo. */
export type Report = Readonly<{
  window: NamedWindow
  total: ReportRow
  sections: readonly Section[]
  /** What moved most against the window before, among all groups of the sections by one name; none where nothing was spent then. */
  movers: readonly Mover[]
  /** Whose price nobody knows: the total lacks what they cost. Most calls first. */
  unpriced: readonly Unpriced[]
  /** What people call the keys in the rows, by id; where it is by key. */
  key_names?: KeyNames
}>

type Counted = Pick<SpendRow, 'cost_usd' | 'calls' | 'unpriced_calls' | 'unmetered_calls'>

/** What a call costs on average, rounded half up to the picodollar, of those whose cost is known; null where there is none. */
export const costPerCall = ({ cost_usd, calls, unpriced_calls, unmetered_calls }: Counted): string | null =>
  costPer(parseUsd(cost_usd), calls - unpriced_calls - unmetered_calls)

const withCall = (row: SpendRow): ReportRow => ({ ...row, cost_per_call_usd: costPerCall(row) })

type Unpriced = Readonly<{ provider: string | null; model: string | null; calls: number }>

/** So many rows that no model is missed: those without a price cost nothing as far as anybody knows, and come last. */
const ALL_MODELS = 10_000

/** Is it a stretch of time? Those read downwards, and have no window before. */
export const isDate = (dimension: Dimension): boolean =>
  dimension === 'day' || dimension === 'hour' || dimension === 'month'

/** One slice a day, thirty at most, or twenty-four where the window is short. */
const slicesOf = ({ window }: NamedWindow): number => {
  const days = (window.to_us - window.from_us) / DAY_US
  return days <= 2 ? 24 : Math.min(30, Math.ceil(days))
}

/** Dates read downwards; everything else by cost, as the ledger answers. */
const ordered = (rows: readonly SpendRow[], by: readonly Dimension[]): readonly SpendRow[] => {
  const date = by.find(isDate)
  if (date === undefined) return rows
  return rows.toSorted((one, other) => (one.group[date] ?? '').localeCompare(other.group[date] ?? ''))
}

export type ReportQuestion = Readonly<{
  window: NamedWindow
  sections: readonly (readonly Dimension[])[]
  filters: readonly Filter[]
  limit: number
}>

const unpricedIn = async (ledger: Asking, { window, filters }: ReportQuestion): Promise<readonly Unpriced[]> => {
  const group_by = ['provider', 'model'] as const
  const { rows } = await ledger.query({ ask: 'spend', window: window.window, filters, group_by, limit: ALL_MODELS })
  return rows
    .filter(({ unpriced_calls }) => unpriced_calls > 0)
    .map(({ group, unpriced_calls }) => ({
      provider: group['provider'] ?? null,
      model: group['model'] ?? null,
      calls: unpriced_calls,
    }))
    .toSorted((one, other) => other.calls - one.calls)
}

type Answer = Answers['spend']

/** So many moves of each section that a team and its only model are not all there is. */
const MOVES = 20

/** A day does not move against the same days before it, and who nobody names is no mover. */
const movesIn = (by: readonly Dimension[], { rows, movers = [] }: Answer): readonly Move[] => {
  const [only, ...more] = by
  const idle = only === undefined || more.length > 0 || isDate(only) || rows.every((row) => row.group[only] === null)
  if (idle) return []
  return movers.map(({ group, before_usd, now_usd }) => ({
    dimension: only,
    name: group[only] ?? null,
    was: parseUsd(before_usd),
    is: parseUsd(now_usd),
  }))
}

const moversIn = (question: ReportQuestion, answers: readonly Answer[], total: SpendRow): readonly Mover[] => {
  const before = parseUsd(total.previous_cost_usd ?? '0')
  if (before === 0n) return []
  const moves = answers.flatMap((answer, at) => movesIn(question.sections[at] ?? [], answer))
  return foremostMovers(moves, parseUsd(total.cost_usd) + before)
}

/** Asks the ledger for a report: one spend answer a section, compared with the window before. */
export const askReport = async (ledger: Asking, question: ReportQuestion): Promise<Report> => {
  const { window, filters, limit } = question
  const common = { ask: 'spend', window: window.window, filters, compare: true, zone: window.zone } as const
  const slices = slicesOf(window)
  const answers = await Promise.all(
    question.sections.map((group_by) => ledger.query({ ...common, group_by, limit, slices, movers: MOVES })),
  )
  const sections = answers.map(({ rows, more }, i): Section => {
    const by = question.sections[i] ?? []
    return { by, rows: ordered(rows, by).map(withCall), more }
  })
  const total = answers[0]?.total ?? (await ledger.query({ ...common, group_by: [], slices })).total
  const unpriced = total.unpriced_calls === 0 ? [] : await unpricedIn(ledger, question)
  return { window, total: withCall(total), sections, movers: moversIn(question, answers, total), unpriced }
}
