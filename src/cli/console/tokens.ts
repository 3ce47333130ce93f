import { defineCommand } from 'citty'
import { perform } from '../../verbs/perform.ts'
import type { ShownToken } from '../../verbs/tokens/shown.ts'
import { verb as createToken } from '../../verbs/tokens-create.ts'
import { verb as listTokens } from '../../verbs/tokens-list.ts'
import { verb as revokeToken } from '../../verbs/tokens-revoke.ts'
import { folderArgs } from '../asking.ts'
import { withContext } from '../calling.ts'
import { lifeColumns, stateColumn } from '../keys/life.ts'
import { type Look, lookOf, paint } from '../show/look.ts'
import { print, printJson } from '../show/output.ts'
import { table } from '../show/table.ts'

const whose = ({ team }: ShownToken): string => (team === undefined ? 'administrator' : `reads team ${team}`)

const renderTokens = (tokens: readonly ShownToken[], look: Look): string =>
  tokens.length === 0
    ? 'No console tokens yet. Make one with: weir console token create --admin, or --team TEAM'
    : table<ShownToken>(
        tokens,
        [
          { head: 'id', cell: ({ id }) => id },
          { head: 'name', cell: ({ name }) => name, shrink: 10 },
          { head: 'token', cell: ({ prefix }) => prefix },
          stateColumn,
          { head: 'for', cell: whose, shrink: 14 },
          ...lifeColumns(2),
        ],
        look,
      )

const create = {
  ...defineCommand({
    meta: { name: 'create', description: 'Create a console token. It is shown once.' },
    args: {
      team: { type: 'string', valueHint: 'NAME', description: 'Read access to this team’s data only' },
      admin: { type: 'boolean', description: 'Full access' },
      name: { type: 'string', description: 'A name to recognise it by' },
      expires: {
        type: 'string',
        valueHint: 'TIME',
        description: 'When it expires: 90d, 12h, 2027-01-01; never by default',
      },
      ...folderArgs,
    },
    run: ({ args }) =>
      withContext(args, 'weir console token create', async (context) => {
        const { team, admin, name, expires } = args
        const made = await perform(createToken, { team, admin, name, expires }, context)
        if (args.json) return printJson(made)
        print(`${paint(lookOf()).bold(made.token)}\n`)
        print(`This is the only time that the token is shown; Weir keeps no copy. Id ${made.id}, ${whose(made)}.`)
        print('Send it as: Authorization: Bearer TOKEN')
      }),
  }),
  examples: [
    ['weir console token create --team search', 'a team reads its own spend'],
    ['weir console token create --admin --expires 90d', 'for automation'],
  ],
} as const

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'List the tokens and what each may read.' },
    args: folderArgs,
    run: ({ args }) =>
      withContext(args, 'weir console token list', async (context) => {
        const tokens = await perform(listTokens, {}, context)
        if (args.json) printJson(tokens)
        else print(renderTokens(tokens, lookOf()))
      }),
  }),
  examples: [['weir console token list', 'who may ask']],
} as const

const revoke = {
  ...defineCommand({
    meta: { name: 'revoke', description: 'Revoke a token, at once and for good.' },
    args: { id: { type: 'positional', required: true, description: 'The token’s id or name' }, ...folderArgs },
    run: ({ args }) =>
      withContext(args, 'weir console token revoke', async (context) => {
        const done = await perform(revokeToken, { id: args.id }, context)
        if (args.json) printJson(done)
        else print(`The token ${done.name} (${done.id}) is revoked.`)
      }),
  }),
  examples: [['weir console token revoke search', 'by name']],
} as const

export const tokenCommands = {
  ...defineCommand({
    meta: {
      name: 'token',
      description: 'Manage console tokens: for administrators, or for one team to read its own data.',
    },
    subCommands: { create, list, revoke },
  }),
  examples: [['weir console token create --team search', 'a team reads its own spend']],
} as const
