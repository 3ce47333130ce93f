import type { CacheRule, TokenRates } from '../../../core/past.ts'
import { type Candidate, candidatesOf, inputCost, type Marked, planOf, type Wanted } from './candidates.ts'
import { lookAt, openShelf, type Plan, type Shelf, type Visit, visit } from './shelf.ts'

type Way = Readonly<{ candidate: Candidate }> & { bill: number }

/** What is known of a route: what its calls would have cost in every way of caching, and what the provider holds by now. */
export type Route = Readonly<{
  rule: CacheRule
  /** The way was chosen by configuration: there is nothing to learn. */
  settled: boolean
  ways: readonly Way[]
  /** What is held in each way, and, behind them, by what was decided. */
  shelf: Shelf
}>

/** What is decided for a call, and what comes of it. */
export type Decision = Readonly<{
  candidate: Candidate
  plan: Plan
  /** At the cache as it is, by what was decided for earlier calls. */
  visit: Visit
  /** What doing nothing would cost more for this call, picodollars. */
  foreseen: number
  /** Everything written on all shelves, to be made readable when the answer begins. */
  writes: Visit['writes']
}>

/** Each call makes the calls before it count so much less: a route is judged by about its last thousand. */
const FADE = 0.999
/** What a way must save over doing nothing before it is taken. */
const MARGIN = 0.005

export const openRoute = (rule: CacheRule, wanted: Wanted): Route => {
  const ways = candidatesOf(rule, wanted).map((candidate) => ({ candidate, bill: 0 }))
  const settled = wanted.reach !== 'auto' && wanted.ttl !== 'auto'
  return { rule, settled, ways, shelf: openShelf(ways.length + 1) }
}

/** What comes of the only way that there is: it happens by itself, so there is nothing to learn and nothing to save. */
const NOTHING: Pick<Decision, 'visit' | 'foreseen' | 'writes'> = {
  visit: { read: 0, written_short: 0, written_long: 0, writes: [], hit: -1 },
  foreseen: 0,
  writes: [],
}

/** The way that cost least so far; the idle one unless another is clearly better. Only what is past is looked at. */
const cheapest = ({ ways, settled }: Route): Candidate | undefined => {
  const [idle] = ways
  if (!idle) return undefined
  if (settled) return (ways.find(({ candidate }) => !candidate.idle) ?? idle).candidate
  let best = idle
  for (const way of ways) if (way.bill < best.bill) best = way
  return best.bill < idle.bill * (1 - MARGIN) ? best.candidate : idle.candidate
}

/**
 * Decides for the next call of a route, by the calls before it, and then counts the call in: in every way that there is. Calls must
 * come in order of time.
 */
export const decide = (route: Route, prompt: Marked, rates: TokenRates, at_us: number): Decision | undefined => {
  const candidate = cheapest(route)
  if (!candidate) return undefined
  const { rule, ways, shelf } = route
  if (ways.length === 1) return { candidate, plan: planOf(candidate, prompt, rule), ...NOTHING }
  const total = prompt.chain.tokens.at(-1) ?? 0
  const look = lookAt(shelf, prompt.chain, at_us)
  const writes: Visit['writes'][number][] = []
  let idle = 0
  for (const [at, way] of ways.entries()) {
    // What nothing is learnt from need not be reckoned, but for what it is compared with.
    if (route.settled && !way.candidate.idle) continue
    const seen = visit(look, at, planOf(way.candidate, prompt, rule), rule)
    const cost = inputCost(seen, total, rates)
    way.bill = way.bill * FADE + cost
    writes.push(...seen.writes)
    if (way.candidate.idle) idle = cost
  }
  const plan = planOf(candidate, prompt, rule)
  const real = visit(look, ways.length, plan, rule)
  writes.push(...real.writes)
  return { candidate, plan, visit: real, foreseen: idle - inputCost(real, total, rates), writes }
}
