import { defineCommand } from 'citty'
import { verb as rotateKey } from '../../verbs/keys-rotate.ts'
import { perform } from '../../verbs/perform.ts'
import { folderArgs, revisionArg } from '../asking.ts'
import { withContext } from '../calling.ts'
import { lookOf } from '../show/look.ts'
import { print, printJson } from '../show/output.ts'
import { moment } from '../show/time.ts'
import { renderNewKey } from './list.ts'

export const rotate = {
  ...defineCommand({
    meta: {
      name: 'rotate',
      description:
        'Give a key a new token, shown once. The old token stays valid for a grace time; the key keeps its id and history.',
    },
    args: {
      id: { type: 'positional', required: true, description: 'The key’s id or name' },
      grace: {
        type: 'string',
        valueHint: 'SPAN',
        description: 'How long the old token stays valid: 24h, 7d; 0 ends it at once',
        default: '24h',
      },
      ...revisionArg,
      ...folderArgs,
    },
    run: ({ args }) =>
      withContext(args, 'weir keys rotate', async (context) => {
        const key = await perform(rotateKey, { id: args.id, grace: args.grace, revision: args.revision }, context)
        if (args.json) return printJson(key)
        const until = key.previous_until_us ?? 0
        const old =
          args.grace === '0' ? 'The old token is no longer good.' : `The old token is good until ${moment(until)} UTC.`
        print(`${renderNewKey(key, lookOf())}\n${old}`)
      }),
  }),
  examples: [
    ['weir keys rotate search-api', 'callers have a day to change over'],
    ['weir keys rotate search-api --grace 0', 'it leaked: the old token ends now'],
  ],
} as const
