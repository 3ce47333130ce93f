import { defineCommand } from 'citty'
import { verb as listKeys } from '../verbs/keys-list.ts'
import { verb as revokeKey } from '../verbs/keys-revoke.ts'
import { perform } from '../verbs/perform.ts'
import { folderArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { change } from './keys/change.ts'
import { create } from './keys/create.ts'
import { renderKeys } from './keys/list.ts'
import { providerKeys } from './keys/provider.ts'
import { rotate } from './keys/rotate.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'List the keys with their payer and their scopes; tokens are never shown.' },
    args: folderArgs,
    run: ({ args }) =>
      withContext(args, 'weir keys list', async (context) => {
        const keys = await perform(listKeys, {}, context)
        if (args.json) printJson(keys)
        else print(renderKeys(keys, lookOf()))
      }),
  }),
  examples: [['weir keys list', 'all keys']],
} as const

const revoke = {
  ...defineCommand({
    meta: { name: 'revoke', description: 'Revoke a key for good. A running gateway refuses it at once.' },
    args: { id: { type: 'positional', required: true, description: 'The key’s id or name' }, ...folderArgs },
    run: ({ args }) =>
      withContext(args, 'weir keys revoke', async (context) => {
        const { id, name, revoked } = await perform(revokeKey, { id: args.id }, context)
        if (args.json) printJson({ id, revoked })
        else print(`The key ${name} (${id}) is revoked.`)
      }),
  }),
  examples: [['weir keys revoke search-api', 'by name']],
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'keys',
      description: 'Manage gateway keys, which fix who pays and what may be called, and the sealed keys of providers.',
    },
    subCommands: { create, list, change, rotate, revoke, provider: providerKeys },
  }),
  examples: [
    ['weir keys create --name search-api --team search', 'a key that charges one team'],
    ['weir keys list', 'which there are'],
    ['weir keys rotate search-api', 'a new token, the old one good for a day'],
    ['weir keys revoke search-api', 'take it back'],
    ['weir keys provider set openai < key.txt', 'keep a provider’s key, sealed'],
  ],
} as const
