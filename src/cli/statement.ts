import { defineCommand } from 'citty'
import { WeirError } from '../core/errors.ts'
import type { StatementReport } from '../playbook/allocate/statement/statement.ts'
import { perform } from '../verbs/perform.ts'
import { verb as statements } from '../verbs/statements.ts'
import { every, folderArgs, windowArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { note, print, printJson } from './show/output.ts'
import { formats } from './statement/formats.ts'
import { nobodyText } from './statement/statement-page.ts'

const formatOf = (name: string): ((report: StatementReport) => string) => {
  const found = Object.hasOwn(formats, name) ? formats[name]?.render : undefined
  if (found !== undefined) return found
  throw new WeirError('bad-input', `--format ${name}: use ${Object.keys(formats).join(', ')}`)
}

export const command = {
  ...defineCommand({
    meta: {
      name: 'statement',
      description:
        'Show what each owner is charged for a week or month, and why: spend and change, shared costs, forecast, unit cost, cache, waste, coverage.',
    },
    args: {
      owner: {
        type: 'string',
        valueHint: 'NAME=VALUE',
        description: 'Only this owner, e.g. team=search; may be repeated; all by default',
      },
      by: {
        type: 'string',
        valueHint: 'NAME',
        description:
          'Dimension that identifies owners: team, feature, customer, user, environment, key_id, agent, tag:NAME (team)',
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
        description: 'An owner’s monthly budget; may be repeated',
      },
      ...folderArgs,
    },
    run: ({ args, rawArgs }) => {
      const format = formatOf(args.format)
      if (args.week && args.month) throw new WeirError('bad-input', '--week and --month: ask for one of them')
      const { by, at, zone } = args
      const lists = { owner: every(rawArgs, 'owner'), budget: every(rawArgs, 'budget') }
      const asked = { ...lists, by, at, zone, every: args.month ? 'month' : 'week' }
      return withContext(args, 'weir statement', async (context) => {
        const report = await perform(statements, asked, context)
        if (args.json) return printJson(report)
        const nobody = nobodyText(report)
        const empty = report.statements.length === 0
        if (empty && args.format === 'markdown') return print(nobody)
        process.stdout.write(format(report))
        // What goes into a file stays what its name says.
        if (empty) note(nobody)
      })
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
