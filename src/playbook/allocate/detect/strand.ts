import { type Picodollars, picodollars } from '../../../core/money.ts'
import { type Names, namesOf, type Seen } from './names.ts'
import { EVIDENCE, failures, type Observation } from './observation.ts'
import type { Watched } from './watched.ts'

/** What calls of one payer, session, target and end have in common: everything of `Watched` but what each has for itself. */
export type Alike = Omit<
  Watched,
  | 'receipt_id'
  | 'ended_at_us'
  | 'input_tokens'
  | 'cache_read_tokens'
  | 'price_state'
  | 'cost_usd'
  | 'reserved_usd'
  | 'fingerprint_exact'
  | 'cells'
> &
  Readonly<{
    /** The names of the cells that the lines of a call are booked in, one for each line. */
    cell_names: readonly string[]
    /** Whether the calls cost something that nobody knows. */
    unpriced: boolean
  }>

/** What a call has for itself, filled anew for each. Amounts are picodollars, whole numbers. */
export type Sighting = {
  id: string
  at_us: number
  cost: number
  ceiling: number
  fingerprint: string | undefined
  input_tokens: number
  cache_read_tokens: number
  /** Of each line; a line without a cost has NaN. */
  quantities: number[]
  costs: number[]
}

export const openSighting = (): Sighting => ({
  id: '',
  at_us: 0,
  cost: 0,
  ceiling: 0,
  fingerprint: undefined,
  input_tokens: 0,
  cache_read_tokens: 0,
  quantities: [],
  costs: [],
})

/** What the rules in force say of the calls of a strand. */
export type Said = Readonly<{
  /** Who pays, as the rules say it. */
  paid: Pick<Watched, 'key_id' | 'user' | 'customer' | 'feature' | 'agent' | 'session'>
  owners: readonly string[]
  prices_checked_at_us: number | undefined
  /** What the rules were; where they are others, it must be said again. */
  by: object
}>

/** Sums of calls that are not yet observed together. */
type Sums = {
  calls: number
  at_us: number
  cost: number
  ceiling: number
  input_tokens: number
  cache_read_tokens: number
  quantities: number[]
  costs: number[]
  ids: string[]
}

/** Calls alike, with those of the running minute that are not yet observed together. */
export type Strand = {
  readonly alike: Alike
  readonly failed: boolean
  /** False for corrections of the past and for calls that were refused, which spend nothing now. */
  readonly spends: boolean
  said: Said | undefined
  names: Names | undefined
  /** Of the last request, empty before there was one. */
  fingerprint: string
  readonly sums: Sums
}

/** Never written to. */
const none: string[] = []

export const openStrand = (alike: Alike): Strand => ({
  alike,
  failed: failures.has(alike.outcome),
  spends: alike.corrects === undefined && alike.outcome !== 'refused',
  said: undefined,
  names: undefined,
  fingerprint: '',
  sums: {
    calls: 0,
    at_us: 0,
    cost: 0,
    ceiling: 0,
    input_tokens: 0,
    cache_read_tokens: 0,
    quantities: alike.cell_names.map(() => 0),
    costs: alike.cell_names.map(() => Number.NaN),
    ids: none,
  },
})

const modelOf = ({ model_served, model_asked }: Alike): string => model_served ?? model_asked ?? 'unknown'

/** Writes what the rules say of a strand. */
export const say = (strand: Strand, said: Said): Names => {
  const { feature, agent, session } = said.paid
  const names = namesOf({ owners: said.owners, feature, agent, session, model: modelOf(strand.alike) })
  strand.said = said
  strand.names = names
  return names
}

/** A call by itself. */
export const seenOf = ({ alike, failed }: Strand, one: Sighting): Seen => ({
  id: one.id,
  at_us: one.at_us,
  cost: alike.unpriced ? null : one.cost,
  ceiling: one.ceiling,
  failed,
  fingerprint: one.fingerprint,
})

/** Books a call with those that are observed together. */
export const gather = ({ sums }: Strand, one: Sighting): void => {
  sums.calls += 1
  if (one.at_us > sums.at_us) sums.at_us = one.at_us
  sums.cost += one.cost
  sums.ceiling += one.ceiling
  sums.input_tokens += one.input_tokens
  sums.cache_read_tokens += one.cache_read_tokens
  const { quantities, costs, ids } = sums
  for (let at = 0; at < quantities.length; at += 1) {
    const cost = one.costs[at] as number
    if (Number.isNaN(cost)) continue
    quantities[at] = (quantities[at] as number) + (one.quantities[at] as number)
    costs[at] = (Number.isNaN(costs[at]) ? 0 : (costs[at] as number)) + cost
  }
  if (ids.length === 0) sums.ids = [one.id]
  else {
    if (ids.length === EVIDENCE) ids.shift()
    ids.push(one.id)
  }
}

const amountOf = (picos: number): Picodollars => picodollars(BigInt(picos))

const cellsOf = ({ cell_names }: Alike, { quantities, costs }: Sums): Observation['cells'] => {
  const cells = []
  for (const [at, key] of cell_names.entries()) {
    const cost = costs[at] as number
    if (!Number.isNaN(cost)) cells.push({ key, quantity: quantities[at] ?? 0, cost: amountOf(cost) })
  }
  return cells
}

const clear = (sums: Sums): void => {
  sums.calls = 0
  sums.at_us = 0
  sums.cost = 0
  sums.ceiling = 0
  sums.input_tokens = 0
  sums.cache_read_tokens = 0
  sums.quantities.fill(0)
  sums.costs.fill(Number.NaN)
  sums.ids = none
}

/** The calls that were gathered, as one observation; the strand begins anew. */
export const gathered = (
  { alike, failed, sums }: Strand,
  { paid, owners, prices_checked_at_us }: Said,
): Observation => {
  const together: Observation = {
    id: sums.ids.at(-1) ?? '',
    calls: sums.calls,
    ids: sums.ids,
    at_us: sums.at_us,
    owners,
    cost: alike.unpriced ? null : amountOf(sums.cost),
    ceiling: amountOf(sums.ceiling),
    failed,
    provider: alike.provider,
    model: modelOf(alike),
    key: paid.key_id,
    user: paid.user,
    customer: paid.customer,
    feature: paid.feature,
    agent: paid.agent,
    session: paid.session,
    input_tokens: sums.input_tokens,
    cache_read_tokens: sums.cache_read_tokens,
    cells: cellsOf(alike, sums),
    prices_checked_at_us,
  }
  clear(sums)
  return together
}
