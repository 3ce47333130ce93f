import type { BudgetState } from '../core/budget.ts'
import type { Filter } from '../core/dimension.ts'
import { WeirError } from '../core/errors.ts'
import type { Answer, Ledger, Question } from '../core/ledger.ts'
import { formatUsd, parseUsd, sum } from '../core/money.ts'
import type { OutcomeEvent, OutcomeKind } from '../core/outcome.ts'
import type { AlertStore, KeyRecord, Store } from '../core/store.ts'
import type { Statement, StatementReport } from '../playbook/allocate/statement/statement.ts'
import type { UnitCostReport } from '../playbook/allocate/unit-cost/ask.ts'
import { isOf } from './budgets/find.ts'
import type { Asking, Context } from './verb.ts'

/** Questions that take filters, so that a team's can be put on them. Every other is refused. */
const narrowable = [
  'spend',
  'calls',
  'call',
  'leaks',
  'owned',
  'extent',
  'practice',
  'focus',
  'metered',
] as const satisfies readonly Extract<Question, Readonly<{ filters?: readonly Filter[] }>>['ask'][]

/** Alerts are told apart by their owner after they are read. */
const MOST_ALERTS = 100_000

const notYours = (what: string): WeirError =>
  new WeirError('forbidden', `a team’s token does not reach ${what}; ask who has an administrator’s token`)

/** The ledger as if there were no receipts but the team's: its filter is added to every question. */
const ledgerFor = (ledger: Asking, team: string): Asking => ({
  query: <Q extends Question>(question: Q): Promise<Answer<Q>> => {
    const ask = narrowable.find((one) => one === question.ask)
    if (ask === undefined) throw notYours(`the question ${question.ask}`)
    const own: Filter = { dimension: 'team', values: [team] }
    const filters = 'filters' in question ? (question.filters ?? []) : []
    return (ledger as Ledger).query({ ...question, filters: [...filters, own] })
  },
})

const kindsOf = (events: readonly OutcomeEvent[]): readonly OutcomeKind[] =>
  [...Map.groupBy(events, ({ kind }) => kind)].map(([kind, some]) => {
    const moments = some.map(({ at_us }) => at_us)
    const count = some.reduce((so_far, event) => so_far + event.count, 0)
    return { kind, events: some.length, count, first_us: moments[0] ?? 0, last_us: moments.at(-1) ?? 0 }
  })

const refuse = (what: string) => () => Promise.reject(notYours(what))

/**
 * The team itself, or what is within it. An owner is `dimension:value` apart by blanks, in the order of the alphabet: behind a
 * team only a user can follow, so that the team `red` is not taken for `red blue`.
 */
const isWithin = (owner: string, team: string): boolean => {
  const own = `team:${team}`
  if (/^(team|user):/.test(owner)) return owner === own || owner.startsWith(`${own} user:`)
  return owner.endsWith(` ${own}`) || owner.includes(` ${own} user:`)
}

/** What a stored budget is for. */
const scopeOf = (definition: string) =>
  (JSON.parse(definition) as Readonly<{ scope?: Readonly<{ team?: string }> }>).scope ?? {}

/** Alerts as if there were none but the team's; which channels were told is not its to know. */
const alertsFor = (alerts: AlertStore, team: string): AlertStore => ({
  list: async ({ most, ...query }) =>
    (await alerts.list({ ...query, most: MOST_ALERTS })).filter(({ owner }) => isWithin(owner, team)).slice(0, most),
  containments: {
    list: async (at_us) => (await alerts.containments.list(at_us)).filter(({ owner }) => isWithin(owner, team)),
    add: refuse('containments'),
    release: refuse('containments'),
  },
  deliveries: {
    of: async () => [],
    waiting: refuse('deliveries'),
    update: refuse('deliveries'),
    retryRefused: refuse('deliveries'),
    counts: refuse('deliveries'),
  },
  record: refuse('alerts to change'),
  prune: refuse('alerts to change'),
  judge: refuse('alerts to change'),
  judgedSince: refuse('alerts of others'),
  watched: { load: refuse('alerts of others'), save: refuse('alerts to change') },
})

/** The store as if there were nothing but the team's keys and outcomes, and nothing could be changed. */
const storeFor = (store: Store, team: string): Store => {
  const own = (one: Pick<KeyRecord, 'team'>): boolean => one.team === team
  return {
    keys: {
      list: async () => (await store.keys.list()).filter(own),
      add: refuse('keys to change'),
      replace: refuse('keys to change'),
      revoke: refuse('keys to change'),
    },
    outcomes: {
      list: async (query) => (await store.outcomes.list(query)).filter(own),
      kinds: async () => kindsOf((await store.outcomes.list({})).filter(own)),
      add: refuse('outcomes to change'),
      remove: refuse('outcomes to change'),
    },
    tokens: {
      add: refuse('tokens'),
      list: refuse('tokens'),
      find: refuse('tokens'),
      revoke: refuse('tokens'),
    },
    secrets: { put: refuse('credentials'), all: refuse('credentials'), remove: refuse('credentials') },
    rules: { put: refuse('rules'), list: refuse('rules') },
    budgets: {
      version: () => store.budgets.version(),
      put: refuse('budgets to change'),
      list: async () => (await store.budgets.list()).filter(({ definition }) => isOf(scopeOf(definition), team)),
      remove: refuse('budgets to change'),
    },
    alerts: alertsFor(store.alerts, team),
    closes: { add: refuse('closed months'), list: refuse('closed months') },
    revision: () => store.revision(),
    close: () => store.close(),
  }
}

/** Owners other than teams are not a team's to ask about, because some of theirs is another team's. */
const checkBy = (by: string): void => {
  if (by !== 'team') throw notYours(`what is charged by ${by}`)
}

/** The team's own statement, with sums that are its own too: shared costs show its part alone. */
const ownStatement = (report: StatementReport, team: string): StatementReport => {
  const statements = report.statements.filter(({ owner }) => owner === team).map((one) => ({ ...one, share: null }))
  const sumOf = (amount: (one: Statement) => string) => formatUsd(sum(statements.map((one) => parseUsd(amount(one)))))
  return {
    ...report,
    statements,
    total_usd: sumOf((one) => one.total_usd),
    previous_usd: sumOf((one) => one.previous_usd),
    charge_usd: sumOf((one) => one.charge_usd),
    corrections_usd: sumOf((one) => formatUsd(sum(one.corrections.map(({ amount_usd }) => parseUsd(amount_usd))))),
    unallocated: { cost_usd: '0', share: null },
  }
}

/** The team's own row, which then is the total. */
const ownUnitCost = (report: UnitCostReport, team: string): UnitCostReport => {
  const rows = report.rows.filter(({ owner }) => owner === team)
  const [only] = rows
  const nothing = { ...report.total, direct_usd: '0', cost_usd: '0', count: 0, each_usd: null, previous_count: 0 }
  const none = { ...nothing, previous_each_usd: null, token_yield: null, output_tokens: 0, useful_output_tokens: 0 }
  const total = { ...(only ?? { ...none, trend_usd: [] }), owner: null }
  return { ...report, rows, total, unallocated_count: 0, with_session: 0, events: total.count }
}

/** What a verb can reach for a team: the one place where a team's token is held to its team. */
export const contextFor = (team: string, context: Context): Context => ({
  ...context,
  team,
  // A pattern may take in other teams: only a counter of the very team is its own.
  budgets: async () => (await context.budgets()).filter(({ scope }: BudgetState) => scope['team'] === team),
  ledger: async () => ledgerFor(await context.ledger(), team),
  statements: async (asked) => {
    checkBy(asked.by)
    return ownStatement(await context.statements({ ...asked, owners: [team] }), team)
  },
  unitCosts: async (asked) => {
    checkBy(asked.by)
    return ownUnitCost(await context.unitCosts(asked), team)
  },
  store: async () => storeFor(await context.store(), team),
  // What a file of charges needs of it: the adapters by name and the contract's prices, and no credential.
  settings: async () => {
    const settings = await context.settings()
    return {
      ...settings,
      providers: settings.providers.map(({ name, adapter }) => ({ name, adapter, options: {}, credentials: {} })),
    }
  },
  secret: () => {
    throw notYours('secrets')
  },
  variable: () => undefined,
})
