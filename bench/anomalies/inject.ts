/** Trouble put into one team's calls from a moment on. */

import type { Chance } from '../../src/core/chance.ts'
import { type Call, costOf, DAY_US, HOUR_US } from './calls.ts'
import { pick } from './chance.ts'

export type Injection = Readonly<{
  name: string
  lasts_us: number
  /** Calls of the team from the moment on → the same with the trouble in them, in any order. */
  into(calls: readonly Call[], from_us: number, chance: Chance): readonly Call[]
}>

const MINUTE_US = HOUR_US / 60

/** Repeats calls so that `more` times as many are added; each repeat comes within a minute, as a request of its own. */
const more = (calls: readonly Call[], chance: Chance, times: (call: Call) => number): Call[] =>
  calls.flatMap((call) => {
    const wanted = times(call)
    const count = Math.floor(wanted) + (chance() < wanted % 1 ? 1 : 0)
    return Array.from(
      { length: count },
      (): Call => ({
        ...call,
        at_us: call.at_us + Math.floor(chance() * MINUTE_US),
        fingerprint: Math.floor(chance() * 2 ** 52).toString(16),
        ...(call.session === undefined ? {} : { session: `${call.session}+` }),
        injected: true,
      }),
    )
  })

/** What the team spends in ten minutes around the moment, as calls. */
const tenMinutes = (calls: readonly Call[], from_us: number): readonly Call[] => {
  const hour = calls.filter(({ at_us }) => at_us >= from_us && at_us < from_us + HOUR_US)
  return hour.filter((_, at) => at % 6 === 0)
}

const loop = (
  calls: readonly Call[],
  from_us: number,
  chance: Chance,
  change: (call: Call, nth: number) => Partial<Call>,
): readonly Call[] => {
  const few = tenMinutes(calls, from_us)
  if (few.length === 0) return calls
  const total = few.reduce((sum, call) => sum + costOf(call), 0n) * 9n
  const like = pick(chance, few)
  const count = Math.max(10, Math.min(2000, Math.round(Number(total) / Math.max(1, Number(costOf(like))))))
  const added = Array.from(
    { length: count },
    (_, nth): Call => ({
      ...like,
      session: `loop-${from_us}`,
      at_us: from_us + Math.floor(((nth + 0.5) / count) * 10 * MINUTE_US),
      injected: true,
      ...change(like, nth),
    }),
  )
  return [...calls, ...added]
}

export const injections: readonly Injection[] = [
  { name: 'step ×2', lasts_us: 3 * DAY_US, into: (calls, _, chance) => [...calls, ...more(calls, chance, () => 1)] },
  {
    name: 'spike ×5, 1 hour',
    lasts_us: HOUR_US,
    into: (calls, from_us, chance) => [
      ...calls,
      ...more(
        calls.filter(({ at_us }) => at_us < from_us + HOUR_US),
        chance,
        () => 4,
      ),
    ],
  },
  {
    name: 'loop ×10, 10 min, same request',
    lasts_us: 10 * MINUTE_US,
    into: (calls, from_us, chance) => loop(calls, from_us, chance, () => ({ fingerprint: `loop-${from_us}` })),
  },
  {
    name: 'loop ×10, 10 min, one session',
    lasts_us: 10 * MINUTE_US,
    into: (calls, from_us, chance) =>
      loop(calls, from_us, chance, (_, nth) => ({ fingerprint: `loop-${from_us}-${nth}` })),
  },
  {
    name: 'drift 5 % a day',
    lasts_us: 14 * DAY_US,
    into: (calls, from_us, chance) => [
      ...calls,
      ...more(calls, chance, ({ at_us }) => 1.05 ** (Math.floor((at_us - from_us) / DAY_US) + 1) - 1),
    ],
  },
  {
    name: 'cache break',
    lasts_us: DAY_US,
    into: (calls) => calls.map((call) => (call.cached > 0 ? { ...call, cached: 0, injected: true } : call)),
  },
  {
    name: 'leaked key',
    lasts_us: 6 * HOUR_US,
    into: (calls, from_us, chance) => {
      const few = tenMinutes(calls, from_us)
      if (few.length === 0) return calls
      const spend = few.reduce((sum, call) => sum + costOf(call), 0n) * 6n
      const body = { model: 'large', input: 3000, cached: 0, output: 1500 }
      const count = Math.max(60, Math.round((6 * Number(spend)) / Number(costOf(body))))
      const stranger = { user: `stranger-${from_us}`, feature: 'unknown' }
      const { key, team } = few[0] as Call
      const added = Array.from(
        { length: count },
        (_, nth): Call => ({
          ...stranger,
          ...body,
          key,
          team,
          fingerprint: `leak-${from_us}-${nth}`,
          at_us: from_us + Math.floor(((nth + chance()) / count) * 6 * HOUR_US),
          injected: true,
        }),
      )
      return [...calls, ...added]
    },
  },
]
