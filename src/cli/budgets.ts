import { defineCommand } from 'citty'
import type { BudgetState } from '../core/budget.ts'
import { WeirError } from '../core/errors.ts'
import { type FolderFlags, folderArgs, now_us } from './asking.ts'
import { renderBudget, renderBudgets } from './budgets/render.ts'
import { set } from './budgets/set.ts'
import { settingsOf } from './budgets/settings.ts'
import { withStore } from './keys/vault.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'

const statesOf = async (flags: FolderFlags): Promise<readonly BudgetState[]> => {
  const { reachBudgets } = await import('../gateway/budgets/reach.ts')
  return reachBudgets(settingsOf(flags), { now_us, role: 'weir budgets' })
}

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'Every budget with what is spent, reserved and left, and when it begins anew.' },
    args: folderArgs,
    run: async ({ args }) => {
      const states = await statesOf(args)
      if (args.json) printJson(states)
      else print(renderBudgets(states, lookOf()))
    },
  }),
  examples: [['weir budgets list', 'how much is left']],
} as const

const show = {
  ...defineCommand({
    meta: { name: 'show', description: 'One budget, counter by counter.' },
    args: { name: { type: 'positional', required: true, description: 'Its name' }, ...folderArgs },
    run: async ({ args }) => {
      const states = (await statesOf(args)).filter(({ budget }) => budget === args.name)
      if (args.json) return printJson(states)
      if (states.length === 0)
        throw new WeirError('not-found', `nothing is counted for a budget ${args.name}; weir budgets list shows all`)
      print(renderBudget(states, lookOf()))
    },
  }),
  examples: [['weir budgets show search', 'of one team']],
} as const

const remove = {
  ...defineCommand({
    meta: { name: 'remove', description: 'Take a budget away. What was spent stays in the ledger.' },
    args: { name: { type: 'positional', required: true, description: 'Its name' }, ...folderArgs },
    run: ({ args }) =>
      withStore(args, async (store) => {
        if (!(await store.budgets.remove(args.name))) {
          const inFile = settingsOf(args).budgets.some(({ name }) => name === args.name)
          const why = inFile ? 'is in weir.yaml: take it out there' : 'is not there; weir budgets list shows all'
          throw new WeirError('not-found', `the budget ${args.name} ${why}`)
        }
        if (args.json) printJson({ name: args.name, removed: true })
        else print(`The budget ${args.name} is taken away.`)
      }),
  }),
  examples: [['weir budgets remove search', 'by name']],
} as const

export const command = {
  ...defineCommand({
    meta: { name: 'budgets', description: 'Who may spend how much in which time, and how much of it is left.' },
    subCommands: { list, show, set, remove },
  }),
  examples: [
    ['weir budgets list', 'how much is left'],
    ['weir budgets set search --scope team=search --usd 50 --per day', 'make one'],
    ['weir budgets remove search', 'take it away'],
  ],
} as const
