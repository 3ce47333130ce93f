import { WeirError } from '../core/errors.ts'
import type { Quirks, Wire, WireRequest } from '../core/wire.ts'
import { plainPath } from '../providers/shared/path.ts'
import { decodeBody, isEncoded, readBody } from './body.ts'
import type { Call } from './call.ts'
import { checkVersion } from './lacks-version.ts'
import { bodyTags } from './tags.ts'
import type { Upstream, World } from './world.ts'

const NO_QUIRKS: Quirks = {}

/** The quirks of a provider on a wire. */
export const quirksOf = (upstream: Upstream, wire: Wire): Quirks =>
  upstream.adapter.traits.quirks[wire.name] ?? NO_QUIRKS

const wireAt = ({ upstream, method, headers }: Call, path: string): Wire | undefined =>
  upstream?.wires.find((wire) => wire.recognise(method, path, headers))

/** The wire that a call speaks, if its provider speaks it too. */
export const wireOf = (call: Call): Wire | undefined => call.wire ?? wireAt(call, call.path)

/**
 * The wire of a path that is spelt in another way than it needs: `…%3AgenerateContent`, a slash at the end. Providers that
 * take it for the plain one would serve it unmetered; so it goes to them as it was read.
 */
const wireOfPlain = (call: Call): Wire | undefined => {
  const plain = plainPath(call.path)
  const wire = plain === call.path ? undefined : wireAt(call, plain)
  if (wire) call.path = plain
  return wire
}

/** Parses the body once. Undefined when it is empty or not JSON; what that means is the wire's to say. */
const parse = (bytes: Uint8Array): unknown => {
  const first = bytes[0]
  // `{`, `[` or a blank: anything else is a form, a file or a mistake, and not worth parsing.
  if (first === undefined || (first !== 123 && first !== 91 && first > 32)) return undefined
  try {
    return JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('utf8'))
  } catch {
    return undefined
  }
}

/** Fills in what the call's wire reads of it. */
const read = (call: Call, wire: Wire, upstream: Upstream): void => {
  const request: WireRequest = {
    method: call.method,
    path: call.path,
    query: call.query,
    headers: call.headers,
    body: call.plain,
    json: call.json,
  }
  const reading = wire.read(request, quirksOf(upstream, wire))
  call.reading = reading
  bodyTags(call.payer, reading.body_tags)
}

/**
 * Reads the request's body, bounded, and what its wire says of it: model, stream, prompt parts, tags. The bytes are kept
 * as they came. Throws `body-too-large`, `malformed-json`, `unknown-path` or `bad-request`.
 */
export const receive = async (call: Call, world: World): Promise<void> => {
  const limit_bytes = world.settings.limits.body_bytes
  const wire = wireOf(call) ?? wireOfPlain(call)
  if (wire) call.wire = wire
  else if (call.upstream) checkVersion(call, call.upstream)
  const body = readBody(call, limit_bytes)
  if (body instanceof Promise) {
    call.body = await body
    await world.turn()
  } else call.body = body
  call.plain = call.body
  if (!(wire && call.upstream)) return
  const encoding = call.headers['content-encoding']
  if (isEncoded(encoding)) {
    const plain = await decodeBody(call.body, encoding, limit_bytes)
    if (plain === undefined)
      throw new WeirError(
        'bad-request',
        `The request body cannot be decoded, or is larger than ${limit_bytes} bytes when it is. Send gzip, deflate, br, zstd or no content-encoding, or raise limits.body_bytes in weir.yaml.`,
      )
    call.plain = plain
  }
  call.json = parse(call.plain)
  read(call, wire, call.upstream)
}
