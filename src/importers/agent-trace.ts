import type { Imported, Importer, ImportOptions } from '../core/importer.ts'
import { type PrefixPoint, prefixPoints, type TreeRequest } from './agent-trace/prefix-tree.ts'
import { receiptOf, UNCACHED } from './receipt.ts'
import { digest, isCount, readRecords } from './source.ts'

type TraceRequest = TreeRequest &
  Readonly<{
    t: number
    agent?: string
    model: string
    stream?: boolean
    out: number
    tools?: number
    system?: number
    api_time?: number
    ttft?: number
    stop?: string
  }>

const isAbsent = (value: unknown): value is null | undefined => value === undefined || value === null

/** A number of seconds within a thousand years. */
const isSeconds = (value: unknown): boolean => typeof value === 'number' && value >= 0 && value < 3.2e10

/** Says what is wrong with a request, or undefined. `index` is its place in the session. */
const fault = (request: unknown, index: number): string | undefined => {
  if (typeof request !== 'object' || request === null) return `request ${index}: not an object`
  const { t, model, in: input, out, parent, shared, api_time, ttft, tools, system } = request as Partial<TraceRequest>
  if (!isSeconds(t)) return `request ${index}: "t" must be seconds from the session's start`
  if (typeof model !== 'string' || model === '') return `request ${index}: "model" is missing`
  if (!isCount(input) || !isCount(out)) return `request ${index}: "in" and "out" must be whole token counts`
  if (!isAbsent(parent) && (!isCount(parent) || parent >= index))
    return `request ${index}: "parent" must be the index of an earlier request, or null`
  if (shared !== undefined && (!isCount(shared) || shared > input))
    return `request ${index}: "shared" must be a token count of at most "in"`
  if ([api_time, ttft].some((length) => !isAbsent(length) && !isSeconds(length)))
    return `request ${index}: "api_time" and "ttft" must be seconds`
  if ([tools, system].some((tokens) => !isAbsent(tokens) && !isCount(tokens)))
    return `request ${index}: "tools" and "system" must be token counts`
  return undefined
}

const PREFIX_LIMIT = 64

/** The chain is bounded: its first 8 points (tools and system lie there) and its latest 56 are kept. */
const bounded = (points: readonly PrefixPoint[]): readonly PrefixPoint[] =>
  points.length <= PREFIX_LIMIT ? points : [...points.slice(0, 8), ...points.slice(8 - PREFIX_LIMIT)]

/** Tokens by part: what the trace counts as tools and system, what was sent before, and what this request adds. */
const anatomyOf = (request: TraceRequest) => {
  const tools = Math.min(request.tools ?? 0, request.in)
  const system = Math.min(request.system ?? 0, request.in - tools)
  const history = Math.max(0, Math.min(request.shared, request.in) - tools - system)
  return {
    tools_tokens: tools,
    system_tokens: system,
    history_tokens: history,
    context_tokens: request.in - tools - system - history,
  }
}

const sessionReceipts = function* (
  session: string,
  requests: readonly (TraceRequest | undefined)[],
  options: ImportOptions,
): Generator<Imported> {
  const chains = prefixPoints(requests.map((request) => request ?? { in: 0, parent: null, shared: 0 }))
  const hashes = new Map<PrefixPoint, string>()
  const hashOf = (point: PrefixPoint): string => {
    const hash = hashes.get(point) ?? digest(`${session}/${point.id}`)
    hashes.set(point, hash)
    return hash
  }
  for (const [step, request] of requests.entries()) {
    if (request === undefined) continue
    const started = options.epoch_us + Math.round(request.t * 1e6)
    const points = bounded(chains[step] ?? [])
    yield {
      receipt: receiptOf(
        {
          identity: `agent-trace/${session}/${step}`,
          origin: 'agent-trace',
          provider: options.provider ?? 'anthropic',
          model: options.model ?? request.model,
          wire: 'anthropic-messages',
          endpoint: 'messages',
          stream: request.stream ?? false,
          started_at_us: started,
          ...(!isAbsent(request.ttft) && { first_token_at_us: started + Math.round(request.ttft * 1e6) }),
          ended_at_us: started + Math.round((request.api_time ?? 0) * 1e6),
          usage: { 'in.text.fresh': request.in, 'out.text.visible': request.out },
          columns: {
            session,
            step,
            ...(!isAbsent(request.agent) && { agent: String(request.agent) }),
            ...(!isAbsent(request.stop) && { finish_reason: String(request.stop) }),
            ...anatomyOf(request),
            turns: step + 1,
            fingerprint_conversation: digest(`${session}/conversation`),
            prefix_hashes: points.map(hashOf),
            prefix_tokens: points.map(({ tokens }) => tokens),
          },
        },
        options,
      ),
    }
  }
}

/** The receipts of one session; a bad request is said and left out, and the others stay in the tree. */
const readSession = function* (
  { session, requests }: Readonly<Record<string, unknown>>,
  line: number,
  options: ImportOptions,
): Generator<Imported> {
  if (typeof session !== 'string' || !Array.isArray(requests)) {
    yield { bad: 'a session needs "session" and "requests"', line }
    return
  }
  const good: (TraceRequest | undefined)[] = []
  for (const [index, request] of requests.entries()) {
    const wrong = fault(request, index)
    if (wrong !== undefined) yield { bad: `session ${session}, ${wrong}`, line }
    good.push(wrong === undefined ? { parent: null, shared: 0, ...request } : undefined)
  }
  yield* sessionReceipts(session, good, options)
}

/**
 * Agent sessions as a prefix tree without text: one session a line, `{session, requests: [{t, model, in, out, parent,
 * shared, tools, system, …}]}`. The trace does not say what was read from a cache, so all input is priced as fresh; the
 * prefix chain keeps what a cache could have read.
 */
export const importer: Importer = {
  name: 'agent-trace',
  describes: 'agent sessions as prefix trees: one session a line, with tokens, times and shared prefixes, no text',
  unsaid: UNCACHED,
  async *read(path, options, progress) {
    for await (const row of readRecords(path, progress)) {
      if ('bad' in row) yield row
      else yield* readSession(row.record, row.line, options)
    }
  },
}
