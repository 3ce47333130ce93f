import { z } from 'zod'
import { unknownFallBacks } from '../config/fall-backs.ts'
import type { Budget } from '../core/budget.ts'
import { WeirError } from '../core/errors.ts'
import type { StoredBudget } from '../core/store.ts'
import { budgetWarnings } from '../playbook/allocate/budget/nesting.ts'
import { readBudgets } from '../playbook/allocate/budget/read.ts'
import { budgetSet } from './answers/stored.ts'
import { changing } from './budgets/changing.ts'
import { name, revision } from './budgets/fields.ts'
import { withKeyId } from './budgets/key-scope.ts'
import { InputError } from './perform.ts'
import { defineVerb } from './verb.ts'

/** A budget as weir.yaml says it: its own reader checks it, so that both say the same of the same. */
const said = {
  scope: z.unknown().describe('Whose calls: { team: search, session: each }; everything otherwise'),
  limit: z.unknown().describe('At least one of { usd: "50", tokens: 100000, calls: 60 }'),
  per: z.unknown().describe('minute, hour, day, week, month, quarter or year by the calendar, or lifetime'),
  last: z.unknown().describe('Or a rolling window: 10m, 24h, 30d'),
  zone: z.unknown().describe('Time zone of the calendar; UTC otherwise'),
  kind: z.unknown().describe('hard, or soft: calls go on'),
  when_exhausted: z.unknown().describe('refuse, or targets [provider/model] where calls go instead'),
  unbounded: z.unknown().describe('refuse or allow calls whose worst case nobody can know'),
} as const

export type BudgetSet = Readonly<{
  budget: Readonly<Record<string, unknown>>
  revision: number
  warnings: readonly string[]
}>

type Around = Readonly<{ file: readonly Budget[]; stored: readonly StoredBudget[]; providers: readonly string[] }>

/**
 * What to mind about a budget beside the others of the store. Throws InputError naming every wrong field, or WeirError
 * `bad-input` for a budget that weir.yaml has.
 */
const checked = (definition: Readonly<{ name: string }>, { file, stored, providers }: Around) => {
  const { name: which } = definition
  if (file.some((one) => one.name === which))
    throw new WeirError('bad-input', `the budget ${which} is in weir.yaml: change it there`)
  const others = stored.filter((one) => one.name !== which).map((one) => JSON.parse(one.definition) as unknown)
  const { budgets, problems } = readBudgets([...others, definition], file)
  const own = problems
    .filter(({ path }) => path[0] === others.length)
    .map(({ path, message }) => ({ field: path.slice(1).join('.') || 'the budget', message }))
  const budget = budgets.find((one) => one.name === which)
  for (const message of budget ? unknownFallBacks(budget, providers) : [])
    own.push({ field: 'when_exhausted', message })
  if (own.length > 0) throw new InputError(own)
  return budgetWarnings([...file, ...budgets], which)
}

export const verb = defineVerb({
  name: 'budgets set',
  describes:
    'Creates a budget, or changes the one of that name. Spend so far still counts; a running gateway follows at once.',
  access: 'admin',
  http: { method: 'PUT', path: '/v1/budgets/{name}' },
  input: z.strictObject({ name, ...z.strictObject(said).partial().shape, revision }),
  output: budgetSet,
  async run({ revision: expected, ...input }, context): Promise<BudgetSet> {
    const store = await context.store({ make: true })
    const given = Object.fromEntries(Object.entries(input).filter(([, value]) => value !== undefined)) as typeof input
    const { said: definition, unknown } = await withKeyId(given, store, context.now_us())
    const also = unknown === undefined ? [] : [`no key is called ${unknown} (weir keys list), so no call is under it`]
    const { budgets: file, providers: known } = await context.settings()
    const providers = known.map((provider) => provider.name)
    const { budgets } = store
    return changing(budgets, { name: input.name, expected }, async ({ stored, version }) => {
      const warnings = [...checked(definition, { file, stored, providers }), ...also]
      const written = { name: input.name, definition: JSON.stringify(definition), set_at_us: context.now_us() }
      const now = await budgets.put(written, version)
      return now === undefined ? undefined : { budget: definition, revision: now, warnings }
    })
  },
})
