/** Calls that are gathered and observed together tell of the same trouble, within a minute, as calls observed one by one. */
import { expect, test } from 'vitest'
import { finder } from '../../src/gateway/watch/find.ts'
import { observe, openDetection } from '../../src/playbook/allocate/detect/detect.ts'
import type { Finding } from '../../src/playbook/allocate/detect/finding.ts'
import type { Observation } from '../../src/playbook/allocate/detect/observation.ts'
import { defaultSettings } from '../../src/playbook/allocate/detect/settings.ts'
import { openStrand, type Sighting, type Strand } from '../../src/playbook/allocate/detect/strand.ts'
import { call, DAY, HOUR, MINUTE, ordinary, START } from '../allocate/detect/traffic.ts'

const noon = START + 4 * DAY + 12 * HOUR
const usual = ordinary(5).filter(({ at_us }) => at_us < noon)
const every = (seconds: number, count: number, more: Partial<Observation>, dollars = 0.1) =>
  Array.from({ length: count }, (_, at) => call(noon + at * seconds * 1e6, dollars, more))

/** Each call four times as often, at a quarter of its price: within a minute there is something to gather. */
const split = (calls: readonly Observation[]): Observation[] =>
  calls.flatMap((one) =>
    [0, 1, 2, 3].map((at) => ({
      ...one,
      id: `${one.id}.${at}`,
      at_us: one.at_us + at * 1e5,
      cost: ((one.cost ?? 0n) / 4n) as NonNullable<Observation['cost']>,
      cells: one.cells.map((cell) => ({ ...cell, cost: (cell.cost / 4n) as typeof cell.cost })),
      fingerprint: one.fingerprint === 'same' ? 'same' : `${one.fingerprint}.${at}`,
    })),
  )

const options = {
  store: undefined as never,
  prices: { rows: [] } as never,
  log: { event: expect.unreachable } as never,
}

/** As the watch does with pieces of a segment, of `together` calls each. */
const gathered = (calls: readonly Observation[], together: number): Finding[] => {
  const { find, flush } = finder(options, { detection: openDetection(), position: 0, judged_us: 0 }, defaultSettings)
  const strands = new Map<string, Strand>()
  const strandOf = (one: Observation): Strand => {
    const name = JSON.stringify([one.user, one.session, one.model, one.feature, one.failed, one.key])
    const known = strands.get(name)
    if (known) return known
    const made = openStrand({
      key_id: one.key,
      team: 'search',
      feature: one.feature,
      user: one.user,
      session: one.session,
      agent: one.agent,
      provider: one.provider,
      model_served: one.model,
      outcome: one.failed ? 'error' : 'ok',
      cell_names: one.cells.map(({ key }) => key),
      price_rows: [],
      unpriced: false,
    } as unknown as Strand['alike'])
    strands.set(name, made)
    return made
  }
  const sightingOf = (one: Observation): Sighting => ({
    id: one.id,
    at_us: one.at_us,
    cost: Number(one.cost),
    ceiling: 0,
    fingerprint: one.fingerprint,
    input_tokens: one.input_tokens,
    cache_read_tokens: one.cache_read_tokens,
    quantities: one.cells.map(({ quantity }) => quantity),
    costs: one.cells.map(({ cost }) => Number(cost)),
  })
  const found = calls.flatMap((one, at) => [
    ...find(strandOf(one), sightingOf(one)),
    ...((at + 1) % together === 0 ? flush() : []),
  ])
  return [...found, ...flush()].map(({ finding }) => finding)
}

const single = (calls: readonly Observation[]): Finding[] => {
  const state = openDetection()
  return calls.flatMap((one) => observe(state, one, defaultSettings))
}

const troubles: Readonly<Record<string, readonly Observation[]>> = {
  'a retry storm': every(5, 60, { fingerprint: 'same', failed: true }),
  'failures that differ': every(1, 90, { failed: true }, 0.05),
  'a runaway session': every(20, 300, { session: 'wild', agent: 'coder' }),
  'a burst of one user': every(5, 600, { user: 'user-9', feature: 'nightly' }),
  'a new key': every(30, 100, { key: 'key-2' }),
}

test.each(Object.entries(troubles))('%s', (_, trouble) => {
  const calls = [...usual, ...split(trouble)]
  const alone = single(calls)
  expect(alone.length).toBeGreaterThan(0)
  for (const together of [3, 200]) {
    const found = gathered(calls, together)
    expect(found.map(({ key }) => key)).toEqual(alone.map(({ key }) => key))
    for (const [at, { at_us }] of found.entries())
      expect(Math.abs(at_us - (alone[at]?.at_us ?? 0))).toBeLessThanOrEqual(MINUTE)
  }
})

test('nothing is found in ordinary traffic, gathered or not', () => {
  expect(gathered(split(usual), 200)).toEqual([])
})
