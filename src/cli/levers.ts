import { defineCommand } from 'citty'
import type { Lever } from '../core/lever.ts'
import type { Settings } from '../core/settings.ts'
import { folderArgs } from './asking.ts'
import { renderLevers, shownLevers } from './levers/list.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'

const load = async (flags: Readonly<{ config?: string | undefined; data?: string | undefined }>) => {
  const [{ loadSettings }, { providers }, { levers }, { inOrder }] = await Promise.all([
    import('../config.ts'),
    import('../providers/index.ts'),
    import('../playbook/levers.ts'),
    import('../playbook/order.ts'),
  ])
  const given = { config: flags.config, data: flags.data }
  const settings: Settings = loadSettings({ cwd: process.cwd(), env: process.env, flags: given, providers })
  const ordered: readonly Lever[] = inOrder(levers)
  return shownLevers(ordered, settings.policies)
}

export const command = {
  ...defineCommand({
    meta: {
      name: 'levers',
      description: 'List the levers, their settings, and where each is off, observed or on.',
    },
    args: {
      settings: { type: 'boolean', description: 'With every setting: what it takes, and what it is by default' },
      ...folderArgs,
    },
    async run({ args }) {
      const shown = await load(args)
      if (args.json) printJson(shown)
      else print(renderLevers(shown, { settings: args.settings ?? false }, lookOf()))
    },
  }),
  examples: [
    ['weir levers', 'what is in force'],
    ['weir levers --settings', 'the reference'],
  ],
} as const
