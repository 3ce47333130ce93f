import { defineCommand } from 'citty'
import type { Dimension, Filter, Ledger, SpendRow } from '../core/ledger.ts'
import {
  dimensionOf,
  filtersOf,
  folderArgs,
  type NamedWindow,
  nothingFound,
  type WindowFlags,
  windowArgs,
  windowOf,
  withLedger,
} from './asking.ts'
import { withStore } from './keys/vault.ts'
import { countFlag } from './numbers.ts'
import { csvColumns, isDate } from './report/columns.ts'
import { askPer } from './report/per.ts'
import { type Report, renderReport, type Section } from './report/render.ts'
import { perColumns, renderPer } from './report/render-per.ts'
import { lookOf } from './show/look.ts'
import { print, printCsv, printJson } from './show/output.ts'

const usual: readonly (readonly Dimension[])[] = [['team'], ['model'], ['feature']]
const day_us = 86_400_000_000

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
export const askReport = async (ledger: Ledger, question: ReportQuestion): Promise<Report> => {
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

const sectionsOf = (by: string | undefined): readonly (readonly Dimension[])[] =>
  by === undefined ? usual : [by.split(',').map((name) => dimensionOf(name.trim(), '--by'))]

const usualLimit = (machine: boolean, sections: readonly (readonly Dimension[])[]): number => {
  if (machine) return 10_000
  return sections[0]?.some(isDate) ? 400 : 15
}

const show = async (report: Report, ledger: Ledger, filters: readonly Filter[]): Promise<void> => {
  if (report.total.attempts > 0) return print(renderReport(report, lookOf()))
  print(nothingFound(await ledger.query({ ask: 'extent' }), report.window, filters.length > 0))
}

const args = {
  by: {
    type: 'string',
    valueHint: 'NAMES',
    description:
      'What to group by, several with commas: team, feature, customer, user, environment, model, model_asked, provider, endpoint, wire, day, hour, month, key_id, session, agent, service_tier, outcome, origin, tag:NAME',
  },
  per: {
    type: 'string',
    valueHint: 'OUTCOME',
    description: 'Cost of an outcome, e.g. resolved_ticket (weir outcomes): shared costs included, with token yield',
  },
  ...windowArgs,
  limit: { type: 'string', valueHint: 'N', description: 'Rows at most (15; dates 400; CSV and JSON 10000)' },
  csv: { type: 'boolean', description: 'Print the rows as CSV' },
  ...folderArgs,
} as const

type Flags = Readonly<{ per: string; by?: string | undefined; json?: boolean | undefined; csv?: boolean | undefined }> &
  WindowFlags

const reportPer = async (flags: Flags, filters: readonly Filter[], ledger: Ledger, data: string): Promise<void> => {
  const window = await windowOf(flags, '30d', ledger)
  const question = { kind: flags.per, by: flags.by, window, filters }
  const report = await withStore({ data }, (store) => askPer(ledger, store, question))
  if (flags.csv) printCsv(report.rows, perColumns(report.by))
  else if (flags.json) printJson(report)
  else print(renderPer(report, window, lookOf()))
}

export const command = {
  ...defineCommand({
    meta: {
      name: 'report',
      description:
        'Where the money goes: spend by team, feature, customer, model and more, input and output apart, with its trend.',
    },
    args,
    run: ({ args, rawArgs }) => {
      const filters = filtersOf(rawArgs)
      const { per } = args
      if (per !== undefined)
        return withLedger(args, 'weir report', (ledger, data) => reportPer({ ...args, per }, filters, ledger, data))
      // A CSV is one table, so its usual view is all three dimensions at once.
      const sections = args.csv && args.by === undefined ? [usual.flat()] : sectionsOf(args.by)
      const limit = countFlag('--limit', args.limit, usualLimit(args.json === true || args.csv === true, sections))
      return withLedger(args, 'weir report', async (ledger) => {
        const window = await windowOf(args, '30d', ledger)
        const report = await askReport(ledger, { window, sections, filters, limit })
        if (args.csv) printCsv(report.sections[0]?.rows ?? [], csvColumns(sections[0] ?? []))
        else if (args.json) printJson(report)
        else await show(report, ledger, filters)
      })
    },
  }),
  examples: [
    ['weir report', 'the last 30 days by team, model and feature'],
    ['weir report --by day --since month', 'this month, day by day'],
    ['weir report --by team,feature --where model=gpt-5.5', 'who uses one model for what'],
    ['weir report --per resolved_ticket --by team', 'what a resolved ticket costs each team'],
    ['weir report --by customer --since 2026-10 --until 2026-11 --csv > october.csv', 'a month for the books'],
  ],
} as const
