import { defineCommand } from 'citty'
import type { Lever } from '../core/lever.ts'
import type { Practice } from '../core/practice.ts'
import type { Settings } from '../core/settings.ts'
import { hasLedger } from '../verbs/data.ts'
import {
  type FolderFlags,
  filtersOf,
  folderArgs,
  folderOf,
  type WindowFlags,
  windowArgs,
  windowOf,
  withLedger,
} from './asking.ts'
import { renderLevers, shownLevers } from './levers/list.ts'
import { lookOf } from './show/look.ts'
import { note, print, printJson } from './show/output.ts'

type Flags = FolderFlags & WindowFlags

/** What levers did in the window; undefined where there is no ledger yet. */
const practised = async (flags: Flags, rawArgs: readonly string[]): Promise<Practice | undefined> => {
  const data = folderOf(flags)
  if (!hasLedger(data)) {
    note(`There is no ledger in ${data} yet, so nothing is known of what they saved.`)
    return undefined
  }
  return withLedger(flags, 'weir levers', async (ledger) => {
    const { window } = await windowOf(flags, '30d', ledger)
    return ledger.query({ ask: 'practice', window, filters: filtersOf(rawArgs) })
  })
}

const load = async (flags: Flags, rawArgs: readonly string[]) => {
  const [{ loadSettings }, { providers }, { levers }, { inOrder }] = await Promise.all([
    import('../config.ts'),
    import('../providers/index.ts'),
    import('../playbook/levers.ts'),
    import('../playbook/order.ts'),
  ])
  const given = { config: flags.config, data: flags.data }
  const settings: Settings = loadSettings({ cwd: process.cwd(), env: process.env, flags: given, providers })
  const ordered: readonly Lever[] = inOrder(levers)
  return shownLevers(ordered, settings.policies, await practised(flags, rawArgs))
}

export const command = {
  ...defineCommand({
    meta: {
      name: 'levers',
      description: 'List the levers, where each is off, observed or on, what each has saved, and their settings.',
    },
    args: {
      settings: { type: 'boolean', description: 'With every setting: what it takes, and what it is by default' },
      ...windowArgs,
      ...folderArgs,
    },
    async run({ args, rawArgs }) {
      const shown = await load(args, rawArgs)
      if (args.json) printJson(shown)
      else print(renderLevers(shown, { settings: args.settings ?? false }, lookOf()))
    },
  }),
  examples: [
    ['weir levers', 'what is in force, and what it saved in the last 30 days'],
    ['weir levers --since week --where team=search', 'what it saved one team this week'],
    ['weir levers --settings', 'the reference'],
  ],
} as const
