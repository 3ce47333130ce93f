import { defineCommand } from 'citty'
import { hint } from '../../config/suggest.ts'
import type { Bill } from '../../core/bill.ts'
import { WeirError } from '../../core/errors.ts'
import type { Credentials } from '../../core/provider.ts'
import { sealCredentials } from '../../stores/keyring.ts'
import { folderArgs } from '../asking.ts'
import { note, print, printJson } from '../show/output.ts'
import { credentialsKey, isChannelSecret, random, withStore } from './vault.ts'

const provider = { type: 'positional', required: true, description: 'A provider’s name, e.g. openai' } as const

const fields = new Set(['api_key', 'access_key_id', 'secret_access_key', 'session_token'])

const isCredentials = (value: unknown): value is Credentials =>
  typeof value === 'object' &&
  value !== null &&
  Object.entries(value).length > 0 &&
  Object.entries(value).every(([name, inner]) => fields.has(name) && typeof inner === 'string' && inner !== '')

/** Credentials of which no half is missing. */
const whole = (credentials: Credentials): Credentials => {
  const { access_key_id, secret_access_key } = credentials
  if ((access_key_id === undefined) === (secret_access_key === undefined)) return credentials
  throw new WeirError('bad-input', 'access_key_id and secret_access_key belong together: give both')
}

/** A key as it stands, or a JSON object of credentials for a provider that needs several. Never repeated in an error. */
const readCredentials = (text: string): Credentials => {
  const given = text.trim()
  if (given === '')
    throw new WeirError('bad-input', 'no key came on standard input: pipe it in, or type it and press Enter')
  if (!given.startsWith('{')) {
    if (/\s/.test(given)) throw new WeirError('bad-input', 'the key holds spaces or several lines; give one key')
    return { api_key: given }
  }
  const refused = new WeirError('bad-input', `the JSON must hold nothing but ${[...fields].join(', ')}, each a text`)
  try {
    const value: unknown = JSON.parse(given)
    if (isCredentials(value)) return whole(value)
    // A key file of Google's is one key, and read where it is used.
    if (typeof value === 'object' && value !== null && 'type' in value && 'client_email' in value)
      return { api_key: given }
  } catch (error) {
    throw error instanceof WeirError ? error : refused
  }
  throw refused
}

/** The key as it comes through a pipe, or as it is typed (and not shown) on a terminal. */
export const standardInput = async (name: string): Promise<string> => {
  if (process.stdin.isTTY) {
    const { isCancel, password } = await import('@clack/prompts')
    const typed = await password({ message: `Key of ${name}` })
    if (isCancel(typed)) throw new WeirError('bad-input', 'nothing was changed')
    return typed
  }
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

/** Keys of bills are kept beside those of providers: `NAME-admin`, as `weir reconcile NAME` looks for them. */
const isOfBill = async (name: string): Promise<boolean> => {
  const { bills } = await import('../../bills/index.ts')
  return Object.values<Bill>(bills).some((bill) => name === `${bill.name}-admin`)
}

/** What a key is used for. A name without settings may be meant for later, or be mistyped; it is kept and said. */
const appliesTo = async (name: string): Promise<string> => {
  if (await isOfBill(name)) return `It is used by weir reconcile ${name.slice(0, -'-admin'.length)}.`
  const { providers } = await import('../../providers/index.ts')
  const names = Object.keys(providers)
  if (!names.includes(name)) {
    const meant = hint(name, names)
    note(`weir: ${name} is no built-in provider, so weir.yaml must define it${meant === '' ? '' : `; ${meant}`}`)
  }
  return 'It is used in keys mode: after weir reload, or from the next start of the gateway.'
}

const set = {
  ...defineCommand({
    meta: {
      name: 'set',
      description: 'Store a provider’s key, sealed. It is read from standard input, never from a flag.',
    },
    args: { provider, ...folderArgs },
    run: async ({ args }) => {
      const credentials = readCredentials(await standardInput(args.provider))
      const applies = await appliesTo(args.provider)
      await withStore({ ...args, make: true }, async (store, data) => {
        const options = { key: credentialsKey(data), provider: args.provider, random }
        await store.secrets.put(args.provider, sealCredentials(credentials, options))
      })
      if (args.json) printJson({ provider: args.provider, set: true })
      else print(`The key of ${args.provider} is kept, sealed. ${applies}`)
    },
  }),
  examples: [
    ['weir keys provider set openai < key.txt', 'from a file'],
    [`echo '{"access_key_id":"…","secret_access_key":"…"}' | weir keys provider set aws-bedrock`, 'several at once'],
  ],
} as const

const remove = {
  ...defineCommand({
    meta: { name: 'remove', description: 'Delete a provider’s key.' },
    args: { provider, ...folderArgs },
    run: ({ args }) =>
      withStore(args, async (store) => {
        const removed = await store.secrets.remove(args.provider)
        if (!removed) throw new WeirError('not-found', `no key of ${args.provider} is kept: weir keys provider list`)
        if (args.json) printJson({ provider: args.provider, removed })
        else print(`The key of ${args.provider} is forgotten.`)
      }),
  }),
  examples: [['weir keys provider remove openai', 'forget it']],
} as const

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'List the providers whose keys are stored; the keys are never shown.' },
    args: folderArgs,
    run: ({ args }) =>
      withStore(args, async (store) => {
        const names = Object.keys(await store.secrets.all()).filter((name) => !isChannelSecret(name))
        if (args.json) printJson(names)
        else
          print(
            names.length === 0
              ? 'No provider key is kept. Keep one with: weir keys provider set NAME'
              : names.join('\n'),
          )
      }),
  }),
  examples: [['weir keys provider list', 'which are kept']],
} as const

/** Keys of providers, for keys mode. */
export const providerKeys = {
  ...defineCommand({
    meta: { name: 'provider', description: 'Manage provider keys, stored sealed for keys mode.' },
    subCommands: { set, list, remove },
  }),
  examples: [['weir keys provider set openai < key.txt', 'keep one, from a file']],
} as const
