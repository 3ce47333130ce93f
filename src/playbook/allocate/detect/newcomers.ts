import { DAY_US, HOUR_US } from '../../../core/date.ts'
import { amountOf, dollars, show } from './amounts.ts'
import { Recent, within } from './bounded.ts'
import type { Candidate } from './finding.ts'
import { type Observation, withEvidence } from './observation.ts'
import type { DetectSettings } from './settings.ts'

/** Something seen for the first time at `first_us`, and what it has spent in its first day. */
type Newcomer = { first_us: number; cost: bigint; evidence: string[] }
/** What a key is usually used with, and what it has spent beyond that in the last day. */
type Habits = {
  first_us: number
  calls: number
  users: Recent<number>
  models: Recent<number>
  features: Recent<number>
  /** Share of calls that had something new, decaying: some keys are used by everybody from everywhere. */
  novelty: number
  strange_since_us: number
  /** What the strangeness may cost before it pages, dollars: fixed when it began. */
  allowed: number
  strange: bigint
  evidence: string[]
}
export type Newcomers = {
  begun_us: number | null
  keys: Recent<Newcomer>
  models: Recent<Newcomer>
  habits: Recent<Habits>
}

export const openNewcomers = (): Newcomers => ({
  begun_us: null,
  keys: new Recent(),
  models: new Recent(),
  habits: new Recent(),
})

const LEAST_CALLS = 50
const KNOWN = 64
const NOVELTY_DECAY = 0.995

const newcomer = (
  kind: 'new-key' | 'new-model',
  entry: Newcomer,
  subject: string,
  owner: string,
  at_us: number,
): Candidate => {
  const spent = dollars(entry.cost)
  const hours = Math.max(1 / 6, (at_us - entry.first_us) / HOUR_US)
  const word = kind === 'new-key' ? 'key' : 'model'
  return {
    kind,
    owner,
    subject,
    since_us: entry.first_us,
    excess: amountOf(spent),
    hourly: amountOf(spent / hours),
    score: 1,
    explanation: { dimension: word, value: subject, cost: amountOf(spent), share: 1 },
    evidence: [...entry.evidence],
    message: `${owner} uses the ${word} ${subject} for the first time and has spent ${show(spent)} with it`,
  }
}

const meet = (
  kind: 'new-key' | 'new-model',
  newcomers: Newcomers,
  subject: string,
  call: Observation,
  settings: DetectSettings,
): Candidate | undefined => {
  const owner = call.owners[0] ?? 'unallocated'
  const map = kind === 'new-key' ? newcomers.keys : newcomers.models
  const make = (): Newcomer => ({ first_us: call.at_us, cost: 0n, evidence: [] })
  const entry = map.touch(within(owner, subject), settings.bounds.entities, make)
  const old = entry.first_us - (newcomers.begun_us ?? call.at_us) < settings.learning_us
  if (old || call.at_us - entry.first_us > DAY_US) return undefined
  entry.cost += call.cost ?? 0n
  if (call.cost !== 0n) entry.evidence = withEvidence(entry.evidence, call)
  return entry.cost > settings.floors[kind] ? newcomer(kind, entry, subject, owner, call.at_us) : undefined
}

/** True for a day after the value was first seen with the key; a key's first call, and its own first days, make everything known. */
const isStrange = (
  known: Recent<number>,
  value: string | undefined,
  habits: Habits,
  at_us: number,
  learning_us: number,
): boolean => {
  if (value === undefined) return false
  const first = known.touch(value, KNOWN, () => at_us)
  const since_us = first - habits.first_us
  return since_us > 0 && since_us >= learning_us && at_us - first <= DAY_US
}

type Strange = Readonly<{ user: boolean; model: boolean; feature: boolean }>

const strangeIn = (habits: Habits, call: Observation, learning_us: number): Strange => {
  const strange = (known: Recent<number>, value: string | undefined) =>
    isStrange(known, value, habits, call.at_us, learning_us)
  return {
    user: strange(habits.users, call.user),
    model: strange(habits.models, call.model),
    feature: strange(habits.features, call.feature ?? 'none'),
  }
}

/** Two points are strange, three are a stranger rather than a new colleague. */
const pointsOf = ({ user, model, feature }: Strange): number => (user ? 1 : 0) + (model ? 1 : 0) + (feature ? 1 : 0)

const leak = (habits: Habits, call: Observation, key: string, { user, model, feature }: Strange): Candidate => {
  const spent = dollars(habits.strange)
  const hours = Math.max(1 / 6, (call.at_us - habits.strange_since_us) / HOUR_US)
  const seen: readonly (readonly [string, string | undefined])[] = [
    ...(user ? [['user', call.user] as const] : []),
    ...(model ? [['model', call.model] as const] : []),
    ...(feature ? [['feature', call.feature ?? 'none'] as const] : []),
  ]
  const [dimension = 'key', value = key] = seen[0] ?? []
  const what = seen.map(([word, name]) => `${word} ${name}`).join(', ')
  return {
    kind: 'leaked-key',
    owner: call.owners[0] ?? 'unallocated',
    subject: key,
    since_us: habits.strange_since_us,
    excess: amountOf(spent),
    hourly: amountOf(spent / hours),
    score: 1 + seen.length,
    explanation: { dimension, value, cost: amountOf(spent), share: 1 },
    evidence: [...habits.evidence],
    message: `key ${key} is used with ${what} for the first time, and has spent ${show(spent)} so: it may have leaked`,
  }
}

/**
 * A key that has been used for a while is used with two of user, model and feature new to it, and that spends. A new
 * colleague is only in part new, and may spend more before it pages. Keys that see something new all the time must stand
 * out from that.
 */
const leaked = (newcomers: Newcomers, call: Observation, settings: DetectSettings): Candidate | undefined => {
  const { key, at_us } = call
  if (key === undefined) return undefined
  const habits = newcomers.habits.touch(key, settings.bounds.entities, (): Habits => {
    return {
      first_us: at_us,
      calls: 0,
      users: new Recent(),
      models: new Recent(),
      features: new Recent(),
      novelty: 0,
      allowed: 0,
      strange_since_us: 0,
      strange: 0n,
      evidence: [],
    }
  })
  const calls = call.calls ?? 1
  habits.calls += calls
  const strange = strangeIn(habits, call, settings.learning_us)
  const foreign = pointsOf(strange) >= 2
  const usual = habits.novelty
  const kept = calls === 1 ? NOVELTY_DECAY : NOVELTY_DECAY ** calls
  habits.novelty = usual * kept + (foreign ? 1 - kept : 0)
  if (!foreign || habits.calls < LEAST_CALLS) return undefined
  if (at_us - habits.strange_since_us > DAY_US) {
    habits.strange_since_us = at_us
    habits.strange = 0n
    habits.allowed = dollars(settings.floors['leaked-key']) * (1 + 20 * usual)
    habits.evidence = []
  }
  habits.strange += call.cost ?? call.ceiling
  habits.evidence = withEvidence(habits.evidence, call)
  const patience = pointsOf(strange) >= 3 ? 1 : 3
  return dollars(habits.strange) > habits.allowed * patience ? leak(habits, call, key, strange) : undefined
}

export const watchNewcomers = (newcomers: Newcomers, call: Observation, settings: DetectSettings): Candidate[] => {
  newcomers.begun_us ??= call.at_us
  const found = [
    call.key === undefined ? undefined : meet('new-key', newcomers, call.key, call, settings),
    meet('new-model', newcomers, call.model, call, settings),
    leaked(newcomers, call, settings),
  ]
  return found.filter((one) => one !== undefined)
}
