import { MINUTE_US } from '../../core/date.ts'
import { budgetPeriod, IDLE_US, sliceLength } from '../../playbook/allocate/budget/period.ts'
import type { Active } from './active.ts'

/** Where an amount is counted: the key of its counter and, for a rolling window, that of the slice beside it. */
export type Place = {
  /** Valid for instants in [from, to), µs. */
  readonly from_us: number
  readonly to_us: number
  readonly key: bigint
  readonly expires_min: number
  readonly slice: Slice | undefined
  /** Where its counter was found last. */
  slot: number
  slice_slot: number
  /** `to_us` as ISO 8601, once somebody was told. */
  ends?: string
}

export type Slice = Readonly<{ key: bigint; index: bigint; expires_min: number }>

/** A period is over for good when calls that began in it can have ended; those that have not keep it. */
const GRACE_MIN = 2

/** 64 bits of a text: FNV-1a over its UTF-16 units in two halves; neither 0 nor -1, which mean something else. */
export const keyOf = (text: string): bigint => {
  let low = 0x811c9dc5
  let high = 0x01000193
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    low = Math.imul(low ^ unit, 0x01000193)
    high = Math.imul(high ^ unit, 0x85ebca6b) ^ (high >>> 13)
  }
  const key = BigInt.asIntN(64, (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0))
  return key === 0n || key === -1n ? 1n : key
}

/** The values of `each`, one text. A value has no control characters, so none can be taken for two. */
const scopeKey = ({ counter, epoch }: Active, values: readonly string[]): string =>
  `${counter.identity}\u0000${epoch}\u0000${values.join('\u0000')}`

/** The key of one slice of a rolling window. */
export const sliceKey = (active: Active, values: readonly string[], index: bigint): bigint =>
  keyOf(`${scopeKey(active, values)}\u0000slice:${index}`)

const minutes = (us: number): number => Math.ceil(us / MINUTE_US)

/** Where an amount of an instant is counted. */
export const placeOf = (active: Active, values: readonly string[], at_us: number): Place => {
  const { window } = active.counter.budget
  const { id, from_us, to_us } = budgetPeriod(window, at_us)
  const scope = scopeKey(active, values)
  const none = { slot: -1, slice_slot: -1 }
  if ('last_us' in window) {
    const index = BigInt(Math.floor(at_us / sliceLength(window.last_us)))
    return {
      from_us,
      to_us,
      key: keyOf(scope),
      expires_min: minutes(to_us + window.last_us) + GRACE_MIN,
      slice: {
        key: keyOf(`${scope}\u0000slice:${index}`),
        index,
        // Longer than the counter itself, which would keep what a slice that is gone cannot take out.
        expires_min: minutes(to_us + 2 * window.last_us) + 5 * GRACE_MIN,
      },
      ...none,
    }
  }
  const key = keyOf(`${scope}\u0000${id}`)
  if ('lifetime' in window) {
    const until_us = at_us + IDLE_US
    // Looked at again now and then, so that a scope that lives goes on living.
    return { from_us: 0, to_us: at_us + IDLE_US / 30, key, expires_min: minutes(until_us), slice: undefined, ...none }
  }
  return { from_us, to_us, key, expires_min: minutes(to_us) + GRACE_MIN, slice: undefined, ...none }
}
