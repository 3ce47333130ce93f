import { defineCommand } from 'citty'
import { WeirError } from '../core/errors.ts'
import { folderArgs, now_us } from './asking.ts'
import { create } from './keys/create.ts'
import { keyState, renderKeys } from './keys/list.ts'
import { providerKeys } from './keys/provider.ts'
import { withStore } from './keys/vault.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'The keys that there are, with what they fix and may do; never a token.' },
    args: folderArgs,
    run: ({ args }) =>
      withStore(args, async (store) => {
        const keys = await store.keys.list()
        if (!args.json) return print(renderKeys(keys, now_us(), lookOf()))
        printJson(
          keys.map(({ hash: _, ...shown }) => ({ ...shown, state: keyState({ ...shown, hash: '' }, now_us()) })),
        )
      }),
  }),
  examples: [['weir keys list', 'all keys']],
} as const

const revoke = {
  ...defineCommand({
    meta: { name: 'revoke', description: 'Take a key back, for good. A running gateway refuses it within a second.' },
    args: { id: { type: 'positional', required: true, description: 'The key’s id or name' }, ...folderArgs },
    run: ({ args }) =>
      withStore(args, async (store) => {
        const keys = await store.keys.list()
        const found = keys.filter(({ id, name }) => id === args.id || name === args.id)
        const live = found.filter((key) => keyState(key, now_us()) !== 'revoked')
        const [key] = live
        if (live.length > 1) {
          throw new WeirError(
            'bad-input',
            `${live.length} keys are named ${args.id}; name one by its id: ${live.map(({ id }) => id).join(', ')}`,
          )
        }
        if (key === undefined) {
          const why = found.length > 0 ? 'was revoked before' : 'is not there; weir keys list shows all'
          throw new WeirError('not-found', `the key ${args.id} ${why}`)
        }
        await store.keys.revoke(key.id, now_us())
        if (args.json) printJson({ id: key.id, revoked: true })
        else print(`The key ${key.name} (${key.id}) is revoked.`)
      }),
  }),
  examples: [['weir keys revoke search-api', 'by name']],
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'keys',
      description: 'Keys of the gateway, which fix who pays and what may be called, and the sealed keys of providers.',
    },
    subCommands: { create, list, revoke, provider: providerKeys },
  }),
  examples: [
    ['weir keys create --name search-api --team search', 'a key that charges one team'],
    ['weir keys list', 'which there are'],
    ['weir keys revoke search-api', 'take it back'],
    ['weir keys provider set openai < key.txt', 'keep a provider’s key, sealed'],
  ],
} as const
