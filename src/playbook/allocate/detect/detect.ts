import type { Verdict } from '../../../core/alert.ts'
import { HOUR_US, MINUTE_US } from '../../../core/date.ts'
import { formatUsd, picodollars } from '../../../core/money.ts'
import { fromJson, Recent, toJson } from './bounded.ts'
import { type Families, watchCache } from './cache-share.ts'
import { type Day, dayAt } from './clock.ts'
import type { Candidate, Finding } from './finding.ts'
import { admit, type Gate, judge, openGate, sensitivity } from './gate.ts'
import { type Level, openLevel, overLimit, turnDays, turnHours } from './level.ts'
import { type MixState, openMix, turnMix, watchMix } from './mix.ts'
import { type Names, namesOf, type Seen } from './names.ts'
import { type Newcomers, openNewcomers, watchNewcomers } from './newcomers.ts'
import type { Observation } from './observation.ts'
import { openPace, overBurn, overPace, type Pace, spendAt, turnPace } from './pace.ts'
import { type Doubts, openDoubts, watchPrices } from './pricing.ts'
import { meanStep } from './series.ts'
import { openSessions, type Sessions, watchSession } from './sessions.ts'
import type { BurnBudget, DetectSettings } from './settings.ts'
import { openStorms, type Storms, watchStorms } from './storm.ts'
import { explain, openTallies, type Tallies, tally } from './tallies.ts'

type Owner = { hours: Level; days: Level; pace: Pace; mix: MixState; tallies: Tallies }

/** Everything the detectors remember. Bounded by the settings; `saveDetection` makes it JSON. */
export type Detection = {
  version: 3
  now_us: number
  day: Day | null
  owners: Recent<Owner>
  storms: Storms
  sessions: Sessions
  families: Families
  newcomers: Newcomers
  doubts: Doubts
  gate: Gate
}

export const openDetection = (): Detection => ({
  version: 3,
  now_us: 0,
  day: null,
  owners: new Recent(),
  storms: openStorms(),
  sessions: openSessions(),
  families: new Recent(),
  newcomers: openNewcomers(),
  doubts: openDoubts(),
  gate: openGate(),
})

/** The state as JSON text. */
export const saveDetection = (state: Detection): string => toJson(state)

/** The state of a saved text, or a new one where the text is of another version or none. */
export const loadDetection = (text: string): Detection => {
  try {
    const state = fromJson(text) as Detection | null
    return typeof state === 'object' && state?.version === 3 ? state : openDetection()
  } catch {
    return openDetection()
  }
}

/** Budgets by owner, for burn rates. */
export type Budgets = ReadonlyMap<string, readonly BurnBudget[]>

type Now = Readonly<{ at_us: number; hour: number; day: Day; settings: DetectSettings; gate: Gate }>

const turn = (owner: Owner, name: string, now: Now): void => {
  const { hour, day, at_us, settings, gate } = now
  const hours = hour - owner.hours.step
  if (hours > 0) {
    const expected = owner.hours.series.expected.at(-1)
    turnHours(owner.hours, { step: hour, at_us, settings, factor: sensitivity(gate, name, 'level-hour') })
    const next = owner.hours.series.expected.at(-1)
    const factor = sensitivity(gate, name, 'level-burst')
    turnPace(owner.pace, { hours, expected, next, usual_hour: meanStep(owner.hours.series), settings, factor })
    turnMix(owner.mix, hours)
  }
  if (day.number > owner.days.step) {
    turnDays(owner.days, { step: day.number, at_us, settings, factor: sensitivity(gate, name, 'level-day') }, day)
  }
}

const watchOwner = (state: Detection, name: string, call: Observation, now: Now, budgets: Budgets): Candidate[] => {
  const { hour, day, at_us, settings, gate } = now
  const owner = state.owners.touch(name, settings.bounds.owners, () => ({
    hours: openLevel(hour, at_us),
    days: openLevel(day.number, at_us),
    pace: openPace(),
    mix: openMix(),
    tallies: openTallies(),
  }))
  turn(owner, name, now)
  const cost = call.cost ?? 0n
  owner.hours.cost += cost
  owner.days.cost += cost
  spendAt(owner.pace, Math.floor(at_us / MINUTE_US), cost)
  tally(owner.tallies, call, hour, day.number, settings.bounds.values)
  const seen = { owner: name, at_us, hour, day, tallies: owner.tallies }
  const found = [
    overPace(owner.pace, seen),
    overLimit(owner.hours, 'level-hour', seen),
    overLimit(owner.days, 'level-day', seen),
    watchMix(owner.mix, call, { ...seen, settings, factor: sensitivity(gate, name, 'mix-shift') }),
    ...(budgets.get(name) ?? []).map((budget) => overBurn(owner.pace, budget, seen)),
  ]
  return found.filter((one) => one !== undefined)
}

/** What is seen of each call by itself. */
const watchEach = (state: Detection, call: Seen, names: Names, now: Now): Candidate[] => {
  const { settings, gate, day } = now
  const storm = watchStorms(state.storms, call, names, day.number, settings)
  const factor = sensitivity(gate, names.owner, 'runaway-session')
  const session = watchSession(state.sessions, call, names, settings, factor)
  if (storm === undefined) return session === undefined ? none : [session]
  return session === undefined ? [storm] : [storm, session]
}

const none: Candidate[] = []

/** What is seen of calls alike together. */
const watchCalls = (state: Detection, call: Observation, now: Now): Candidate[] => {
  const { settings, gate } = now
  const factor = sensitivity(gate, call.owners[0] ?? 'unallocated', 'cache-drop')
  const found = [
    watchCache(state.families, call, settings, factor),
    ...watchNewcomers(state.newcomers, call, settings),
    ...watchPrices(state.doubts, call, settings),
  ]
  return found.filter((one) => one !== undefined)
}

/** Calls come in the order of time; one that is late is booked at the moment of the last. */
const momentOf = (state: Detection, call_us: number, settings: DetectSettings): Now => {
  const at_us = Math.max(state.now_us, call_us)
  state.now_us = at_us
  if (state.day === null || at_us >= state.day.to_us) state.day = dayAt(settings.zone, at_us)
  return { at_us, hour: Math.floor(at_us / HOUR_US), day: state.day, settings, gate: state.gate }
}

const tell = (
  candidates: readonly Candidate[],
  { at_us, day, settings, gate }: Now,
  narrower: readonly string[],
): readonly Finding[] =>
  candidates.flatMap((candidate) => {
    if (settings.off.includes(candidate.kind)) return []
    return admit(gate, candidate, { at_us, midnight_us: day.to_us, settings, narrower }) ?? []
  })

/** Takes in a call as far as each counts by itself: storms and sessions. `observeAlike` must be told of it as well. */
export const observeEach = (
  state: Detection,
  call: Seen,
  names: Names,
  settings: DetectSettings,
): readonly Finding[] => {
  const now = momentOf(state, call.at_us, settings)
  const found = watchEach(state, now.at_us === call.at_us ? call : { ...call, at_us: now.at_us }, names, now)
  return found.length === 0 ? nothing : tell(found, now, [])
}

const nothing: readonly Finding[] = []

/** Takes in calls alike as far as they count together: levels, mix, cache, what is new, prices. */
export const observeAlike = (
  state: Detection,
  calls: Observation,
  settings: DetectSettings,
  budgets: Budgets = new Map(),
): readonly Finding[] => {
  const now = momentOf(state, calls.at_us, settings)
  const timed = now.at_us === calls.at_us ? calls : { ...calls, at_us: now.at_us }
  const found = tell(watchCalls(state, timed, now), now, [])
  const levels = calls.owners.flatMap((name, at) =>
    tell(watchOwner(state, name, timed, now, budgets), now, calls.owners.slice(0, at)),
  )
  return [...found, ...levels]
}

/**
 * Takes in one call and says what is wrong now, if anything. `state` is changed in place. What is found depends on the calls
 * and the settings only.
 */
export const observe = (
  state: Detection,
  call: Observation,
  settings: DetectSettings,
  budgets: Budgets = new Map(),
): readonly Finding[] => {
  const cost = call.cost === null ? null : Number(call.cost)
  const seen: Seen = { ...call, cost, ceiling: Number(call.ceiling) }
  return [...observeEach(state, seen, namesOf(call), settings), ...observeAlike(state, call, settings, budgets)]
}

/** Takes in what somebody says of a finding; `planned` holds until `until_us`. */
export const answer = (
  state: Detection,
  finding: Pick<Finding, 'owner' | 'kind'>,
  verdict: Verdict,
  until_us = state.now_us + 24 * HOUR_US,
): void => judge(state.gate, finding, verdict, until_us)

const QUARTER_MINUTES = 15
const QUARTERS = 24

/** What an owner has spent in the six hours up to now, by quarter of an hour, oldest first, US dollars; empty for a stranger. */
export const spendTrend = (state: Detection, name: string): readonly string[] => {
  const owner = state.owners.get(name)
  if (!owner) return []
  const last = Math.floor(state.now_us / MINUTE_US / QUARTER_MINUTES)
  const slices = Array.from({ length: QUARTERS }, () => 0n)
  for (const [minute, cost] of owner.pace.minutes) {
    const at = QUARTERS - 1 - (last - Math.floor(minute / QUARTER_MINUTES))
    if (at >= 0 && at < QUARTERS) slices[at] = (slices[at] ?? 0n) + cost
  }
  return slices.map((cost) => formatUsd(picodollars(cost)))
}

/** What carries an owner's spend of the running day, with calls that show it; nothing for a stranger. */
export const explainDay = (state: Detection, name: string): ReturnType<typeof explain> => {
  const owner = state.owners.get(name)
  if (!owner || state.day === null) return { evidence: [] }
  return explain(owner.tallies, { hour: Math.floor(state.now_us / HOUR_US), day: state.day.number })
}
