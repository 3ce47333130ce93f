import { defineCommand } from 'citty'
import { type KeyNames, namesOf } from '../core/key-names.ts'
import { verb as listBudgets } from '../verbs/budgets-list.ts'
import { verb as removeBudget } from '../verbs/budgets-remove.ts'
import { verb as showBudget } from '../verbs/budgets-show.ts'
import { hasLedger, hasStore } from '../verbs/data.ts'
import { perform } from '../verbs/perform.ts'
import type { Context } from '../verbs/verb.ts'
import { folderArgs, revisionArg } from './asking.ts'
import { renderBudget, renderBudgets, writtenText } from './budgets/render.ts'
import { set } from './budgets/set.ts'
import { withContext } from './calling.ts'
import { lookOf } from './show/look.ts'
import { note, print, printJson } from './show/output.ts'

/** Budgets of weir.yaml stand before there is a store. */
const keyNames = async (context: Context): Promise<KeyNames> =>
  namesOf(hasStore(context.data) ? await (await context.store()).keys.list() : [])

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'List every budget with what is spent, reserved and left, and when it resets.' },
    args: folderArgs,
    run: ({ args }) =>
      withContext(args, 'weir budgets list', async (context) => {
        const states = await perform(listBudgets, {}, context)
        if (args.json) printJson(states)
        else print(renderBudgets(states, await keyNames(context), lookOf()))
        if (!hasLedger(context.data)) note(`There is no ledger in ${context.data} yet, so nothing is spent.`)
      }),
  }),
  examples: [['weir budgets list', 'how much is left']],
} as const

const show = {
  ...defineCommand({
    meta: { name: 'show', description: 'Show one budget, counter by counter.' },
    args: { name: { type: 'positional', required: true, description: 'Its name' }, ...folderArgs },
    run: ({ args }) =>
      withContext(args, 'weir budgets show', async (context) => {
        const sight = await perform(showBudget, { name: args.name }, context)
        if (args.json) printJson(sight)
        else if (sight.counters.length === 0)
          print(`Nothing is counted for the budget ${args.name} yet. ${writtenText(sight)}`)
        else print(`${renderBudget(sight.counters, await keyNames(context), lookOf())}\n\n${writtenText(sight)}`)
      }),
  }),
  examples: [['weir budgets show search', 'of one team']],
} as const

const remove = {
  ...defineCommand({
    meta: { name: 'remove', description: 'Remove a budget. Its spend stays in the ledger.' },
    args: { name: { type: 'positional', required: true, description: 'Its name' }, ...revisionArg, ...folderArgs },
    run: ({ args }) =>
      withContext(args, 'weir budgets remove', async (context) => {
        const { name, revision } = args
        const removed = await perform(removeBudget, { name, revision }, context)
        if (args.json) printJson(removed)
        else print(`The budget ${args.name} is taken away.`)
      }),
  }),
  examples: [['weir budgets remove search', 'by name']],
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'budgets',
      description: 'Manage budgets: limits on spend, tokens or calls, and how much of each is left.',
    },
    subCommands: { list, show, set, remove },
  }),
  examples: [
    ['weir budgets list', 'how much is left'],
    ['weir budgets set search --scope team=search --usd 50 --per day', 'make one'],
    ['weir budgets remove search', 'take it away'],
  ],
} as const
