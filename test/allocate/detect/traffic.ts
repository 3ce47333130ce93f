import type { Picodollars } from '../../../src/core/money.ts'
import { type Budgets, type Detection, observe, openDetection } from '../../../src/playbook/allocate/detect/detect.ts'
import type { Finding } from '../../../src/playbook/allocate/detect/finding.ts'
import type { Observation } from '../../../src/playbook/allocate/detect/observation.ts'
import { type DetectSettings, defaultSettings } from '../../../src/playbook/allocate/detect/settings.ts'

export const MINUTE = 60_000_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
/** Monday 2026-10-05, UTC. */
export const START = Date.UTC(2026, 9, 5) * 1000
export const usd = (value: number) => BigInt(Math.round(value * 1e12)) as Picodollars

/** Seeded noise in [0, 1). */
export const noise = (seed: number) => {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 4_294_967_296
  }
}

let made = 0
export const call = (at_us: number, dollars: number | null, more: Partial<Observation> = {}): Observation => {
  made += 1
  const cost = dollars === null ? null : usd(dollars)
  return {
    id: `r${made}`,
    at_us,
    owners: ['team:search', 'organisation'],
    cost,
    ceiling: usd(0),
    failed: false,
    provider: 'openai',
    model: 'm-small',
    key: 'key-1',
    user: 'user-1',
    feature: 'answers',
    fingerprint: `f${made}`,
    input_tokens: 1000,
    cache_read_tokens: 0,
    cells: cost === null ? [] : [{ key: 'm-small in.text.fresh', quantity: 1000, cost }],
    ...more,
  }
}

/** An hourly shape of office days: quiet nights, quiet weekends. */
const weight = (at_us: number) => {
  const hour = Math.floor(at_us / HOUR) % 24
  const weekend = Math.floor((at_us - START) / DAY) % 7 >= 5
  return (hour >= 8 && hour < 19 ? 1 : 0.15) * (weekend ? 0.3 : 1)
}

/** Calls every minute that come to about `hourly` dollars in a busy hour, for so many days. */
export const ordinary = (days: number, hourly = 12, seed = 7, more: Partial<Observation> = {}): Observation[] => {
  const next = noise(seed)
  return Array.from({ length: days * 1440 }, (_, minute) => {
    const at_us = START + minute * MINUTE
    return call(at_us, (hourly / 60) * weight(at_us) * (0.6 + 0.8 * next()), more)
  })
}

export type Run = { state: Detection; findings: Finding[] }

export const run = (
  calls: readonly Observation[],
  settings: DetectSettings = defaultSettings,
  state = openDetection(),
  budgets: Budgets = new Map(),
): Run => ({ state, findings: calls.flatMap((one) => observe(state, one, settings, budgets)) })

export const brief = (findings: readonly Finding[]) => findings.map(({ kind, owner }) => `${kind} ${owner}`)
