import { WeirError } from '../core/errors.ts'
import type { Headers } from '../core/wire.ts'
import { claim } from '../providers/shared/claim.ts'
import { checkPath } from '../providers/shared/path.ts'
import type { Call } from './call.ts'
import { lacks, lacksVersion, VERSIONS } from './lacks-version.ts'
import { headerTags } from './tags.ts'
import type { Upstream, World } from './world.ts'

/** Longest path and query that is looked at. */
const LONGEST_TARGET = 8192

/** The token of a Weir key, wherever a provider's SDK puts its own; undefined when there is none. */
const tokenOf = (headers: Headers, query: string): string | undefined => {
  const bearer = headers['authorization']
  const candidates = [
    bearer !== undefined && /^bearer /i.test(bearer) ? bearer.slice('bearer '.length).trim() : undefined,
    headers['x-api-key'],
    headers['x-goog-api-key'],
    headers['api-key'],
    /[?&]key=([^&]*)/.exec(query)?.[1],
  ]
  return candidates.find((token) => token?.startsWith('weir_'))
}

/**
 * Finds the gateway key of a call. Throws `unknown-key`; gives back why a key that is known opens nothing any more, so that
 * the receipt says whose it was. No message repeats the key.
 */
const authenticate = (call: Call, world: World): WeirError | undefined => {
  const token = tokenOf(call.headers, call.query)
  if (token === undefined)
    throw new WeirError(
      'unknown-key',
      'This gateway needs a Weir key (weir_…) in place of the API key. Ask its administrator for one.',
    )
  const { key, refusal } = world.keys.identifyToken(token, call.started_at_us)
  call.key = key
  return refusal
}

const checkTarget = (call: Call): void => {
  if (call.path.length + call.query.length > LONGEST_TARGET)
    throw new WeirError('bad-request', `The request path is longer than ${LONGEST_TARGET} characters.`)
  checkPath(call.path)
}

/** Sent on as a plain request, it would come back as an error of the provider's that says nothing of the cause. */
const checkProtocol = ({ headers }: Call): void => {
  if (headers['upgrade']?.toLowerCase() !== 'websocket') return
  throw new WeirError(
    'bad-request',
    'Weir passes no WebSockets (realtime and live APIs). Use the API over HTTP, or connect to the provider itself.',
  )
}

/** In keys mode only a provider with a key of ours can be called at all. */
const canServe = (upstream: Upstream | undefined, { settings }: World): boolean =>
  settings.mode !== 'keys' || upstream?.has_credentials === true

/** The provider that claims a path most specifically, and how sure it is. Of several alike, the first configured one. */
const claimant = (
  call: Call,
  world: World,
  path = call.path,
): Readonly<{ upstream: Upstream | undefined; strongest: number }> => {
  let best: Upstream | undefined
  let strongest = 0
  for (const upstream of world.upstreams.values()) {
    const strength = upstream.adapter.claims(path, call.headers)
    if (strength <= strongest) continue
    strongest = strength
    best = upstream
  }
  return { upstream: best, strongest }
}

/**
 * The provider that a path addresses: `/{provider}/…`, or the one that claims the bare path most specifically. Another's sure
 * claim counts before a name, because paths of Azure, Groq and Bedrock begin with `/openai` or `/anthropic` themselves; but not
 * where the one that is named is as sure of what follows its name.
 */
const address = (call: Call, world: World): Upstream | undefined => {
  const slash = call.path.indexOf('/', 1)
  const named = slash > 1 ? world.upstreams.get(call.path.slice(1, slash)) : undefined
  if (!named) return claimant(call, world).upstream
  const rest = call.path.slice(slash)
  if (named.adapter.claims(rest, call.headers) < claim.sure) {
    const { upstream, strongest } = claimant(call, world)
    if (strongest >= claim.sure && canServe(upstream, world)) return upstream
  }
  call.path = rest
  return named
}

/** The error for a path that nobody claims. Where one would with a version before it, it has the shape of that provider's API. */
const unknownPath = (call: Call, world: World): WeirError => {
  for (const version of VERSIONS) {
    const { upstream } = claimant(call, world, version + call.path)
    if (!upstream || !lacks(call, upstream, version)) continue
    call.upstream = upstream
    return lacksVersion(upstream, version)
  }
  const names = [...world.upstreams.keys()].slice(0, 20).join(', ')
  return new WeirError(
    'unknown-path',
    `No configured provider serves this path. Use the API's own path, or /{provider}/… with one of: ${names}.`,
  )
}

/** Pages of this machine's own servers; anything else in a browser is somebody's web site. */
const LOCAL_ORIGIN = /^https?:\/\/(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/

/** Addresses, and names that nobody outside can point at this machine, as a site may do with its own to pass for one of ours. */
const LOCAL_HOST = /^(\[[\da-f:]+\]|[\d.]+|[^.:]+|.+\.(localhost|local|internal))(:\d+)?$/i

/** In pass-through mode a web site that the user visits must not use a key that we hold. */
const checkOrigin = (call: Call, upstream: Upstream): void => {
  if (!upstream.has_credentials) return
  const { origin, host } = call.headers
  if (host !== undefined && !LOCAL_HOST.test(host))
    throw new WeirError(
      'forbidden',
      'This gateway holds a provider key and gives nobody a Weir key, so it serves no public host name. Call it by 127.0.0.1, or use keys mode.',
    )
  if (origin === undefined || LOCAL_ORIGIN.test(origin)) return
  throw new WeirError(
    'forbidden',
    'A web page of another site may not use the provider key of this gateway. Let the page ask a server of yours, and that server this gateway.',
  )
}

/**
 * Finds out who calls, who pays and which provider is meant. In pass-through mode anybody on this machine may call, with
 * their own provider key; in keys mode a Weir key is needed. Throws `unknown-key`, `key-expired`, `forbidden`, `bad-request`
 * or `unknown-path`.
 */
export const identify = (call: Call, world: World): void => {
  checkTarget(call)
  const upstream = address(call, world)
  if (upstream) call.upstream = upstream
  checkProtocol(call)
  const keyed = world.settings.mode === 'keys' && !world.errands.isOurs(call.headers)
  const refusal = keyed ? authenticate(call, world) : undefined
  if (!keyed && upstream) checkOrigin(call, upstream)
  call.tenant = world.tenants.tenantOf(call.key, call.headers, call.query)
  const slips = headerTags(call.payer, call.headers, call.key, call.started_at_us)
  if (slips) call.slips = slips
  if (refusal) throw refusal
  if (!upstream) throw unknownPath(call, world)
}
