/** Calls as the benchmark lays them out, and their price. */
import { multiply, picodollars, ZERO } from '../../src/core/money.ts'
import type { Observation } from '../../src/playbook/allocate/detect/observation.ts'
import type { Cell } from '../../src/playbook/allocate/detect/watched.ts'

export const HOUR_US = 3_600_000_000
export const DAY_US = 24 * HOUR_US
/** Monday 2026-10-05, UTC. */
export const START_US = Date.UTC(2026, 9, 5) * 1000
export const DAYS = 28

export type Call = Readonly<{
  at_us: number
  team: string
  feature: string
  model: string
  key: string
  user: string
  agent?: string
  session?: string
  fingerprint: string
  input: number
  cached: number
  output: number
  failed?: boolean
  /** Set on what an injection adds or makes dearer. */
  injected?: boolean
}>

/** US dollars per million tokens: fresh input, read from cache, output. */
const rates: Readonly<Record<string, readonly [string, string, string]>> = {
  large: ['15', '1.5', '75'],
  medium: ['3', '0.3', '15'],
  small: ['0.8', '0.08', '4'],
}

export const cellsOf = ({
  model,
  input,
  cached,
  output,
}: Pick<Call, 'model' | 'input' | 'cached' | 'output'>): Cell[] => {
  const [fresh, read, out] = rates[model] ?? ['15', '1.5', '75']
  const parts = [
    ['in.text.fresh', input - cached, fresh],
    ['in.text.cache_read', cached, read],
    ['out.text.visible', output, out],
  ] as const
  return parts.flatMap(([meter, quantity, rate]) =>
    quantity > 0 ? [{ key: `${model} ${meter}`, quantity, cost: multiply(quantity, rate) }] : [],
  )
}

export const costOf = (call: Pick<Call, 'model' | 'input' | 'cached' | 'output'>): bigint =>
  cellsOf(call).reduce((total, cell) => total + cell.cost, 0n)

export const observationOf = (call: Call, id: string): Observation => {
  const cells = cellsOf(call)
  return {
    id,
    at_us: call.at_us,
    owners: [`team:${call.team}`, 'organisation'],
    cost: picodollars(cells.reduce((total, cell) => total + cell.cost, 0n)),
    ceiling: ZERO,
    failed: call.failed ?? false,
    provider: 'provider',
    model: call.model,
    key: call.key,
    user: call.user,
    feature: call.feature,
    ...(call.agent === undefined ? {} : { agent: call.agent }),
    ...(call.session === undefined ? {} : { session: call.session }),
    fingerprint: call.fingerprint,
    input_tokens: call.input,
    cache_read_tokens: call.cached,
    cells,
  }
}
