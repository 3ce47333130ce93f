import { defineCommand } from 'citty'
import type { Dimension } from '../core/dimension.ts'
import { verb as extent } from '../verbs/extent.ts'
import { perform } from '../verbs/perform.ts'
import { isDate, type Report } from '../verbs/spend/report.ts'
import { verb as spend } from '../verbs/spend.ts'
import { verb as unitCost } from '../verbs/unit-cost.ts'
import type { Context } from '../verbs/verb.ts'
import { every, type FolderFlags, folderArgs, nothingFound, type WindowFlags, windowArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { countFlag } from './numbers.ts'
import { csvColumns } from './report/columns.ts'
import { renderReport } from './report/render.ts'
import { perColumns, renderPer } from './report/render-per.ts'
import { plural } from './show/format.ts'
import { lookOf } from './show/look.ts'
import { checkForm, note, print, printCsv, printJson } from './show/output.ts'

const usualLimit = (machine: boolean, by: string | undefined): number => {
  if (machine) return 10_000
  return by?.split(',').some((name) => isDate(name.trim() as Dimension)) ? 400 : 15
}

const show = async (report: Report, context: Context, filtered: boolean): Promise<void> => {
  const { calls, attempts, cost_usd } = report.total
  if (calls > 0 || attempts > 0 || Number(cost_usd) !== 0) return print(renderReport(report, lookOf()))
  print(nothingFound(await perform(extent, {}, context), report.window, filtered))
}

const args = {
  by: {
    type: 'string',
    valueHint: 'NAMES',
    description:
      'Dimensions to group by, separated by commas: team, feature, customer, user, environment, model, model_asked, provider, endpoint, wire, day, hour, month, key_id, session, agent, service_tier, outcome, origin, experiment, arm, tag:NAME',
  },
  per: {
    type: 'string',
    valueHint: 'OUTCOME',
    description:
      'Cost per outcome of this kind, e.g. resolved_ticket (weir outcomes), with shared costs and token yield',
  },
  ...windowArgs,
  limit: { type: 'string', valueHint: 'N', description: 'Rows at most (15; dates 400; CSV and JSON 10000)' },
  csv: { type: 'boolean', description: 'Print the rows as CSV' },
  ...folderArgs,
} as const

type Flags = FolderFlags &
  WindowFlags &
  Readonly<{ per: string; by?: string | undefined; json?: boolean | undefined; csv?: boolean | undefined }>

const reportPer = (flags: Flags, where: readonly string[]): Promise<void> =>
  withContext(flags, 'weir report', async (context) => {
    const { per, by, since, until, zone } = flags
    const { window_name, ...report } = await perform(unitCost, { per, by, since, until, zone, where }, context)
    if (flags.csv) printCsv(report.rows, perColumns(report.by))
    else if (flags.json) printJson(report)
    else print(renderPer(report, { window: report.window, name: window_name, zone: report.zone }, lookOf()))
  })

/** The first section as CSV; what the limit left out is said beside it, as no row says it. */
const showCsv = ({ sections: [section] }: Report): void => {
  const { rows = [], by = [], more = 0 } = section ?? {}
  printCsv(rows, csvColumns(by))
  if (more > 0) note(`and ${plural(more, 'further row')}: --limit ${rows.length + more}`)
}

export const command = {
  ...defineCommand({
    meta: {
      name: 'report',
      description:
        'Report spend by team, feature, customer, model and more, with input and output kept apart, and its trend.',
    },
    args,
    run: ({ args, rawArgs }) => {
      checkForm(args)
      const where = every(rawArgs, 'where')
      const { per } = args
      if (per !== undefined) return reportPer({ ...args, per }, where)
      const { by, since, until, zone, csv, json } = args
      const limit = countFlag('--limit', args.limit, usualLimit(json === true || csv === true, by))
      return withContext(args, 'weir report', async (context) => {
        // A CSV is one table, so its usual view is all three dimensions at once.
        const report = await perform(spend, { by, since, until, zone, where, limit, together: csv === true }, context)
        if (csv) showCsv(report)
        else if (json) printJson(report)
        else await show(report, context, where.length > 0)
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
