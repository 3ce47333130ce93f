import { MINUTE_US } from '../../../core/date.ts'
import { amountOf, show } from './amounts.ts'
import { push, Recent, within } from './bounded.ts'
import type { Candidate } from './finding.ts'
import type { Names, Seen } from './names.ts'
import { median } from './robust.ts'
import type { DetectSettings } from './settings.ts'

const WINDOW_US = 2 * MINUTE_US
/** What is told of already is raised again once a second: a storm is seen with each of its calls. */
const AGAIN_US = 1_000_000
const KEPT = 64
/** Failures within two minutes that are a storm where they are more than half of the calls, and calls come five times as often as usual. */
const FAILURES = 10

/** A storm since it began, however long ago: its calls, and what they wasted. */
type Course = { readonly since_us: number; calls: number; wasted: number }
/** Calls of the last two minutes, at most `KEPT`: those from `from` on, what they cost together, and the storm that they are part of. */
type Window = {
  at_us: number[]
  costs: number[]
  ids: string[]
  from: number
  cost: number
  told_us: number
  course: Course | undefined
}
/** Calls of the last two minutes, with how many came and failed in a usual two minutes. */
type Feature = { calls: number[]; first: number; failed: Window; window: number; count: number; usual: number }
/** Most equal requests within two minutes that an owner made, by day: its habit. */
type Habit = { day: number; most: number; days: number[]; allowed: number }
export type Storms = { prompts: Recent<Window>; features: Recent<Feature>; habits: Recent<Habit> }

export const openStorms = (): Storms => ({ prompts: new Recent(), features: new Recent(), habits: new Recent() })

const openWindow = (): Window => ({ at_us: [], costs: [], ids: [], from: 0, cost: 0, told_us: 0, course: undefined })
const openFeature = (): Feature => ({ calls: [], first: 0, failed: openWindow(), window: 0, count: 0, usual: 0 })

const sizeOf = ({ at_us, from }: Window): number => at_us.length - from

/** Forgets what is older than two minutes. */
const forget = (window: Window, now_us: number): void => {
  while (window.from < window.at_us.length && (window.at_us[window.from] ?? 0) <= now_us - WINDOW_US) dropFirst(window)
}

const dropFirst = (window: Window): void => {
  window.cost -= window.costs[window.from] ?? 0
  window.from += 1
}

const add = (window: Window, call: Seen): void => {
  const cost = call.cost ?? call.ceiling
  window.cost += cost
  if (window.at_us.length === 0) {
    // Most requests are sent once: lists that hold one are a tenth of those that may grow.
    window.at_us = [call.at_us]
    window.costs = [cost]
    window.ids = [call.id]
    return
  }
  if (sizeOf(window) >= KEPT) dropFirst(window)
  if (window.from >= KEPT) {
    for (const list of [window.at_us, window.costs, window.ids]) list.splice(0, window.from)
    window.from = 0
  }
  window.at_us.push(call.at_us)
  window.costs.push(cost)
  window.ids.push(call.id)
}

/** The storm with a call that came last in its window; one that begins has `wasted` so far. */
const goOn = (window: Window, call: Seen, wasted: number): Course => {
  if (window.course) {
    window.course.calls += 1
    window.course.wasted += call.cost ?? call.ceiling
  } else window.course = { since_us: window.at_us[window.from] ?? call.at_us, calls: sizeOf(window), wasted }
  return window.course
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

/** What is repeated: `dimension:value` is its subject. `wasted`: within the window. */
type Storm = Readonly<{
  dimension: 'prompt' | 'feature'
  value: string
  wasted: number
  course: Course
  message: () => string
  score: number
}>

/** What is raised of a storm, unless it is told of already, or too small to tell of whatever people said. */
const candidate = (
  call: Seen,
  names: Names,
  window: Window,
  storm: Storm,
  settings: DetectSettings,
): Candidate | undefined => {
  if (call.at_us - window.told_us < AGAIN_US) return undefined
  const first = window.at_us[window.from] ?? call.at_us
  // Under half a minute nothing is known about the rate yet; a storm is judged as if it had taken that long.
  const minutes = Math.max(0.5, (call.at_us - first) / MINUTE_US)
  const { dimension, value, course } = storm
  const hourly = amountOf((storm.wasted / 1e12 / minutes) * 60)
  if (amountOf(storm.wasted / 1e12) + hourly < settings.floors['retry-storm']) return undefined
  const wasted = amountOf(course.wasted / 1e12)
  return {
    kind: 'retry-storm',
    owner: names.owner,
    subject: `${dimension}:${value}`,
    since_us: course.since_us,
    excess: wasted,
    hourly,
    score: storm.score,
    explanation: { dimension, value, cost: wasted, share: 1 },
    evidence: window.ids.slice(-8),
    message: storm.message(),
    trace: window,
  }
}

const whose = ({ loop, session }: Names): string => (session === undefined ? loop : `${loop}, session ${session}`)

/** How long a storm lasts, in a sentence. */
const lasting = ({ since_us }: Course, at_us: number): string => {
  const seconds = Math.max(1, Math.round((at_us - since_us) / 1e6))
  return seconds < 600 ? `${seconds} s` : `${Math.round(seconds / 60)} minutes`
}

/** The same request again and again: all but the first are waste. */
const repeats = (
  storms: Storms,
  call: Seen,
  names: Names,
  day: number,
  settings: DetectSettings,
): Candidate | undefined => {
  const { owner } = names
  if (call.fingerprint === undefined) return undefined
  const window = storms.prompts.touch(within(owner, call.fingerprint), settings.bounds.prompts, openWindow)
  forget(window, call.at_us)
  add(window, call)
  const habit = habitOf(storms, owner, day, settings.bounds.owners)
  const allowed = Math.min(KEPT, Math.max(settings.storm_repeats, habit.allowed))
  const count = sizeOf(window)
  if (count < allowed) {
    habit.most = Math.max(habit.most, count)
    window.course = undefined
    return undefined
  }
  const wasted = window.cost - (window.costs[window.from] ?? 0)
  const course = goOn(window, call, wasted)
  const message = () =>
    `${owner} (${whose(names)}) has sent the same request ${course.calls} times in ${lasting(course, call.at_us)} (${show(course.wasted / 1e12)} after the first)`
  const storm: Storm = {
    dimension: 'prompt',
    value: call.fingerprint,
    wasted,
    course,
    message,
    score: count / settings.storm_repeats,
  }
  return candidate(call, names, window, storm, settings)
}

const SMOOTHING = 0.1

/** How many calls came within the last two minutes, this one with them. */
const countIn = (feature: Feature, at_us: number): number => {
  const { calls } = feature
  while (feature.first < calls.length && (calls[feature.first] ?? 0) <= at_us - WINDOW_US) feature.first += 1
  if (calls.length - feature.first >= KEPT) feature.first += 1
  if (feature.first >= KEPT) {
    calls.splice(0, feature.first)
    feature.first = 0
  }
  calls.push(at_us)
  return calls.length - feature.first
}

/** Calls that mostly fail and come much more often than usual: somebody retries in a loop. */
const failing = (storms: Storms, call: Seen, names: Names, settings: DetectSettings): Candidate | undefined => {
  const feature = storms.features.touch(names.loop_key, settings.bounds.owners, openFeature)
  const window = Math.floor(call.at_us / WINDOW_US)
  if (feature.window !== window) {
    const idle = Math.min(100, window - feature.window - 1)
    feature.usual = (feature.usual + SMOOTHING * (feature.count - feature.usual)) * (1 - SMOOTHING) ** Math.max(0, idle)
    feature.window = window
    feature.count = 0
  }
  feature.count += 1
  const all = countIn(feature, call.at_us)
  if (!call.failed) return undefined
  forget(feature.failed, call.at_us)
  add(feature.failed, call)
  const failed = sizeOf(feature.failed)
  if (failed < FAILURES || failed * 2 <= all || all <= 5 * feature.usual) {
    feature.failed.course = undefined
    return undefined
  }
  const often = () =>
    feature.usual > 0.1 ? `${(all / feature.usual).toFixed(0)} times as often as usual` : 'out of the blue'
  const message = () =>
    `${failed} of the last ${all} calls of ${names.loop} (${names.owner}) failed, and they come ${often()}`
  const storm: Storm = {
    dimension: 'feature',
    value: names.loop,
    wasted: feature.failed.cost,
    course: goOn(feature.failed, call, feature.failed.cost),
    message,
    score: failed / FAILURES,
  }
  return candidate(call, names, feature.failed, storm, settings)
}

/**
 * Retry loops, by equal requests and by failures: while the request is known its failures say nothing more. A storm is seen
 * within the two minutes that it takes to be one.
 */
export const watchStorms = (
  storms: Storms,
  call: Seen,
  names: Names,
  day: number,
  settings: DetectSettings,
): Candidate | undefined => {
  const repeated = repeats(storms, call, names, day, settings)
  const failed = failing(storms, call, names, settings)
  return repeated ?? failed
}
