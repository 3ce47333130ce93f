import { createHmac, timingSafeEqual } from 'node:crypto'
import { WeirError } from '../core/errors.ts'
import type { Headers } from '../core/wire.ts'

/** A call that Weir itself makes for a lever: to embed a question, to have old turns summarised. */
export type Errand = Readonly<{
  provider: string
  /** The API's own path, e.g. `/v1/embeddings`. */
  path: string
  body: unknown
  deadline_ms: number
}>

/**
 * Sends Weir's own calls through its own front door, so that each is metered, priced, held to the budgets and receipted as any other;
 * `agent` on the receipt is `weir`.
 */
export type Errands = Readonly<{
  /** Resolves to the answer's JSON. Rejects when the provider refuses, is down, or takes longer than the deadline. */
  run(errand: Errand): Promise<unknown>
  /** Is this a call of our own? */
  isOurs(headers: Headers): boolean
  /** Where the gateway listens, once it does. */
  listen(url: string): void
}>

const HEADER = 'x-weir-errand'
const AGENT = 'weir'

/** `pepper` is the secret that all threads of this gateway share; what goes over loopback is derived from it. */
export const openErrands = (pepper: Uint8Array): Errands => {
  const token = createHmac('sha256', pepper).update('weir errand').digest()
  const shown = token.toString('hex')
  let home: string | undefined
  return {
    listen(url) {
      home = url
    },
    isOurs(headers) {
      const given = headers[HEADER]
      if (given?.length !== shown.length) return false
      return timingSafeEqual(Buffer.from(given), Buffer.from(shown))
    },
    async run({ provider, path, body, deadline_ms }) {
      if (home === undefined) throw new WeirError('overloaded', 'The gateway does not listen yet.')
      const response = await fetch(`${home}/${provider}${path}`, {
        method: 'POST',
        redirect: 'error',
        headers: { 'content-type': 'application/json', [HEADER]: shown, 'x-weir-agent': AGENT, 'x-weir-levers': 'off' },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(deadline_ms),
      })
      if (!response.ok)
        throw new WeirError('provider-unreachable', `${provider} answered ${response.status} to Weir's own call.`)
      return response.json()
    },
  }
}
