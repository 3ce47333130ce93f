import { WeirError } from '../core/errors.ts'
import { cover } from './budgets/let-in.ts'
import type { Answer, Attempt, Call, Stop } from './call.ts'
import { type Outbound, outbound } from './outgoing.ts'
import { promptOf } from './prompt.ts'
import { openingReceipt } from './receipt.ts'
import { recordAttempt } from './record.ts'
import { exchange } from './relay.ts'
import { pause, waitBefore } from './retry.ts'
import { settle } from './settle.ts'
import type { World } from './world.ts'

/** The first target, from `from` on and around, whose circuit lets a call through. */
const nextStop = (stops: readonly Stop[], from: number, world: World): number | undefined => {
  for (let i = 0; i < stops.length; i++) {
    const index = (from + i) % stops.length
    const stop = stops[index]
    if (stop && world.breakers.allows(stop.target)) return index
  }
  return undefined
}

const allOpen = (stops: readonly Stop[], world: World): WeirError => {
  const waits = stops.map(({ target }) => world.breakers.opens_in_us(target) / 1e6)
  const names = stops.map(({ target }) => target).join(', ')
  return new WeirError(
    'circuit-open',
    `${names} failed repeatedly and is not called for now. Try again in a moment, or add a fallback target to the route.`,
    { retry_after_s: Math.min(...waits) },
  )
}

/** The first attempt's receipt has the call's own id, which then is written once. */
const begin = (call: Call, stop: Stop, number: number, request: Outbound, world: World): Attempt => ({
  receipt_id: number === 1 ? call.id : world.new_id(),
  number,
  upstream: stop.upstream,
  model: stop.model,
  target: stop.target,
  region: request.region,
  reading: request.reading,
  started_at_us: world.now_us(),
  request_bytes: request.body.length,
  response_bytes: 0,
  ended_at_us: 0,
  ...((call.pulling?.wants_answer ?? 0) > 0 ? { kept: [] } : {}),
})

/**
 * What an outcome says of the target's health: 5xx, timeouts and broken connections count, a 429 or a 400 does not; and of the
 * key that we have for it.
 */
const report = (attempt: Attempt, answer: Answer, { breakers, own_keys }: World): void => {
  const failed = answer.outcome === 'cut' || (attempt.status ?? 599) >= 500
  if (answer.outcome === 'client-gone') breakers.abstained(attempt.target)
  else if (failed) breakers.failed(attempt.target)
  else breakers.succeeded(attempt.target)
  const warning = own_keys.refusal(attempt)
  if (warning === undefined) return
  attempt.key_refused = true
  attempt.warning = warning
}

/** Takes the prompt's fingerprints while the provider works. */
const lookAhead = (call: Call): void => {
  try {
    promptOf(call)
  } catch {
    // A fault of ours: `settle` meets it again, and says so.
  }
}

/**
 * One attempt: opened in the journal, then dispatched. Undefined where a budget has no room for it at this target and has
 * given the call cheaper ones: then nothing was dispatched. Throws `journal-unwritable`: then neither.
 */
const dispatch = async (call: Call, stop: Stop, number: number, world: World): Promise<Answer | undefined> => {
  let attempt: Attempt
  let request: Outbound
  try {
    request = await outbound(call, stop, world)
    attempt = begin(call, stop, number, request, world)
    await cover(call, attempt, stop, world)
    if (call.covers !== stop) {
      world.breakers.abstained(stop.target)
      return undefined
    }
    await world.journal.openSoon(openingReceipt(call, attempt, world.book))
    world.metrics.due()
  } catch (error) {
    world.breakers.abstained(stop.target)
    throw error
  }
  const answering = exchange(call, attempt, request, world)
  lookAhead(call)
  const answer = await answering
  report(attempt, answer, world)
  return answer
}

/** May another attempt do better? With a key of ours that is refused only at another target. */
const goesOn = ({ retryable, attempt, flow }: Answer): boolean =>
  retryable || (attempt?.key_refused === true && flow?.head_sent === false)

/** How long to wait before the next attempt; undefined when there should be none. Another target needs no wait. */
const waitFor = (answer: Answer, same: boolean, world: World): number | undefined => {
  const { attempt, error } = answer
  if (!same) return 0
  if (attempt?.key_refused) return undefined
  const failures = attempt?.number ?? 1
  // A pooled connection that the provider had closed meanwhile says nothing of the provider: try at once.
  if (failures === 1 && error?.code === 'provider-cut') return 0
  const body_s = attempt?.metered?.error?.retry_after_s
  return waitBefore({ headers: attempt?.headers, body_s, failures, now_us: world.now_us(), random: world.random })
}

/** Waits as long as the next attempt should, and says which target it goes to; undefined when there should be none. */
const following = async (call: Call, answer: Answer, at: number, world: World): Promise<number | undefined> => {
  const { stops } = call
  const next = nextStop(stops, at + 1, world)
  if (next === undefined) return undefined
  const wait_ms = world.load.shutting_down ? undefined : waitFor(answer, next === at, world)
  if (wait_ms !== undefined && wait_ms > 0) await pause(call, wait_ms)
  if (wait_ms !== undefined && !call.client_gone) return next
  world.breakers.abstained(stops[next]?.target ?? '')
  return undefined
}

/**
 * Sends a call to its targets until one answers, under one attempt budget. Every attempt before the last leaves its
 * receipt here; the last one's answer is returned with its last bytes held back. Nothing is tried again once a byte has
 * reached the client. Throws `circuit-open`, `journal-unwritable`, or `budget-exhausted` where a budget has no room for a
 * further attempt, nor any cheaper target that it names.
 */
export const send = async (call: Call, world: World): Promise<Answer> => {
  let at = nextStop(call.stops, 0, world)
  for (let number = 1; ; ) {
    const stop = at === undefined ? undefined : call.stops[at]
    if (at === undefined || !stop) throw allOpen(call.stops, world)
    const answer = await dispatch(call, stop, number, world)
    if (!answer) {
      at = nextStop(call.stops, 0, world)
      continue
    }
    if (!goesOn(answer) || number >= world.settings.limits.attempts) return answer
    const next = await following(call, answer, at, world)
    if (next === undefined) return answer
    await recordAttempt(call, answer, await settle(call, answer, world), world)
    at = next
    number += 1
  }
}
