import { defineCommand } from 'citty'
import { WeirError } from '../core/errors.ts'
import type { StatementReport } from '../playbook/allocate/statement/statement.ts'
import { folderArgs, now_us, windowArgs, withLedger } from './asking.ts'
import { withStore } from './keys/vault.ts'
import { print, printJson } from './show/output.ts'
import { csvOf } from './statement/csv.ts'
import { mailOf, messageOf } from './statement/email.ts'
import { budgetsOf, checkOwners, closedReport, gather, ownersOf, periodFor } from './statement/gather.ts'

const formats: Readonly<Record<string, (report: StatementReport) => string>> = {
  markdown: (report) => `${mailOf(report).text}\n`,
  html: (report) => `${mailOf(report).html}\n`,
  email: (report) => messageOf(mailOf(report)),
  csv: csvOf,
}

const formatOf = (name: string) => {
  const found = Object.hasOwn(formats, name) ? formats[name] : undefined
  if (found !== undefined) return found
  throw new WeirError('bad-input', `--format ${name}: use ${Object.keys(formats).join(', ')}`)
}

export const command = {
  ...defineCommand({
    meta: {
      name: 'statement',
      description:
        'What each owner is charged for a week or month, and why: spend and change, shared costs, forecast, unit cost, cache, waste, coverage.',
    },
    args: {
      owner: {
        type: 'string',
        valueHint: 'NAME=VALUE',
        description: 'Only this owner, e.g. team=search, any number of times; all otherwise',
      },
      by: {
        type: 'string',
        valueHint: 'NAME',
        description: 'Who the owners are: team, feature, customer, user, environment, key_id, agent, tag:NAME (team)',
      },
      week: { type: 'boolean', description: 'A week, Monday to Sunday: the last that is over (the usual)' },
      month: { type: 'boolean', description: 'A month instead' },
      at: {
        type: 'string',
        valueHint: 'TIME',
        description: 'The week or month that holds this time: today, 2026-10, 2026-11-09',
      },
      zone: windowArgs.zone,
      format: {
        type: 'string',
        valueHint: 'NAME',
        description: 'markdown, html, email (a message file with both) or csv',
        default: 'markdown',
      },
      budget: {
        type: 'string',
        valueHint: 'OWNER=USD',
        description: 'What an owner may spend in a month, any number of times',
      },
      ...folderArgs,
    },
    run: ({ args, rawArgs }) => {
      const format = formatOf(args.format)
      const owners = ownersOf(rawArgs, args.by)
      const budgets = budgetsOf(rawArgs)
      return withLedger(args, 'weir statement', (ledger, data) =>
        withStore({ data }, async (store) => {
          const asked = { ...owners, budgets, period: await periodFor(ledger, args), now_us: now_us() }
          const report = (await closedReport(store, asked)) ?? (await gather(ledger, store, asked)).report
          checkOwners(report, owners.owners)
          if (args.json) printJson(report)
          else if (report.statements.length === 0)
            print(`Nobody spent anything from ${asked.period.name} on, nor before.`)
          else process.stdout.write(format(report))
        }),
      )
    },
  }),
  examples: [
    ['weir statement', 'every team, last week'],
    [
      'weir statement --owner team=search --month --at today --budget search=500',
      'one team, this month, against its budget',
    ],
    ['weir statement --month --format csv > october.csv', 'last month for the books'],
    ['weir statement --owner team=search --format email > search.eml', 'a mail to send on'],
  ],
} as const
