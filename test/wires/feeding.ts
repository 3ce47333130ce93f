/** Feeds requests and responses through a wire as the gateway does, without a gateway. */
import type { Headers, MeterContext, Metered, Quirks, Reading, Wire, WireRequest } from '../../src/core/wire.ts'
import { applyEdits } from '../../src/wires/framing/json-bytes.ts'

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text)
export const text = (piece: Uint8Array): string => new TextDecoder().decode(piece)

export type Call = Readonly<{
  wire: Wire
  method?: string
  path: string
  query?: string
  headers?: Headers
  /** The request: an object is sent as JSON, bytes as they are. */
  request?: unknown
  provider?: string
  quirks?: Quirks
  status?: number
  answer_headers?: Headers
}>

const wireRequest = (call: Call): WireRequest => {
  const raw = call.request instanceof Uint8Array
  const body = raw
    ? (call.request as Uint8Array)
    : bytes(call.request === undefined ? '' : JSON.stringify(call.request))
  return {
    method: call.method ?? 'POST',
    path: call.path,
    query: call.query ?? '',
    headers: call.headers ?? {},
    body,
    json: raw ? undefined : call.request,
  }
}

/** The reading of a call's request, and the bytes that go to the provider. */
export const read = (call: Call): Readonly<{ reading: Reading; sent: Uint8Array }> => {
  const request = wireRequest(call)
  const reading = call.wire.read(request, call.quirks ?? {})
  return { reading, sent: applyEdits(request.body, reading.edits) }
}

/** Feeds an answer in pieces and returns what the client gets and what the meter learnt. `cut` leaves out the end. */
export const feed = (
  call: Call,
  pieces: readonly Uint8Array[],
  cut = false,
): Readonly<{ metered: Metered; passed: Uint8Array; reading: Reading; started: boolean; done: boolean }> => {
  const { reading } = read(call)
  const context: MeterContext = {
    reading,
    request: { path: call.path, json: call.request instanceof Uint8Array ? undefined : call.request },
    provider: call.provider ?? 'openai',
    quirks: call.quirks ?? {},
    status: call.status ?? 200,
    headers: call.answer_headers ?? {},
  }
  const metering = call.wire.meter(context)
  const out = pieces.map((piece) => metering.push(piece))
  if (!cut) out.push(metering.end())
  const { started, done } = metering
  return { metered: metering.finish(), passed: Buffer.concat(out), reading, started, done }
}

/** The metered answer of a whole body. */
export const meter = (call: Call, answer: unknown): Metered =>
  feed(call, [answer instanceof Uint8Array ? answer : bytes(JSON.stringify(answer))]).metered

/** A small generator of numbers in [0, 1), so that random cuts are the same in every run. */
export const seeded = (seed: number) => {
  let state = seed >>> 0
  return (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 32
  }
}

/** Cuts bytes into random pieces. */
export const cutAt = (whole: Uint8Array, random: () => number, pieces: number): Uint8Array[] => {
  const marks = Array.from({ length: pieces - 1 }, () => Math.floor(random() * whole.length)).sort((a, b) => a - b)
  return [0, ...marks].map((from, i) => whole.subarray(from, marks[i] ?? whole.length))
}
