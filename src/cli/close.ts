import { defineCommand } from 'citty'
import type { ClosedMonth } from '../core/allocation.ts'
import { WeirError } from '../core/errors.ts'
import { readClosed } from '../playbook/allocate/statement/close.ts'
import { folderArgs, now_us, windowArgs, withLedger } from './asking.ts'
import { closeMonth, firstBroken } from './close/month.ts'
import { withStore } from './keys/vault.ts'
import { exactMoney, plural } from './show/format.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'
import { table } from './show/table.ts'
import { day } from './show/time.ts'
import { chargeableBy } from './statement/gather.ts'

const byArg = {
  by: { type: 'string', valueHint: 'NAME', description: 'Who the owners are, as for weir statement', default: 'team' },
} as const

const shown = (closed: ClosedMonth) => {
  const { report } = readClosed(closed)
  const { document: _, ...facts } = closed
  const { total_usd, corrections_usd, charge_usd } = report
  return { ...facts, total_usd, corrections_usd, charge_usd, owners: report.statements.length }
}

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'The months that are closed.' },
    args: folderArgs,
    run: ({ args }) =>
      withStore(args, async (store) => {
        const months = (await store.closes.list()).map(shown)
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
    meta: { name: 'verify', description: 'Check that no closed month was changed since.' },
    args: folderArgs,
    run: ({ args }) =>
      withStore(args, async (store) => {
        const all = await store.closes.list()
        const kinds = [...new Set(all.map(({ by }) => by))]
        const broken = kinds.flatMap((by) => firstBroken(all.filter((closed) => closed.by === by)) ?? [])
        const [first] = broken
        if (first !== undefined)
          throw new WeirError(
            'internal',
            `${first.month} by ${first.by} is not what was closed: its SHA-256 does not fit`,
          )
        if (args.json) printJson({ months: all.length, broken: 0 })
        else print(`${plural(all.length, 'closed month')}, all as they were closed.`)
      }),
  }),
  examples: [['weir close verify', 'for the auditor']],
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'close',
      description:
        'Close a month: its statements are kept as they are. What comes later shows up in the next month as a correction with its reason.',
    },
    args: {
      month: { type: 'positional', required: true, description: 'The month, e.g. 2026-10' },
      ...byArg,
      zone: windowArgs.zone,
      ...folderArgs,
    },
    subCommands: { list, verify },
    run: ({ args }) =>
      withLedger(args, 'weir close', (ledger, data) =>
        withStore({ data }, async (store) => {
          const by = chargeableBy(args.by, '--by')
          const closed = await closeMonth(ledger, store, { month: args.month, by, zone: args.zone, now_us: now_us() })
          const facts = shown(closed)
          if (args.json) return printJson(facts)
          print(
            `${closed.month} is closed by ${by}: ${plural(facts.owners, 'statement')}, ${exactMoney(facts.charge_usd)} charged` +
              `${facts.corrections_usd === '0' ? '' : `, ${exactMoney(facts.corrections_usd)} of it corrections of months before`}.\nSHA-256 ${closed.sha256}`,
          )
        }),
      ),
  }),
  examples: [
    ['weir close 2026-10', 'when October’s books are done'],
    ['weir statement --month --at 2026-10', 'the closed statements, as they were'],
    ['weir close verify', 'nothing was changed since'],
  ],
} as const
