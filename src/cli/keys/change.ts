import { defineCommand } from 'citty'
import { WeirError } from '../../core/errors.ts'
import { verb as changeKey } from '../../verbs/keys-change.ts'
import { perform } from '../../verbs/perform.ts'
import { folderArgs, revisionArg } from '../asking.ts'
import { withContext } from '../calling.ts'
import { lookOf } from '../show/look.ts'
import { print, printJson } from '../show/output.ts'
import { scopeArgs, scopesOf } from './create.ts'
import { renderKeys } from './list.ts'

export const change = {
  ...defineCommand({
    meta: {
      name: 'change',
      description: 'Change the scopes of a key or when it expires. What is not named stays; all removes a limit.',
    },
    args: {
      id: { type: 'positional', required: true, description: 'The key’s id or name' },
      name: { type: 'string', description: 'Another name' },
      ...scopeArgs,
      expires: { type: 'string', valueHint: 'TIME', description: 'When it ends: 90d, 2027-01-01, or never' },
      ...revisionArg,
      ...folderArgs,
    },
    run: ({ args }) =>
      withContext(args, 'weir keys change', async (context) => {
        const { id, name, expires, revision } = args
        const changes = { name, expires, ...scopesOf(args) }
        if (Object.values(changes).every((value) => value === undefined))
          throw new WeirError(
            'bad-input',
            'nothing is to be changed: name --models, --providers, --endpoints, --expires or --name',
          )
        const key = await perform(changeKey, { id, ...changes, revision }, context)
        if (args.json) printJson(key)
        else print(renderKeys([key], lookOf()))
      }),
  }),
  examples: [
    ['weir keys change search-api --endpoints chat,embeddings', 'nothing else from now on'],
    ['weir keys change search-api --expires 30d', 'it ends in a month'],
  ],
} as const
