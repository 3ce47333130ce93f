import type { Verdict } from '../../../core/alert.ts'
import { formatUsd, picodollars } from '../../../core/money.ts'
import { fromJson, Recent, toJson } from './bounded.ts'
import { type Families, watchCache } from './cache-share.ts'
import { type Day, dayAt, HOUR_US, MINUTE_US } from './clock.ts'
import type { Candidate, Finding, Kind } from './finding.ts'
import { admit, type Gate, judge, openGate, sensitivity } from './gate.ts'
import { type Level, openLevel, overLimit, turnDays, turnHours } from './level.ts'
import { type MixState, openMix, turnMix, watchMix } from './mix.ts'
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
  version: 2
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
  version: 2,
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
    return typeof state === 'object' && state?.version === 2 ? state : openDetection()
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

const watchCall = (state: Detection, call: Observation, now: Now): Candidate[] => {
  const { settings, gate, day } = now
  const owner = call.owners[0] ?? 'unallocated'
  const factor = (kind: Kind) => sensitivity(gate, owner, kind)
  const found = [
    watchStorms(state.storms, call, day.number, settings),
    watchSession(state.sessions, call, settings, factor('runaway-session')),
    watchCache(state.families, call, settings, factor('cache-drop')),
    ...watchNewcomers(state.newcomers, call, settings),
    ...watchPrices(state.doubts, call, settings),
  ]
  return found.filter((one) => one !== undefined)
}

/**
 * Takes in one call and says what is wrong now, if anything. `state` is changed in place. Calls come in the order of time;
 * one that is late is booked at the moment of the last. What is found depends on the calls and the settings only.
 */
export const observe = (
  state: Detection,
  call: Observation,
  settings: DetectSettings,
  budgets: Budgets = new Map(),
): readonly Finding[] => {
  const at_us = Math.max(state.now_us, call.at_us)
  state.now_us = at_us
  if (state.day === null || at_us >= state.day.to_us) state.day = dayAt(settings.zone, at_us)
  const now: Now = { at_us, hour: Math.floor(at_us / HOUR_US), day: state.day, settings, gate: state.gate }
  const timed = at_us === call.at_us ? call : { ...call, at_us }
  const moment = { at_us, midnight_us: state.day.to_us, settings }
  const tell = (candidates: readonly Candidate[], narrower: readonly string[]) =>
    candidates.flatMap((candidate) => admit(state.gate, candidate, { ...moment, narrower }) ?? [])
  const found = tell(watchCall(state, timed, now), [])
  const levels = call.owners.flatMap((name, at) =>
    tell(watchOwner(state, name, timed, now, budgets), call.owners.slice(0, at)),
  )
  return [...found, ...levels]
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

/** When trouble of this name was last seen, µs; undefined when it was never told or is forgotten. */
export const lastSeen = (state: Detection, name: string): number | undefined => state.gate.told.get(name)?.seen_us
