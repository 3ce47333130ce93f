import type { CacheRule, TokenRates } from '../../../core/past.ts'
import { type Candidate, candidatesOf, inputCost, type Marked, planOf, type Reach, type Wanted } from './candidates.ts'
import { lookAt, openShelf, type Plan, type Shelf, type Visit, visit, type Write } from './shelf.ts'

/** What is known of a route: what its calls would have cost in every way of caching, and what the provider holds by now. */
export type Route = Readonly<{
  rule: CacheRule
  /** The way was chosen by configuration: there is nothing to learn. */
  settled: boolean
  ways: readonly Candidate[]
  /** What the calls would have cost in each, picodollars; the older, the less it counts. */
  bills: number[]
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
  writes: readonly Write[]
}>

/** Each call makes the calls before it count so much less: a route is judged by about its last thousand. */
const FADE = 0.999
/** What a way must save over doing nothing before it is taken. */
const MARGIN = 0.005

export const openRoute = (rule: CacheRule, wanted: Wanted): Route => {
  const ways = candidatesOf(rule, wanted)
  const settled = wanted.reach !== 'auto' && wanted.ttl !== 'auto'
  return { rule, settled, ways, bills: ways.map(() => 0), shelf: openShelf(ways.length + 1) }
}

/** What comes of the only way that there is: it happens by itself, so there is nothing to learn and nothing to save. */
const NOTHING: Pick<Decision, 'visit' | 'foreseen' | 'writes'> = {
  visit: { read: 0, written_short: 0, written_long: 0, hit: -1 },
  foreseen: 0,
  writes: [],
}

/** The way that cost least so far; the idle one unless another is clearly better. Only what is past is looked at. */
const cheapest = ({ ways, bills, settled }: Route): Candidate | undefined => {
  const [idle] = ways
  if (settled) return ways.find((way) => !way.idle) ?? idle
  const [idled = 0] = bills
  let [best, least] = [0, idled]
  for (let at = 1; at < bills.length; at++) {
    const bill = bills[at] ?? least
    if (bill < least) [best, least] = [at, bill]
  }
  return least < idled * (1 - MARGIN) ? ways[best] : idle
}

/** When a call comes, and when what it writes can be read: when the answer begins. Absent where that is not known yet (`makeReady`). */
export type Moments = Readonly<{ at_us: number; ready_us?: number }>

/**
 * Decides for the next call of a route, by the calls before it, and then counts the call in: in every way that there is. Calls must
 * come in order of time.
 */
export const decide = (
  route: Route,
  prompt: Marked,
  rates: TokenRates,
  { at_us, ready_us }: Moments,
): Decision | undefined => {
  const candidate = cheapest(route)
  if (!candidate) return undefined
  const { rule, ways, bills, shelf } = route
  if (ways.length === 1) return { candidate, plan: planOf(candidate.reach, prompt, rule), ...NOTHING }
  const total = prompt.chain.tokens.at(-1) ?? 0
  const look = lookAt(shelf, prompt.chain, at_us)
  const plans: Partial<Record<Reach, Plan>> = {}
  const plan = (reach: Reach): Plan => (plans[reach] ??= planOf(reach, prompt, rule))
  const writes: Write[] = []
  let idle = 0
  for (let at = 0; at < ways.length; at++) {
    const { reach, ttl, idle: is_idle } = ways[at] as Candidate
    // What nothing is learnt from need not be reckoned, but for what it is compared with.
    if (route.settled && !is_idle) continue
    const cost = inputCost(visit(look, { way: at, plan: plan(reach), ttl, rule, ready_us, writes }), total, rates)
    bills[at] = (bills[at] ?? 0) * FADE + cost
    if (is_idle) idle = cost
  }
  const { reach, ttl } = candidate
  const real = visit(look, { way: ways.length, plan: plan(reach), ttl, rule, ready_us, writes })
  return { candidate, plan: plan(reach), visit: real, foreseen: idle - inputCost(real, total, rates), writes }
}
