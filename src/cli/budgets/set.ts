import { defineCommand } from 'citty'
import { WeirError } from '../../core/errors.ts'
import { verb as setBudget } from '../../verbs/budgets-set.ts'
import { perform } from '../../verbs/perform.ts'
import { every, folderArgs, revisionArg } from '../asking.ts'
import { withContext } from '../calling.ts'
import { note, print, printJson } from '../show/output.ts'

type Words = Readonly<Partial<Record<string, string | boolean | undefined>>>

/** The conditions of a scope. Throws WeirError `bad-input` for what is none, and for a dimension that is named twice. */
const scopeOf = (rawArgs: readonly string[]): Record<string, string> => {
  const scope: Record<string, string> = {}
  for (const text of every(rawArgs, 'scope')) {
    const at = text.indexOf('=')
    const name = text.slice(0, at)
    if (at <= 0)
      throw new WeirError(
        'bad-input',
        `--scope ${text}: write NAME=VALUE, e.g. --scope team=search, --scope session=each`,
      )
    if (Object.hasOwn(scope, name))
      throw new WeirError('bad-input', `--scope ${text}: ${name} is said twice; a budget has one condition for each`)
    scope[name] = text.slice(at + 1)
  }
  return scope
}

const numbered = (text: unknown): unknown => (typeof text === 'string' && /^\d+$/.test(text) ? Number(text) : text)

/** Without what was not said. */
const said = (fields: Readonly<Record<string, unknown>>): Record<string, unknown> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))

/** The budget as one would write it in weir.yaml. */
const definitionOf = (args: Words, rawArgs: readonly string[]): Record<string, unknown> => {
  const scope = scopeOf(rawArgs)
  const targets = every(rawArgs, 'fall-back')
  return said({
    name: args['name'],
    scope: Object.keys(scope).length === 0 ? undefined : scope,
    limit: said({ usd: args['usd'], tokens: numbered(args['tokens']), calls: numbered(args['calls']) }),
    per: args['per'],
    last: args['last'],
    zone: args['zone'],
    kind: args['soft'] === true ? 'soft' : undefined,
    when_exhausted: targets.length === 0 ? undefined : targets,
    unbounded: args['allow-unbounded'] === true ? 'allow' : undefined,
    revision: args['revision'],
  })
}

export const set = {
  ...defineCommand({
    meta: {
      name: 'set',
      description:
        'Create a budget, or change the one of that name. Spend so far still counts; a running gateway follows at once.',
    },
    args: {
      name: { type: 'positional', required: true, description: 'Its name' },
      usd: { type: 'string', valueHint: 'DOLLARS', description: 'What calls may cost' },
      tokens: { type: 'string', valueHint: 'N', description: 'Tokens, input and output together' },
      calls: { type: 'string', valueHint: 'N', description: 'Calls' },
      per: {
        type: 'string',
        valueHint: 'WINDOW',
        description: 'Calendar window: minute, hour, day, week, month, quarter or year; or lifetime',
      },
      last: { type: 'string', valueHint: 'TIME', description: 'Or a rolling window: 10m, 24h, 30d' },
      zone: { type: 'string', valueHint: 'ZONE', description: 'Time zone of the calendar; UTC by default' },
      scope: {
        type: 'string',
        valueHint: 'NAME=VALUE',
        description:
          'Which calls it covers, may be repeated: team, feature, key, customer, user, session, agent, environment, model, provider, tag:NAME; the value each gives every value its own counter',
      },
      soft: { type: 'boolean', description: 'Let calls go on and say so' },
      'fall-back': {
        type: 'string',
        valueHint: 'PROVIDER/MODEL',
        description: 'Target for calls once it is exhausted, may be repeated; without one they are refused',
      },
      'allow-unbounded': { type: 'boolean', description: 'Let calls pass whose worst case nobody can know' },
      ...revisionArg,
      ...folderArgs,
    },
    run: ({ args, rawArgs }) =>
      withContext(args, 'weir budgets set', async (context) => {
        const set = await perform(setBudget, definitionOf(args as Words, rawArgs), context)
        if (args.json) return printJson(set)
        print(`The budget ${args.name} is set (revision ${set.revision}).`)
        for (const text of set.warnings) note(`Mind: ${text}.`)
      }),
  }),
  examples: [
    ['weir budgets set search --scope team=search --usd 50 --per day', 'fifty dollars a day for one team'],
    ['weir budgets set runs --scope session=each --usd 5 --calls 300 --per lifetime', 'a cap for every agent run'],
    ['weir budgets set rate --scope key=each --calls 60 --tokens 100000 --per minute', 'a rate limit for every key'],
  ],
} as const
