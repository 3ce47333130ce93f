import { defineCommand } from 'citty'
import { WeirError } from '../core/errors.ts'
import { reloadAt } from '../gateway/reach.ts'
import type { Reloaded } from '../gateway/reload.ts'
import { folderArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { type Look, lookOf, paint } from './show/look.ts'
import { print, printJson } from './show/output.ts'

/** Which settings have changed, and since when they hold. */
export const renderReloaded = ({ in_force, next_start }: Reloaded, look: Look): string => {
  const colours = paint(look)
  if (in_force.length + next_start.length === 0) return 'Nothing has changed: the settings are those that are in force.'
  return [
    ...(in_force.length > 0 ? [colours.green(`In force for every call from now on: ${in_force.join(', ')}.`)] : []),
    ...(next_start.length > 0
      ? [colours.yellow(`From the next start of the gateway only: ${next_start.join(', ')}.`)]
      : []),
  ].join('\n')
}

export const command = {
  ...defineCommand({
    meta: {
      name: 'reload',
      description: 'Let the running gateway read weir.yaml and stored provider keys anew. Calls under way go on.',
    },
    args: folderArgs,
    run: ({ args }) =>
      withContext(args, 'weir reload', async ({ data }) => {
        const reloaded = await reloadAt(data)
        if (!reloaded)
          throw new WeirError('not-found', `no gateway runs on ${data}: weir serve reads weir.yaml as it starts`)
        if (args.json) printJson(reloaded)
        else print(renderReloaded(reloaded, lookOf()))
      }),
  }),
  examples: [['weir reload', 'after a change of weir.yaml, or weir keys provider']],
} as const
