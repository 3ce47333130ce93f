import type { Dimension, Filter, SpendRow } from '../../core/ledger.ts'
import type { NamedWindow } from '../asking/window.ts'
import type { Asking } from '../verb.ts'

export type Section = Readonly<{ by: readonly Dimension[]; rows: readonly SpendRow[]; more: number }>

/** Everything a report shows; the same for the terminal, JSON and the demo. */
export type Report = Readonly<{ window: NamedWindow; total: SpendRow; sections: readonly Section[] }>

const day_us = 86_400_000_000

/** Is it a stretch of time? Those read downwards, and have no window before. */
export const isDate = (dimension: Dimension): boolean =>
  dimension === 'day' || dimension === 'hour' || dimension === 'month'

/** One slice a day, or twenty-four where the window is short. */
const slicesOf = ({ window }: NamedWindow): number => {
  const days = (window.to_us - window.from_us) / day_us
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

/** Asks the ledger for a report: one spend answer a section, compared with the window before. */
export const askReport = async (ledger: Asking, question: ReportQuestion): Promise<Report> => {
  const { window, filters, limit } = question
  const common = { ask: 'spend', window: window.window, filters, compare: true, zone: window.zone } as const
  const slices = slicesOf(window)
  const answers = await Promise.all(
    question.sections.map((group_by) => ledger.query({ ...common, group_by, limit, slices })),
  )
  const sections = answers.map(({ rows, more }, i): Section => {
    const by = question.sections[i] ?? []
    return { by, rows: ordered(rows, by), more }
  })
  const total = answers[0]?.total ?? (await ledger.query({ ...common, group_by: [], slices })).total
  return { window, total, sections }
}
