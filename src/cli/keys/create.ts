import { defineCommand } from 'citty'
import { WeirError } from '../../core/errors.ts'
import { verb as createKey } from '../../verbs/keys-create.ts'
import { perform } from '../../verbs/perform.ts'
import { every, folderArgs } from '../asking.ts'
import { withContext } from '../calling.ts'
import { lookOf } from '../show/look.ts'
import { print, printJson } from '../show/output.ts'
import { renderNewKey } from './list.ts'

/** Names with commas; `all` is no limit. */
const list = (text: string): string[] =>
  (text.trim() === 'all' ? '' : text)
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')

export const scopeArgs = {
  models: {
    type: 'string',
    valueHint: 'GLOBS',
    description: 'Models it may ask for, e.g. "gpt-5*,claude-*"; all by default',
  },
  providers: { type: 'string', valueHint: 'NAMES', description: 'Providers it may use; all by default' },
  endpoints: {
    type: 'string',
    valueHint: 'NAMES',
    description: 'Endpoints it may call, e.g. chat,embeddings; all by default',
  },
} as const

const scopes = ['models', 'providers', 'endpoints'] as const satisfies readonly (keyof typeof scopeArgs)[]

/** What the flags say that a key may do; what they do not say stays out. */
export const scopesOf = (
  flags: Readonly<Partial<Record<keyof typeof scopeArgs, string | undefined>>>,
): Partial<Record<keyof typeof scopeArgs, string[]>> =>
  Object.fromEntries(
    scopes.flatMap((scope) => {
      const text = flags[scope]
      return text === undefined ? [] : [[scope, list(text)]]
    }),
  )

const tagsOf = (rawArgs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    every(rawArgs, 'tag').map((text) => {
      const at = text.indexOf('=')
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)]
      throw new WeirError('bad-input', `--tag ${text}: write NAME=VALUE, e.g. --tag cost-centre=4711`)
    }),
  )

export const create = {
  ...defineCommand({
    meta: { name: 'create', description: 'Create a key. It is shown once; a caller cannot change what it fixes.' },
    args: {
      name: { type: 'string', description: 'A name to recognise it by' },
      team: { type: 'string', description: 'Charge every call to this team' },
      feature: { type: 'string', description: '… to this feature' },
      customer: { type: 'string', description: '… to this customer' },
      environment: { type: 'string', description: '… to this environment' },
      tag: { type: 'string', valueHint: 'NAME=VALUE', description: 'A further tag; may be repeated' },
      ...scopeArgs,
      expires: {
        type: 'string',
        valueHint: 'TIME',
        description: 'When it expires: 90d, 12h, 2027-01-01; never by default',
      },
      ...folderArgs,
    },
    run: ({ args, rawArgs }) =>
      withContext(args, 'weir keys create', async (context) => {
        const { name, team, feature, customer, environment, expires } = args
        const payer = { name, team, feature, customer, environment, tags: tagsOf(rawArgs) }
        const key = await perform(createKey, { ...payer, ...scopesOf(args), expires }, context)
        if (args.json) printJson(key)
        else print(renderNewKey(key, lookOf()))
      }),
  }),
  examples: [
    ['weir keys create --name search-api --team search --expires 90d', 'a key for one team, for three months'],
  ],
} as const
