import { amountOf, dollars, show } from './amounts.ts'
import { push, Recent, within } from './bounded.ts'
import { MINUTE_US } from './clock.ts'
import type { Candidate } from './finding.ts'
import type { Observation } from './observation.ts'
import { median } from './robust.ts'
import type { DetectSettings } from './settings.ts'

const WINDOW_US = 2 * MINUTE_US
const KEPT = 64
/** Failures within two minutes that are a storm where they are more than half of the calls, and calls come five times as often as usual. */
const FAILURES = 10

type Call = [at_us: number, cost: bigint, id: string]
/** Calls of the last two minutes, with how many came and failed in a usual two minutes. */
type Feature = { calls: Call[]; failed: Call[]; window: number; count: number; usual: number }
/** Most equal requests within two minutes that an owner made, by day: its habit. */
type Habit = { day: number; most: number; days: number[]; allowed: number }
export type Storms = { prompts: Recent<Call[]>; features: Recent<Feature>; habits: Recent<Habit> }

export const openStorms = (): Storms => ({ prompts: new Recent(), features: new Recent(), habits: new Recent() })

const forget = (calls: Call[], now_us: number): void => {
  while (calls[0] && calls[0][0] <= now_us - WINDOW_US) calls.shift()
}

const habitOf = (storms: Storms, owner: string, day: number, most: number): Habit => {
  const habit = storms.habits.touch(owner, most, () => ({ day, most: 0, days: [], allowed: 0 }))
  if (habit.day !== day) {
    push(habit.days, habit.most, 7)
    habit.allowed = habit.days.length < 3 ? 0 : 2 * median(habit.days)
    habit.day = day
    habit.most = 0
  }
  return habit
}

const candidate = (
  call: Observation,
  subject: string,
  calls: readonly Call[],
  wasted: bigint,
  message: () => string,
  score: number,
): Candidate => {
  const first = calls[0]?.[0] ?? call.at_us
  // Under half a minute nothing is known about the rate yet; a storm is judged as if it had taken that long.
  const minutes = Math.max(0.5, (call.at_us - first) / MINUTE_US)
  return {
    kind: 'retry-storm',
    owner: call.owners[0] ?? 'unallocated',
    subject,
    since_us: first,
    excess: amountOf(dollars(wasted)),
    hourly: amountOf((dollars(wasted) / minutes) * 60),
    score,
    // A storm is seen with each of its calls and told of seldom: what is told is put together then.
    get evidence() {
      return calls.slice(-8).map(([, , id]) => id)
    },
    get message() {
      return message()
    },
  }
}

/** The same request again and again: all but the first are waste. */
const repeats = (storms: Storms, call: Observation, day: number, settings: DetectSettings): Candidate | undefined => {
  const owner = call.owners[0]
  if (call.fingerprint === undefined || owner === undefined) return undefined
  const calls = storms.prompts.touch(within(owner, call.fingerprint), settings.bounds.prompts, (): Call[] => [])
  forget(calls, call.at_us)
  push(calls, [call.at_us, call.cost ?? call.ceiling, call.id], KEPT)
  const habit = habitOf(storms, owner, day, settings.bounds.owners)
  const allowed = Math.min(KEPT, Math.max(settings.storm_repeats, habit.allowed))
  if (calls.length < allowed) {
    habit.most = Math.max(habit.most, calls.length)
    return undefined
  }
  const wasted = calls.slice(1).reduce((sum, [, cost]) => sum + cost, 0n)
  const seconds = Math.round((call.at_us - (calls[0]?.[0] ?? call.at_us)) / 1e6)
  const message = () =>
    `${owner} has sent the same request ${calls.length} times in ${seconds} s (${show(dollars(wasted))} after the first)`
  return candidate(call, `prompt:${call.fingerprint}`, calls, wasted, message, calls.length / settings.storm_repeats)
}

const SMOOTHING = 0.1

/** Calls that mostly fail and come much more often than usual: somebody retries in a loop. */
const failing = (storms: Storms, call: Observation, settings: DetectSettings): Candidate | undefined => {
  const owner = call.owners[0] ?? 'unallocated'
  const name = call.feature ?? call.agent ?? call.model
  const make = (): Feature => ({ calls: [], failed: [], window: 0, count: 0, usual: 0 })
  const feature = storms.features.touch(within(owner, name), settings.bounds.owners, make)
  const window = Math.floor(call.at_us / WINDOW_US)
  if (feature.window !== window) {
    const idle = Math.min(100, window - feature.window - 1)
    feature.usual = (feature.usual + SMOOTHING * (feature.count - feature.usual)) * (1 - SMOOTHING) ** Math.max(0, idle)
    feature.window = window
    feature.count = 0
  }
  feature.count += 1
  const entry: Call = [call.at_us, call.cost ?? call.ceiling, call.id]
  forget(feature.calls, call.at_us)
  forget(feature.failed, call.at_us)
  push(feature.calls, entry, KEPT)
  if (!call.failed) return undefined
  push(feature.failed, entry, KEPT)
  const [failed, all] = [feature.failed.length, feature.calls.length]
  if (failed < FAILURES || failed * 2 <= all || all <= 5 * feature.usual) return undefined
  const wasted = feature.failed.reduce((sum, [, cost]) => sum + cost, 0n)
  const message = () =>
    `${failed} of the last ${all} calls of ${name} (${owner}) failed, and they come ${feature.usual > 0.1 ? `${(all / feature.usual).toFixed(0)} times as often as usual` : 'out of the blue'}`
  return candidate(call, `feature:${name}`, feature.failed, wasted, message, failed / FAILURES)
}

/**
 * Retry loops, by equal requests and by failures: while the request is known its failures say nothing more. A storm is seen
 * within the two minutes that it takes to be one.
 */
export const watchStorms = (
  storms: Storms,
  call: Observation,
  day: number,
  settings: DetectSettings,
): Candidate | undefined => {
  const repeated = repeats(storms, call, day, settings)
  const failed = failing(storms, call, settings)
  return repeated ?? failed
}
