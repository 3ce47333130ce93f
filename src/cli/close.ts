import { defineCommand } from 'citty'
import { verb as close } from '../verbs/close.ts'
import { verb as listCloses } from '../verbs/closes-list.ts'
import { verb as verifyCloses } from '../verbs/closes-verify.ts'
import { perform } from '../verbs/perform.ts'
import { folderArgs, windowArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { exactMoney, plural } from './show/format.ts'
import { lookOf } from './show/look.ts'
import { note, print, printJson } from './show/output.ts'
import { table } from './show/table.ts'
import { day } from './show/time.ts'

const byArg = {
  by: { type: 'string', valueHint: 'NAME', description: 'Who the owners are, as for weir statement', default: 'team' },
} as const

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'List the closed months.' },
    args: folderArgs,
    run: ({ args }) =>
      withContext(args, 'weir close list', async (context) => {
        const months = await perform(listCloses, {}, context)
        if (args.json) return printJson(months)
        if (months.length === 0) return print('No month is closed. Close one with: weir close 2026-10')
        print(
          table(
            months,
            [
              { head: 'month', cell: ({ month }) => month },
              { head: 'by', cell: ({ by }) => by },
              { head: 'zone', cell: ({ zone }) => zone, drop: 3 },
              { head: 'closed on', cell: ({ closed_at_us }) => day(closed_at_us) },
              { head: 'spend', cell: ({ total_usd }) => exactMoney(total_usd), align: 'right' },
              { head: 'corrections', cell: ({ corrections_usd }) => exactMoney(corrections_usd), align: 'right' },
              { head: 'charged', cell: ({ charge_usd }) => exactMoney(charge_usd), align: 'right' },
              { head: 'SHA-256', cell: ({ sha256 }) => sha256.slice(0, 16), drop: 1 },
            ],
            lookOf(),
          ),
        )
      }),
  }),
  examples: [['weir close list', 'what was handed out']],
} as const

const verify = {
  ...defineCommand({
    meta: { name: 'verify', description: 'Verify that no closed month has changed since.' },
    args: folderArgs,
    run: ({ args }) =>
      withContext(args, 'weir close verify', async (context) => {
        const checked = await perform(verifyCloses, {}, context)
        if (args.json) printJson(checked)
        else print(`${plural(checked.months, 'closed month')}, all as they were closed.`)
      }),
  }),
  examples: [['weir close verify', 'for the auditor']],
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'close',
      description:
        'Close a month: its statements are frozen. Later changes appear in the next month as corrections, each with its reason.',
    },
    args: {
      month: { type: 'positional', required: true, description: 'The month, e.g. 2026-10' },
      ...byArg,
      zone: windowArgs.zone,
      ...folderArgs,
    },
    subCommands: { list, verify },
    run: ({ args }) =>
      withContext(args, 'weir close', async (context) => {
        const { month, by, zone } = args
        const facts = await perform(close, { month, by, zone }, context)
        if (args.json) return printJson(facts)
        const late =
          facts.corrections_usd === '0'
            ? ''
            : `, ${exactMoney(facts.corrections_usd)} of it corrections of months before`
        const charged = `${plural(facts.owners, 'statement')}, ${exactMoney(facts.charge_usd)} charged${late}`
        if (facts.before_usd !== undefined)
          note(
            `Mind: ${exactMoney(facts.before_usd)} was spent before ${facts.month}, which is the first month closed by ${facts.by}: no close charges it.`,
          )
        print(`${facts.month} is closed by ${facts.by}: ${charged}.\nSHA-256 ${facts.sha256}`)
      }),
  }),
  examples: [
    ['weir close 2026-10', 'when October’s books are done'],
    ['weir statement --month --at 2026-10', 'the closed statements, as they were'],
    ['weir close verify', 'nothing was changed since'],
  ],
} as const
