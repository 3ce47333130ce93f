import type { WeirError } from '../core/errors.ts'
import type { Outcome } from '../core/receipt.ts'
import type { Answer, Attempt, Call, Flow } from './call.ts'
import { write } from './release.ts'
import type { World } from './world.ts'

export const openFlow = (call: Call, attempt: Attempt, world: World, settled_as: (answer: Answer) => void): Flow => ({
  call,
  attempt,
  world,
  settled_as,
  head: [],
  passing: false,
  lagging: false,
  copy: [],
  held: [],
  held_bytes: 0,
  head_sent: false,
  settled: false,
  released: false,
  ended: false,
  drained_bytes: 0,
})

/** Keeps bytes back. */
export const hold = (flow: Flow, bytes: Uint8Array): void => {
  if (bytes.length === 0) return
  flow.held.push(bytes)
  flow.held_bytes += bytes.length
}

/** Lets all that is held go but the last piece. */
export const lag = (flow: Flow): boolean => {
  const last = flow.held.pop()
  let room = true
  for (const bytes of flow.held) room = write(flow, bytes)
  flow.held = last ? [last] : []
  flow.held_bytes = last?.length ?? 0
  return room
}

export type Settlement = Readonly<{ outcome: Outcome; error?: WeirError; retryable?: boolean }>

/** The outcome is known. What is held stays until the receipt is written and `release` is called. */
export const settle = (flow: Flow, { outcome, error, retryable = false }: Settlement): void => {
  if (flow.settled) return
  flow.settled = true
  clearTimeout(flow.drain_timer)
  const { attempt, call } = flow
  attempt.ended_at_us = flow.world.now_us()
  if (attempt.metering) attempt.metered ??= attempt.metering.finish()
  // At shutdown it is we who drop the client.
  const gone = call.client_gone && !flow.world.load.shutting_down
  flow.settled_as({
    attempt,
    outcome: gone ? 'client-gone' : call.client_gone ? 'cut' : outcome,
    // What then breaks off the provider's answer is we.
    ...(error && !gone ? { error } : {}),
    retryable: retryable && !call.client_gone && !flow.head_sent,
    flow,
  })
}
