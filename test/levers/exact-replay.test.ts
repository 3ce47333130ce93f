/** What a replay of the exact cache promises for the same question asked whole and as a stream. */
import { expect, test } from 'vitest'
import type { Past } from '../../src/core/past.ts'
import type { Wire } from '../../src/core/wire.ts'
import { lever } from '../../src/playbook/cache/exact.ts'
import { wires } from '../../src/wires/index.ts'
import { billAfter, blankPast, costOf } from './past.ts'

const ENDED_US = 1_000_000

const asked = (wire: string, stream: boolean, nth: number): Past => ({
  ...blankPast,
  kind: nth,
  at_us: nth * 60_000_000,
  ended_at_us: nth * 60_000_000 + ENDED_US,
  circle: { endpoint: 'chat', wire },
  stream,
  temperature: 0,
  finish_reason: 'stop',
  fingerprints: { exact: 'a'.padStart(16, '0') },
  usage: { ...blankPast.usage, fresh: 100, output: 20 },
})

const catalogue: readonly (readonly [string, Wire])[] = Object.entries(wires)

test.each(catalogue)(
  '%s is billed once for both forms where it can give one as the other, and else for each',
  (name, wire) => {
    const day = [false, true, false, true].map((stream, nth) => asked(name, stream, nth))
    const once = costOf(asked(name, false, 0))
    expect(once).toBeGreaterThan(0)
    expect(billAfter(lever, {}, day)).toBe(wire.forms ? once : 2 * once)
  },
)

test('a call of which the wire is not known is another one as a stream than whole', () => {
  const day = [false, true].map((stream, nth) => ({ ...asked('', stream, nth), circle: { endpoint: 'chat' } }))
  expect(billAfter(lever, {}, day)).toBe(2 * costOf(asked('', false, 0)))
})
