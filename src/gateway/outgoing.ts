import type { Provider } from '../core/provider.ts'
import type { Reading } from '../core/wire.ts'
import { applyEdits } from '../wires/framing/json-bytes.ts'
import { isEncoded } from './body.ts'
import type { Call, Stop } from './call.ts'
import { forwardHeaders, withoutKeys } from './headers.ts'
import { modelEdit } from './model-edit.ts'
import { outputCap } from './output-cap.ts'
import { quirksOf } from './receive.ts'

import type { World } from './world.ts'

/** A request as it goes to a provider. */
export type Outbound = Readonly<{
  origin: string
  path: string
  region: string | undefined
  headers: Record<string, string>
  body: Uint8Array
  /** What the wire reads of it; differs from the call's where this provider has other quirks. */
  reading: Reading | undefined
}>

/** Another provider than the one addressed may need other edits: what its wire reads is read again with its quirks. */
const readAgain = (call: Call, stop: Stop): Reading | undefined => {
  const { wire } = call
  if (stop.upstream === call.upstream || !wire || !call.reading) return call.reading
  const { method, path, query, headers, plain: body, json } = call
  return wire.read({ method, path, query, headers, body, json }, quirksOf(stop.upstream, wire))
}

/** What the wire reads of the request as it is sent: with the marks and bounds that levers have put into it. */
const readingFor = (call: Call, stop: Stop): Reading | undefined => {
  const reading = readAgain(call, stop)
  if (!reading || !call.pulling || call.pulling.changes.length === 0) return reading
  const ttls = call.pulling.changes.flatMap((change) => (change.do === 'mark' ? [change.ttl] : []))
  const most = call.pulling.changes.findLast((change) => change.do === 'set' && change.fields.max_output_tokens)
  return {
    ...reading,
    ...(ttls.length === 0 ? {} : { cache_ttl: ttls.every((ttl) => ttl === '1h') ? '1h' : '5m' }),
    ...(most?.do === 'set' && most.fields.max_output_tokens !== undefined
      ? { max_output_tokens: most.fields.max_output_tokens }
      : {}),
  }
}

const bodyFor = (call: Call, stop: Stop, reading: Reading | undefined): Uint8Array => {
  const edits = [...(reading?.edits ?? []), ...(call.pulling?.edits ?? [])]
  const cap = outputCap(call, reading)
  if (cap) edits.push(cap)
  if (stop.renamed && stop.model !== undefined) {
    const edit = modelEdit(call.plain, stop.model)
    if (edit) edits.push(edit)
  }
  return edits.length === 0 ? call.body : applyEdits(call.plain, edits)
}

type Addressed = ReturnType<Provider['address']>

const headersFor = (call: Call, stop: Stop, world: World): Record<string, string> => {
  const { upstream } = stop
  return forwardHeaders(call.headers, {
    drop_keys: world.settings.mode === 'keys' || upstream.has_credentials || upstream !== call.upstream,
    key_headers: upstream.adapter.traits.key_headers,
  })
}

const addressOf = (call: Call, stop: Stop, world: World): Addressed => {
  const own = stop.upstream === call.upstream && !stop.upstream.has_credentials && world.settings.mode !== 'keys'
  return stop.upstream.adapter.address(stop.upstream.settings, {
    wire: call.wire?.name,
    method: call.method,
    path: call.path,
    query: own ? call.query : withoutKeys(call.query),
    model: stop.model,
    native: stop.upstream === call.upstream && !stop.renamed,
  })
}

/**
 * Makes the request for one target: address, headers, key or signature, and the client's bytes with as few edits as the
 * target needs. The signature comes last, because it covers all of it.
 */
export const outbound = (call: Call, stop: Stop, world: World): Promise<Outbound> | Outbound => {
  const { upstream } = stop
  const address = addressOf(call, stop, world)
  const reading = readingFor(call, stop)
  const body = bodyFor(call, stop, reading)
  const headers = headersFor(call, stop, world)
  if (body !== call.body && isEncoded(headers['content-encoding'])) delete headers['content-encoding']
  // A stream is read event by event, and its usage event may be taken out: so it must come as it is.
  if (reading?.stream) headers['accept-encoding'] = 'identity'
  const outgoing = { method: call.method, url: address.origin + address.path, headers, body }
  const authorised = upstream.adapter.authorise(upstream.settings, outgoing, world.now_us())
  const { origin, path, region } = address
  const ready = (signed: Record<string, string>): Outbound => ({ origin, path, region, headers: signed, body, reading })
  return authorised instanceof Promise ? authorised.then(ready) : ready(authorised)
}
