import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerCanned, openCans } from './canned.ts'
import { type Delivered, deliver } from './deliver.ts'
import { type Fault, type Faults, openFaults, parseFault } from './faults.ts'
import { record } from './json.ts'
import { openCaches } from './prompt-cache.ts'
import { baseUrls, type ProviderName, type Route, route } from './providers.ts'
import { seeded } from './random.ts'
import { type Answer, type Bill, type Exchange, Refusal, type SimulatedCall, type World } from './types.ts'

export type SimulatorOptions = Readonly<{
  /** Everything made up follows from it; 1 by default. */
  seed?: number
  /** 0 takes a free one. */
  port?: number
  /** Knows the right answer to the latest question; where it gives undefined, and without it, answers are made up. */
  says?: (latest: string) => string | undefined
  /** Before the head of every answer. */
  latency_ms?: number
  /** Before every chunk of a stream. */
  pace_ms?: number
  /** Output tokens in a chunk; 4 by default. */
  chunk_tokens?: number
  /** The clock of ids, `created` and cache lifetimes, µs since the epoch. */
  now_us?: () => number
  /** Faults by the request header `x-sim-fault: cut;after=3`. */
  allow_header_faults?: boolean
  /** How many calls are kept; the oldest go first. */
  keep_calls?: number
  /**
   * For benches: the answer to the first request of a path and body length is made once and then repeated byte for byte,
   * without reading bodies, counting tokens, faults or recording.
   */
  canned?: boolean
}>

export type Simulator = Readonly<{
  url: string
  port: number
  /** What an SDK, or a gateway's settings, take as each provider's base URL: with or without version as the real one. */
  base_urls: Readonly<Record<ProviderName, string>>
  /** What arrived, oldest first, with the simulator's own bill. */
  calls: readonly SimulatedCall[]
  faults: Faults
  /** Forgets calls, caches, faults and order, as if just started: the same requests give the same bytes again. */
  reset(): void
  close(): Promise<void>
}>

type Settings = Required<Omit<SimulatorOptions, 'says'>> & Pick<SimulatorOptions, 'says'>
type Recorded = { -readonly [Key in keyof SimulatedCall]: SimulatedCall[Key] }
type State = {
  readonly settings: Settings
  readonly world: World
  readonly faults: ReturnType<typeof openFaults>
  readonly calls: Recorded[]
  sequence: number
}

const flatten = (request: IncomingMessage): Record<string, string> =>
  Object.fromEntries(
    Object.entries(request.headers).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.join(', ') : (value ?? ''),
    ]),
  )

const readBody = async (request: IncomingMessage, fault: Fault | undefined): Promise<Uint8Array> => {
  const pieces: Buffer[] = []
  for await (const piece of request) {
    pieces.push(piece as Buffer)
    if (fault?.kind === 'slow-reader') await sleep(fault.ms ?? 20)
  }
  return Buffer.concat(pieces)
}

const apiKey = (headers: Readonly<Record<string, string>>, query: URLSearchParams): string =>
  headers['x-api-key'] ??
  headers['x-goog-api-key'] ??
  headers['api-key'] ??
  /^AWS4-HMAC-SHA256 Credential=([^/,]+)/.exec(headers['authorization'] ?? '')?.[1] ??
  headers['authorization']?.replace(/^Bearer\s*/i, '') ??
  query.get('key') ??
  ''

const parseBody = (method: string, type: string, body: Uint8Array): unknown => {
  if (method !== 'POST' || type.startsWith('multipart/') || body.length === 0) return {}
  try {
    return JSON.parse(Buffer.from(body.buffer, body.byteOffset, body.length).toString())
  } catch {
    throw new Refusal(400, 'malformed json', { kind: 'malformed-json' })
  }
}

/** Faults that are an answer of their own, in the API's error shape. */
const refusalOf = (fault: Fault | undefined): Refusal | undefined => {
  if (fault?.kind === 'rate-limit') {
    return new Refusal(429, 'Rate limit reached. Please try again later.', {
      code: 'rate_limit_exceeded',
      retry_after_s: fault.retry_after_s ?? 1,
    })
  }
  if (fault?.kind === 'server-error')
    return new Refusal(fault.status ?? 500, 'The server had an error while processing your request.')
  if (fault?.kind === 'overloaded') return new Refusal(529, 'Overloaded', { kind: 'overloaded' })
  return undefined
}

type Arrived = Readonly<{
  call: Recorded
  found: Route
  query: URLSearchParams
  body: Uint8Array
  fault: Fault | undefined
}>

const notFound = (arrived: Arrived): Refusal =>
  new Refusal(404, `Invalid URL (${arrived.call.method} ${arrived.call.path})`, { kind: 'unknown-path' })

/** The answer of the API that is played; what it turns down comes back in its own shape. */
const answerOf = (state: State, arrived: Arrived): Answer => {
  const { call, found, query, fault } = arrived
  const speaker = found.api ?? found.family[0]
  if (!speaker) return { status: 404, headers: {}, body: '' }
  const about = { path: found.path }
  try {
    if (!found.api) throw notFound(arrived)
    const api_key = apiKey(call.headers, query)
    if (api_key === '') throw new Refusal(401, 'no key', { kind: 'missing-key' })
    if (api_key.includes('invalid')) throw new Refusal(401, 'bad key', { kind: 'bad-key' })
    const refused = refusalOf(fault)
    if (refused) throw refused
    const parsed = parseBody(call.method, call.headers['content-type'] ?? '', arrived.body)
    const exchange: Exchange = {
      ...about,
      base: found.base,
      method: call.method,
      query,
      headers: call.headers,
      body: arrived.body,
      json: record(parsed),
      api_key,
      provider: found.provider,
      omit_usage: fault?.kind === 'no-usage',
      world: state.world,
    }
    return found.api.answer(exchange)
  } catch (error) {
    if (error instanceof Refusal) return speaker.refuse(error, about)
    throw error
  }
}

/** What a stream that ended early is charged: all input, and the output made so far. */
const partial = (bill: Bill, delivered: Delivered): Bill => ({
  ...bill,
  buckets: {
    ...bill.buckets,
    out: delivered.last?.visible ?? 0,
    ...(bill.buckets['out_reasoning'] === undefined ? {} : { out_reasoning: delivered.last?.reasoning ?? 0 }),
  },
})

const severed = (response: ServerResponse, fault: Fault | undefined): boolean => {
  if (fault?.kind === 'cut-before-head') response.socket?.destroy()
  else if (fault?.kind === 'reset') response.socket?.resetAndDestroy()
  else return fault?.kind === 'stall'
  return true
}

const arrive = (
  state: State,
  request: IncomingMessage,
): { call: Recorded; fault: Fault | undefined; search: string } => {
  const [path = '/', search = ''] = (request.url ?? '/').split(/\?(.*)/s)
  const headers = flatten(request)
  const sequence = ++state.sequence
  const method = request.method ?? 'GET'
  const told = state.settings.allow_header_faults ? headers['x-sim-fault'] : undefined
  const fault = told ? parseFault(told) : state.faults.choose({ method, path, headers, sequence })
  const call: Recorded = {
    sequence,
    api: '',
    method,
    path,
    query: search,
    headers,
    body: new Uint8Array(0),
    status: 0,
    stream: false,
    fault: fault?.kind ?? null,
    bill: null,
    ending: 'open',
    received_at_us: state.settings.now_us(),
  }
  state.calls.push(call)
  if (state.calls.length > state.settings.keep_calls) state.calls.splice(0, Math.ceil(state.settings.keep_calls / 10))
  return { call, fault, search }
}

const handle = async (state: State, request: IncomingMessage, response: ServerResponse): Promise<void> => {
  const { call, fault, search } = arrive(state, request)
  const found = route(call.method, call.path, call.headers)
  call.api = found.api?.name ?? ''
  const body = await readBody(request, fault)
  call.body = body
  if (severed(response, fault)) {
    call.ending = 'cut'
    return
  }
  const answer = answerOf(state, { call, found, query: new URLSearchParams(search), body, fault })
  call.status = answer.status
  call.stream = answer.chunks !== undefined
  call.bill = answer.bill ?? null
  const { latency_ms, pace_ms } = state.settings
  const delivered = await deliver(response, answer, { latency_ms, pace_ms, fault })
  call.ending = answer.status >= 400 ? 'refused' : delivered.ending
  if (answer.bill && call.stream && delivered.ending !== 'complete') call.bill = partial(answer.bill, delivered)
}

const openWorld = (settings: Settings): World & { restart(): void } => {
  let made = 0
  const caches = openCaches()
  const responses: World['responses'] = new Map()
  return {
    seed: settings.seed,
    ...(settings.says ? { says: settings.says } : {}),
    now_us: settings.now_us,
    chunk_tokens: settings.chunk_tokens,
    id: (prefix, length) => prefix + seeded(settings.seed, 'id', ++made).token(length),
    caches,
    responses,
    restart: () => {
      made = 0
      caches.clear()
      responses.clear()
    },
  }
}

const listen = (server: Server, port: number): Promise<number> =>
  new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })

const DEFAULTS: Settings = {
  seed: 1,
  port: 0,
  latency_ms: 0,
  pace_ms: 0,
  chunk_tokens: 4,
  now_us: () => Date.now() * 1_000,
  allow_header_faults: false,
  keep_calls: 20_000,
  canned: false,
}

/** Plays every provider on one loopback port. Rejects when the port is taken. */
export const startSimulator = async (options: SimulatorOptions = {}): Promise<Simulator> => {
  const settings: Settings = { ...DEFAULTS, ...options }
  const world = openWorld(settings)
  const state: State = { settings, world, faults: openFaults(settings.seed), calls: [], sequence: 0 }
  const cans = settings.canned ? openCans() : undefined
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    handle(state, request, response).catch((error: unknown) => {
      // Only `parseFault` throws one: `x-sim-fault` names what there is not.
      if (error instanceof RangeError && !response.headersSent)
        response.writeHead(400).end(`x-sim-fault: ${error.message}\n`)
      else response.destroy()
    })
  }
  const server = createServer(
    cans ? (request, response) => answerCanned(cans, settings, request, response, answer) : answer,
  )
  server.keepAliveTimeout = 60_000
  const port = await listen(server, settings.port)
  const url = `http://127.0.0.1:${port}`
  return {
    url,
    port,
    base_urls: baseUrls(url),
    calls: state.calls,
    faults: state.faults.faults,
    reset: () => {
      state.calls.length = 0
      state.sequence = 0
      state.faults.faults.clear()
      world.restart()
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
