import type { StoredAnswer } from '../core/lever.ts'
import type { Metered } from '../core/wire.ts'
import type { Answer, Call } from './call.ts'
import { quirksOf } from './receive.ts'
import type { World } from './world.ts'

/** An answer that no provider gave. */
export type Given = Readonly<{ bytes: Uint8Array; content_type: string; metered: Metered; at_us: number }>

/**
 * A stored answer as this client gets it. It passes the same meter as one that a provider sends: usage that the client did
 * not ask for is hidden, and the receipt knows what it would have used. Undefined when it is no whole answer.
 */
export const give = (call: Call, stored: StoredAnswer, world: World): Answer | undefined => {
  const { wire, reading, path, json, upstream } = call
  if (!(wire && reading && upstream)) return undefined
  const metering = wire.meter({
    reading,
    request: { path, json },
    provider: upstream.price_as,
    quirks: quirksOf(upstream, wire),
    status: 200,
    headers: { 'content-type': stored.content_type },
  })
  const bytes = Buffer.concat([metering.push(stored.body), metering.end()])
  const metered = metering.finish()
  if (!metered.complete || metered.error) return undefined
  const { content_type } = stored
  return { outcome: 'cached', retryable: false, given: { bytes, content_type, metered, at_us: world.now_us() } }
}
