/** Runs the detectors over a stream, and over what becomes of it from a moment on. */
import {
  type Detection,
  loadDetection,
  observe,
  openDetection,
  saveDetection,
} from '../../src/playbook/allocate/detect/detect.ts'
import type { Finding } from '../../src/playbook/allocate/detect/finding.ts'
import type { DetectSettings } from '../../src/playbook/allocate/detect/settings.ts'
import { type Call, costOf, DAY_US, HOUR_US, observationOf, START_US } from './calls.ts'
import { chanceOf } from './chance.ts'
import { type Injection, injections } from './inject.ts'
import { type Source, streamOf } from './streams.ts'

/** When trouble begins: drift early enough to last, the rest in the third week; at an hour in which the team is at work. */
const momentOf = (calls: readonly Call[], team: string, injection: Injection, seed: number): number => {
  const chance = chanceOf(`moment ${seed} ${team} ${injection.name}`)
  const day = injection.lasts_us > 7 * DAY_US ? 14 : 15 + Math.floor(chance() * 8)
  const from = START_US + day * DAY_US
  const hours = new Map<number, number>()
  for (const call of calls) {
    if (call.team !== team || call.at_us < from || call.at_us >= from + 2 * DAY_US) continue
    const hour = Math.floor(call.at_us / HOUR_US)
    hours.set(hour, (hours.get(hour) ?? 0) + Number(costOf(call)))
  }
  const mean = [...hours.values()].reduce((sum, value) => sum + value, 0) / 48
  const busy = [...hours].filter(([, cost]) => cost >= mean).map(([hour]) => hour)
  return (
    (busy[Math.floor(chance() * busy.length)] ?? Math.floor(from / HOUR_US)) * HOUR_US +
    Math.floor(chance() * 0.8 * HOUR_US)
  )
}

export type Trial = Readonly<{
  source: Source
  seed: number
  team: string
  injection: string
  found: boolean
  kind?: string
  delay_minutes: number
  /** Dollars that the trouble had cost at the alert; without one, all it cost. */
  lost_usd: number
  injected_usd: number
}>
export type Quiet = Readonly<{ source: Source; seed: number; findings: readonly Finding[]; owners: number }>

const usd = (amount: bigint) => Number(amount) / 1e12

/** What each injected call costs beyond what it would have cost anyway. */
const extra = (call: Call, originals: ReadonlyMap<string, bigint>): bigint =>
  call.injected ? costOf(call) - (originals.get(call.fingerprint) ?? 0n) : 0n

type Fork = Readonly<{ team: string; injection: Injection; at_us: number; index: number }>

const runFork = (
  state: Detection,
  calls: readonly Call[],
  fork: Fork,
  quiet: ReadonlySet<string>,
  source: Source,
  seed: number,
  settings: DetectSettings,
): Trial => {
  const { team, injection, at_us, index } = fork
  const end_us = at_us + injection.lasts_us + HOUR_US
  const rest = calls.slice(index).filter((call) => call.at_us < end_us)
  const own = rest.filter((call) => call.team === team)
  const chance = chanceOf(`inject ${seed} ${team} ${injection.name}`)
  const changed = injection.into(own, at_us, chance)
  const originals = new Map(own.map((call) => [call.fingerprint, costOf(call)]))
  const all = [...rest.filter((call) => call.team !== team), ...changed].sort((a, b) => a.at_us - b.at_us)
  const injected = all.reduce((sum, call) => sum + extra(call, originals), 0n)
  const begun = all.find((call) => call.injected)?.at_us ?? at_us
  const outcome = { source, seed, team, injection: injection.name, injected_usd: usd(injected) }
  let lost = 0n
  for (const [nth, call] of all.entries()) {
    lost += extra(call, originals)
    const found = observe(state, observationOf(call, `fork-${nth}`), settings)
    const hit = found.find(
      ({ key, owner }) => (owner === `team:${team}` || owner === 'organisation') && !quiet.has(key),
    )
    if (hit && call.at_us >= begun)
      return {
        ...outcome,
        found: true,
        kind: hit.kind,
        delay_minutes: (call.at_us - begun) / 60e6,
        lost_usd: usd(lost),
      }
  }
  return { ...outcome, found: false, delay_minutes: (end_us - begun) / 60e6, lost_usd: usd(injected) }
}

/**
 * One seed: the stream as it is, for false alerts, and from a moment on each kind of trouble in each team. State is saved
 * as JSON at the moment and loaded for the fork. A finding that the undisturbed stream raises as well, at any time from
 * the moment on, is no detection.
 */
export const runSeed = (source: Source, seed: number, settings: DetectSettings): { quiet: Quiet; trials: Trial[] } => {
  const calls = streamOf(source, seed)
  const teams = [...new Set(calls.map(({ team }) => team))].sort()
  const forks = teams
    .flatMap((team) =>
      injections.map((injection) => ({ team, injection, at_us: momentOf(calls, team, injection, seed) })),
    )
    .sort((a, b) => a.at_us - b.at_us)
  const state = openDetection()
  const findings: Finding[] = []
  const saved: { fork: Fork; json: string }[] = []
  let next = 0
  calls.forEach((call, index) => {
    for (let fork = forks[next]; fork && fork.at_us <= call.at_us; fork = forks[next]) {
      saved.push({ fork: { ...fork, index }, json: saveDetection(state) })
      next += 1
    }
    findings.push(...observe(state, observationOf(call, String(index)), settings))
  })
  const trials = saved.flatMap(({ fork, json }) => {
    const until = fork.at_us + fork.injection.lasts_us + HOUR_US
    const raised = findings.filter(({ at_us }) => at_us >= fork.at_us && at_us < until)
    const trial = runFork(
      loadDetection(json),
      calls,
      fork,
      new Set(raised.map(({ key }) => key)),
      source,
      seed,
      settings,
    )
    // A cache cannot break where nothing is cached: what costs nothing is no trial.
    return trial.injected_usd > 0 ? [trial] : []
  })
  return { quiet: { source, seed, findings, owners: teams.length + 1 }, trials }
}
