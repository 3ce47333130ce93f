import { type ErrorCode, WeirError } from '../core/errors.ts'
import type { Attempt } from './call.ts'

const timeouts = new Set(['UND_ERR_HEADERS_TIMEOUT', 'UND_ERR_BODY_TIMEOUT'])

const codeOf = (error: Error): string => String((error as NodeJS.ErrnoException).code ?? error.name)

/** Said by undici when a proxy does not open a tunnel. */
const fromProxy = /^Proxy response \((\d{3})\)/

/** The network's code, or what the proxy on the way answered. */
const whyOf = (cause: Error): string => {
  const status = fromProxy.exec(cause.message)?.[1]
  return status === undefined ? codeOf(cause) : `the proxy answered ${status}`
}

const says: Readonly<Partial<Record<ErrorCode, string>>> = {
  'provider-unreachable':
    'cannot be reached. Check its base_url, its certificate and the network, or add a fallback target to the route.',
  'provider-timeout': 'did not answer in time. Try again, or raise limits.head_ms or limits.idle_ms in weir.yaml.',
  'provider-cut': 'closed the connection before its answer was complete. Try again.',
}

/** What the network says, in our words: which provider, what happened, what to do. What failed before it was sent never got there. */
export const transportError = (cause: Error, attempt: Attempt): WeirError => {
  if (cause instanceof WeirError) return cause
  const late = timeouts.has(codeOf(cause)) ? 'provider-timeout' : 'provider-cut'
  const kind = attempt.sent === undefined ? 'provider-unreachable' : late
  return new WeirError(kind, `The provider ${attempt.upstream.name} ${says[kind]} (${whyOf(cause)})`, { cause })
}
