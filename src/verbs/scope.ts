import { WeirError } from '../core/errors.ts'
import type { Answer, Filter, Ledger, Question } from '../core/ledger.ts'
import type { KeyRecord, Store } from '../core/store.ts'
import type { Asking, Context } from './verb.ts'

/** Questions that take filters, so that a team's can be put on them. Every other is refused. */
const narrowable = [
  'spend',
  'calls',
  'call',
  'leaks',
  'owned',
  'extent',
  'focus',
  'metered',
] as const satisfies readonly Extract<Question, Readonly<{ filters?: readonly Filter[] }>>['ask'][]

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

/** The store as if there were nothing but the team's keys and outcomes, and nothing could be changed. */
const storeFor = (store: Store, team: string): Store => {
  const refuse = (what: string) => () => Promise.reject(notYours(what))
  const own = (one: Pick<KeyRecord, 'team'>): boolean => one.team === team
  return {
    keys: {
      list: async () => (await store.keys.list()).filter(own),
      add: refuse('keys to change'),
      revoke: refuse('keys to change'),
    },
    outcomes: {
      list: async (query) => (await store.outcomes.list(query)).filter(own),
      kinds: refuse('the kinds of all outcomes'),
      add: refuse('outcomes to change'),
      remove: refuse('outcomes to change'),
    },
    secrets: { put: refuse('credentials'), all: refuse('credentials'), remove: refuse('credentials') },
    rules: { put: refuse('rules'), list: refuse('rules') },
    closes: { add: refuse('closed months'), list: refuse('closed months') },
    revision: () => store.revision(),
    close: () => store.close(),
  }
}

/** What a verb can reach for a team: the one place where a team's token is held to its team. */
export const contextFor = (team: string, context: Context): Context => ({
  ...context,
  team,
  ledger: async () => ledgerFor(await context.ledger(), team),
  store: async () => storeFor(await context.store(), team),
  settings: () => Promise.reject(notYours('the configuration')),
  secret: () => {
    throw notYours('secrets')
  },
  variable: () => undefined,
})
