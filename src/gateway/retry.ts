import type { Limits } from '../core/settings.ts'
import type { Headers } from '../core/wire.ts'
import type { Answer, Call } from './call.ts'

/** Statuses after which the same request may succeed. 529 is Anthropic's "overloaded". */
const retryable = new Set([408, 429, 500, 502, 503, 504, 529])

/** A provider that asks for a longer wait than this gets its answer passed on instead: the client's SDK waits better. */
const LONGEST_WAIT_MS = 8000
/** As the SDKs of OpenAI and Anthropic wait, whose retries Weir does for them. */
const FIRST_WAIT_MS = 500

/** May another attempt do better? `x-should-retry`, which OpenAI and Anthropic send, says so for certain. */
export const isRetryable = (status: number, headers: Headers | undefined): boolean => {
  if (status < 400) return false
  const said = headers?.['x-should-retry']
  return said === 'true' || (said !== 'false' && retryable.has(status))
}

/**
 * Has Weir tried as often as it may? Then an SDK that tried again of its own accord would multiply its attempts by ours,
 * and is told not to: every call has one owner of its retries. With `limits.attempts: 1` that is the SDK.
 */
export const gaveUp = ({ attempt, retryable }: Answer, { attempts }: Limits): boolean =>
  retryable && attempts > 1 && (attempt?.number ?? 0) >= attempts

/** What `retry-after` (seconds or an HTTP date) or `retry-after-ms` asks for, in milliseconds. */
export const retryAfter = (headers: Headers | undefined, now_us: number): number | undefined => {
  const ms = Number(headers?.['retry-after-ms'] ?? Number.NaN)
  if (ms >= 0) return ms
  const after = headers?.['retry-after']
  if (after === undefined) return undefined
  const seconds = Number(after)
  if (seconds >= 0) return seconds * 1000
  const at_ms = Date.parse(after)
  return Number.isNaN(at_ms) ? undefined : Math.max(0, at_ms - now_us / 1000)
}

export type Wait = Readonly<{
  headers: Headers | undefined
  /** The wait that the answer's body asks for, s; a header goes before it. */
  body_s?: number | undefined
  /** Failed attempts so far. */
  failures: number
  now_us: number
  random: () => number
}>

/**
 * Milliseconds to wait before the same target is tried again: what it asks for, or twice as long each time, jittered so
 * that clients do not come back together. Undefined when it asks for too long.
 */
export const waitBefore = ({ headers, body_s, failures, now_us, random }: Wait): number | undefined => {
  const asked = retryAfter(headers, now_us) ?? (body_s === undefined ? undefined : body_s * 1000)
  if (asked !== undefined && asked > LONGEST_WAIT_MS) return undefined
  const own = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** (failures - 1)) * (0.5 + random() / 2)
  return asked === undefined ? own : asked * (1 + random() / 10)
}

/** Waits, but no longer than the client does. */
export const pause = (call: Call, ms: number): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, ms)
    call.wake = () => {
      clearTimeout(timer)
      resolve()
    }
  })
