import type { Severity, Verdict } from '../../../core/alert.ts'
import { HOUR_US, MINUTE_US } from '../../../core/date.ts'
import { formatUsd, type Picodollars, picodollars } from '../../../core/money.ts'
import { Recent } from './bounded.ts'
import { type Candidate, type Finding, type Kind, keyOf } from './finding.ts'
import type { DetectSettings } from './settings.ts'

/**
 * Trouble that was told of: when it was told and last seen, how large it was when told and at most since, when it was looked
 * at again, and what of that nobody has taken yet.
 */
type Told = {
  told_us: number
  seen_us: number
  excess: bigint
  largest: bigint
  looked_us?: number
  latest?: Finding | undefined
}
/** What people said of an owner's alerts of a kind: how much more it takes now, until when nothing is said, and the most that was not said. */
type Opinion = { factor: number; quiet_until_us: number; unsaid?: bigint }
export type Gate = { told: Recent<Told>; opinions: Recent<Opinion> }

export const openGate = (): Gate => ({ told: new Recent(), opinions: new Recent() })

const ENTRIES = 20_000
const levels: readonly Kind[] = ['level-burst', 'level-hour', 'level-day']

/** The kinds that are one trouble with this one. */
const alike = (kind: Kind): readonly Kind[] => (levels.includes(kind) ? levels : [kind])
const opinionName = (owner: string, kind: Kind): string => JSON.stringify([owner, kind])

/** The name of trouble, which is one and the same over ten minutes, hours and days: it is told once. */
export const incident = ({ kind, owner, subject }: Pick<Candidate, 'kind' | 'owner' | 'subject'>): string =>
  levels.includes(kind)
    ? JSON.stringify(['level', owner])
    : keyOf({ kind, owner, ...(subject === undefined ? {} : { subject }) })

/** By how much thresholds of a kind are raised (above 1) or lowered for an owner, from what people said. */
export const sensitivity = (gate: Gate, owner: string, kind: Kind): number =>
  gate.opinions.size === 0 ? 1 : (gate.opinions.get(opinionName(owner, kind))?.factor ?? 1)

/**
 * Takes in what somebody says of a finding. A `no` raises the owner's threshold for that kind by a quarter, a `yes` lowers it
 * by a tenth; what is `planned` is silent whichever of the levels sees it.
 */
export const judge = (
  gate: Gate,
  about: Readonly<{ owner: string; kind: Kind }>,
  verdict: Verdict,
  until_us: number,
): void => {
  const of = (kind: Kind): Opinion =>
    gate.opinions.touch(opinionName(about.owner, kind), ENTRIES, () => ({ factor: 1, quiet_until_us: 0 }))
  const opinion = of(about.kind)
  if (verdict === 'no') opinion.factor = Math.min(4, opinion.factor * 1.25)
  if (verdict === 'yes') opinion.factor = Math.max(0.6, opinion.factor * 0.9)
  if (verdict !== 'planned') return
  for (const quiet of alike(about.kind).map(of)) {
    quiet.quiet_until_us = Math.max(quiet.quiet_until_us, until_us)
    quiet.unsaid = 0n
  }
}

const grave: ReadonlySet<Kind> = new Set(['leaked-key', 'runaway-session', 'retry-storm'])

const severityOf = (kind: Kind, projected: bigint, floor: bigint): Severity => {
  const base = floor > 0n ? floor : 1_000_000_000_000n
  if (projected >= 50n * base) return 'critical'
  return projected >= 5n * base || grave.has(kind) ? 'warning' : 'info'
}

/** What is planned of an owner carries half of the trouble. */
const isPlanned = (gate: Gate, owner: string, { kind, excess }: Candidate, now_us: number): boolean =>
  alike(kind).some((one) => {
    const opinion = gate.opinions.get(opinionName(owner, one))
    return opinion !== undefined && now_us < opinion.quiet_until_us && (opinion.unsaid ?? 0n) * 2n >= (excess ?? 0n)
  })

/** A wider owner's alert says nothing new while a narrower one is told of, or planned, that carries half of it. */
const toldNarrower = (
  gate: Gate,
  candidate: Candidate,
  narrower: readonly string[],
  now_us: number,
  cooldown_us: number,
): boolean =>
  narrower.some((owner) => {
    if (isPlanned(gate, owner, candidate, now_us)) return true
    const { kind, subject } = candidate
    const told = gate.told.get(incident({ kind, owner, ...(subject === undefined ? {} : { subject }) }))
    return told !== undefined && now_us - told.seen_us <= cooldown_us && told.largest * 2n >= (candidate.excess ?? 0n)
  })

const isLarge = ({ kind, excess, hourly }: Candidate, floor: bigint): boolean => {
  if (excess === null) return true
  // A storm is told of for what it would cost within the hour: it must be seen before it has cost that.
  return (kind === 'retry-storm' ? excess + hourly : excess) >= floor
}

type Moment = Readonly<{ at_us: number; midnight_us: number; narrower: readonly string[]; settings: DetectSettings }>

const finding = (candidate: Candidate, floor: bigint, again: boolean, { at_us, midnight_us }: Moment): Finding => {
  const { kind, owner, subject, excess, hourly, explanation, change } = candidate
  const seconds = BigInt(Math.max(0, Math.round((midnight_us - at_us) / 1e6)))
  const projected = picodollars((excess ?? 0n) + (hourly * seconds) / BigInt(HOUR_US / 1e6))
  const { cost, ...where } = explanation ?? { cost: 0n as Picodollars, dimension: '', value: '', share: 0 }
  return {
    key: keyOf(candidate),
    kind,
    owner,
    ...(subject === undefined ? {} : { subject }),
    at_us,
    since_us: Math.min(candidate.since_us, at_us),
    severity: severityOf(kind, projected, floor),
    spent_usd: excess === null ? null : formatUsd(excess),
    projected_usd: formatUsd(projected),
    score: Math.round(candidate.score * 100) / 100,
    ...(explanation ? { explained_by: { ...where, cost_usd: formatUsd(cost) } } : {}),
    ...(change
      ? { change_usd: { volume: formatUsd(change.volume), mix: formatUsd(change.mix), price: formatUsd(change.price) } }
      : {}),
    evidence: candidate.evidence,
    again,
    message: candidate.message,
  }
}

const remember = (gate: Gate, name: string, at_us: number, excess: bigint): void => {
  const told = gate.told.touch(name, ENTRIES, (): Told => ({ told_us: at_us, seen_us: at_us, excess, largest: excess }))
  told.told_us = at_us
  told.seen_us = at_us
  told.excess = excess
  told.largest = excess
  told.latest = undefined
}

/** Trouble that goes on is looked at once a minute. */
const lookAgain = (told: Told, candidate: Candidate, floor: bigint, moment: Moment): void => {
  const { at_us } = moment
  if (at_us - Math.max(told.told_us, told.looked_us ?? 0) < MINUTE_US) return
  told.looked_us = at_us
  told.latest = finding(candidate, floor, true, moment)
}

/** When trouble of this name was last seen, and how it looked since it was told or this was asked; undefined when it was never told or is forgotten. */
export const takeStanding = (gate: Gate, name: string): Pick<Told, 'seen_us' | 'latest'> | undefined => {
  const told = gate.told.get(name)
  if (told === undefined) return undefined
  const { seen_us, latest } = told
  told.latest = undefined
  return { seen_us, latest }
}

/** Lets whoever raised it know that it is told of. */
const noted = ({ trace }: Candidate, at_us: number): void => {
  if (trace) trace.told_us = at_us
}

/** Is nothing said at this moment? What would have been is remembered. */
const isQuiet = (opinion: Opinion | undefined, at_us: number, excess: bigint): boolean => {
  if (opinion === undefined || at_us >= opinion.quiet_until_us) return false
  if (excess > (opinion.unsaid ?? 0n)) opinion.unsaid = excess
  return true
}

/**
 * Decides whether a candidate is told: large enough, not said to be planned, not told before within its cool-down (which
 * lasts as long as the trouble is seen) unless it has doubled since (at most once an hour), and not contained in a narrower owner's alert.
 */
export const admit = (gate: Gate, candidate: Candidate, moment: Moment): Finding | undefined => {
  const { at_us, settings } = moment
  const { kind, owner } = candidate
  const opinion = gate.opinions.get(opinionName(owner, kind))
  const factor = BigInt(Math.round(Math.max(1, opinion?.factor ?? 1) * 1000))
  const floor = (settings.floors[kind] * factor) / 1000n
  if (!isLarge(candidate, floor)) return undefined
  const excess = candidate.excess ?? 0n
  if (isQuiet(opinion, at_us, excess)) return undefined
  const cooldown_us = settings.cooldowns_us[kind]
  const name = incident(candidate)
  const before = gate.told.get(name)
  const fresh = before === undefined || at_us - before.seen_us > cooldown_us
  if (!fresh) {
    before.seen_us = at_us
    noted(candidate, at_us)
    if (excess > before.largest) before.largest = excess
    if (excess < before.excess * 2n || candidate.excess === null || at_us - before.told_us < HOUR_US) {
      lookAgain(before, candidate, floor, moment)
      return undefined
    }
  }
  if (toldNarrower(gate, candidate, moment.narrower, at_us, cooldown_us)) return undefined
  remember(gate, name, at_us, excess)
  noted(candidate, at_us)
  return finding(candidate, floor, !fresh, moment)
}
