import { defineCommand } from 'citty'
import { WeirError } from '../core/errors.ts'
import type { ImportedOutcomes } from '../verbs/outcomes/bring-in.ts'
import { verb as addOutcome } from '../verbs/outcomes-add.ts'
import { verb as importOutcomes } from '../verbs/outcomes-import.ts'
import { verb as outcomeKinds } from '../verbs/outcomes-kinds.ts'
import { verb as listOutcomes } from '../verbs/outcomes-list.ts'
import { verb as removeOutcome } from '../verbs/outcomes-remove.ts'
import { perform } from '../verbs/perform.ts'
import { every, folderArgs, windowArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { countFlag } from './numbers.ts'
import { renderKinds, renderOutcomes } from './outcomes/list.ts'
import { count, plural } from './show/format.ts'
import { lookOf } from './show/look.ts'
import { note, print, printJson } from './show/output.ts'

const owners = {
  team: { type: 'string', valueHint: 'NAME', description: 'Whose outcome it is, where it is known' },
  feature: { type: 'string', valueHint: 'NAME', description: '… which feature’s' },
  customer: { type: 'string', valueHint: 'NAME', description: '… which customer’s' },
  user: { type: 'string', valueHint: 'NAME', description: '… which user’s' },
  environment: { type: 'string', valueHint: 'NAME', description: '… in which environment' },
} as const

type Owners = Partial<Record<keyof typeof owners, string | undefined>>

const ownersOf = ({ team, feature, customer, user, environment }: Owners): Owners => ({
  team,
  feature,
  customer,
  user,
  environment,
})

const add = {
  ...defineCommand({
    meta: { name: 'add', description: 'Record an outcome. The same id twice is one outcome.' },
    args: {
      kind: { type: 'positional', required: true, description: 'What happened, e.g. resolved_ticket' },
      ...owners,
      session: { type: 'string', valueHint: 'ID', description: 'The conversation or agent run that led to it' },
      count: { type: 'string', valueHint: 'N', description: 'How many (1)' },
      at: { type: 'string', valueHint: 'TIME', description: 'When (now)' },
      zone: windowArgs.zone,
      'value-usd': { type: 'string', valueHint: 'USD', description: 'What it was worth' },
      id: { type: 'string', description: 'Your own id of it, so that reporting it twice is harmless' },
      ...folderArgs,
    },
    run: ({ args }) =>
      withContext(args, 'weir outcomes add', async (context) => {
        const { kind, id, count: many, at, zone, session, 'value-usd': value_usd } = args
        const asked = { kind, id, count: many, at, zone, session, value_usd, ...ownersOf(args) }
        const { added, ...event } = await perform(addOutcome, asked, context)
        if (args.json) printJson({ ...event, added })
        else print(added ? `${count(event.count)} ${event.kind} (${event.id})` : `${event.id} was there already.`)
      }),
  }),
  examples: [
    ['weir outcomes add resolved_ticket --session s-81 --id ticket-4711', 'a ticket that a session resolved'],
    ['weir outcomes add active_user --customer acme --count 340 --at 2026-11-01', 'a count for a customer'],
  ],
} as const

const say = (file: string, done: ImportedOutcomes): void => {
  const had = done.already > 0 ? `, ${count(done.already)} were there already` : ''
  print(`${plural(done.added, 'outcome')} brought in from ${file}${had}`)
  for (const { line, why } of done.bad_rows) note(`  line ${line}: ${why}`)
  if (done.bad > done.bad_rows.length) note(`  and ${count(done.bad - done.bad_rows.length)} more`)
  for (const id of done.conflicts.slice(0, 10)) note(`  ${id} is there with other content, which stays`)
}

const importCommand = {
  ...defineCommand({
    meta: { name: 'import', description: 'Import outcomes from a CSV file; importing it twice changes nothing.' },
    args: {
      file: { type: 'positional', required: true, description: 'CSV with a line of column names' },
      columns: {
        type: 'string',
        valueHint: 'FIELD=COLUMN,…',
        description:
          'The column that holds a field: id, kind, count, at, team, feature, customer, user, environment, session, value_usd; by default the column of that name',
      },
      kind: { type: 'string', valueHint: 'NAME', description: 'What happened, where the file does not say' },
      ...owners,
      zone: windowArgs.zone,
      ...folderArgs,
    },
    run: ({ args, rawArgs }) =>
      withContext(args, 'weir outcomes import', async (context) => {
        const { file, kind, zone } = args
        const asked = { file, columns: every(rawArgs, 'columns'), kind, zone, ...ownersOf(args) }
        const done = await perform(importOutcomes, asked, context)
        if (args.json) printJson(done)
        else say(args.file, done)
        if (done.bad > 0 && done.added + done.already === 0)
          throw new WeirError('bad-input', `no row of ${args.file} could be read`)
      }),
  }),
  examples: [
    [
      'weir outcomes import tickets.csv --kind resolved_ticket --columns id=ticket,at=closed_at,session=conversation',
      'an export of the help desk',
    ],
  ],
} as const

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'List the kinds of outcomes, or with --kind the outcomes of one kind.' },
    args: {
      kind: { type: 'string', valueHint: 'NAME', description: 'Outcomes of this kind, one a line' },
      since: windowArgs.since,
      until: windowArgs.until,
      zone: windowArgs.zone,
      limit: { type: 'string', valueHint: 'N', description: 'The latest so many (50)' },
      ...folderArgs,
    },
    run: ({ args }) =>
      withContext(args, 'weir outcomes list', async (context) => {
        const { kind, since, until, zone } = args
        if (kind === undefined) {
          const kinds = await perform(outcomeKinds, {}, context)
          return args.json ? printJson(kinds) : print(renderKinds(kinds, lookOf()))
        }
        const limit = countFlag('--limit', args.limit, 50)
        const events = await perform(listOutcomes, { kind, since, until, zone, limit }, context)
        if (args.json) return printJson(events)
        print(events.length === 0 ? `No ${args.kind} in this window.` : renderOutcomes(events, args.zone, lookOf()))
      }),
  }),
  examples: [['weir outcomes list --kind resolved_ticket --since week', 'what came in this week']],
} as const

const remove = {
  ...defineCommand({
    meta: { name: 'remove', description: 'Remove an outcome that was recorded by mistake.' },
    args: { id: { type: 'positional', required: true, description: 'Its id' }, ...folderArgs },
    run: ({ args }) =>
      withContext(args, 'weir outcomes remove', async (context) => {
        await perform(removeOutcome, { id: args.id }, context)
        if (args.json) printJson({ id: args.id, removed: true })
        else print(`The outcome ${args.id} is gone.`)
      }),
  }),
  examples: [['weir outcomes remove ticket-4711', 'it was reopened']],
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'outcomes',
      description: 'Record business outcomes, such as resolved tickets, that spend is divided by (weir report --per).',
    },
    subCommands: { add, import: importCommand, list, remove },
  }),
  examples: [
    ['weir outcomes add resolved_ticket --session s-81', 'report one'],
    ['weir outcomes import tickets.csv --kind resolved_ticket', 'report many'],
    ['weir report --per resolved_ticket', 'what one costs'],
  ],
} as const
