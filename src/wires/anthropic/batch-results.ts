import type { UsageLine } from '../../core/usage.ts'
import type { Metered } from '../../core/wire.ts'
import { normalise, type Tokens } from '../framing/counts.ts'
import { asRecord, asText, at, decode, join, parseJson } from '../framing/json.ts'
import type { Fold, Own } from '../framing/metering.ts'
import { LARGEST_FRAME_BYTES, type Splitter } from '../framing/sse.ts'
import { type UsageContext, usageOfMessages } from './usage.ts'

const NOTHING = new Uint8Array(0)
const LINE_FEED = 10

/** Cuts lines, with their line feed. A frame is a line's text; an empty line is none. */
export const splitLines = (limit_bytes = LARGEST_FRAME_BYTES): Splitter<string> => {
  let pieces: Uint8Array[] = []
  const take = (last: Uint8Array): Uint8Array => {
    const bytes = join([...pieces, last])
    pieces = []
    splitter.held_bytes = 0
    return bytes
  }
  const textOf = (bytes: Uint8Array) => decode(bytes).trim() || undefined
  const splitter: Own<Splitter<string>> = {
    held_bytes: 0,
    broken: false,
    push(chunk, emit) {
      let from = 0
      for (let end = chunk.indexOf(LINE_FEED); end >= 0 && !splitter.broken; end = chunk.indexOf(LINE_FEED, from)) {
        const bytes = take(chunk.subarray(from, end + 1))
        emit(textOf(bytes), bytes)
        from = end + 1
      }
      if (from === chunk.length) return
      pieces.push(from === 0 ? chunk : chunk.subarray(from))
      splitter.held_bytes += chunk.length - from
      if (splitter.held_bytes > limit_bytes) splitter.broken = true
    },
    end(emit) {
      if (splitter.held_bytes === 0 || splitter.broken) return
      const bytes = take(NOTHING)
      emit(textOf(bytes), bytes)
    },
    held: () => (splitter.held_bytes === 0 ? NOTHING : join(pieces)),
  }
  return splitter
}

/** Anthropic's only long-context threshold; items on one side of it are billed alike. */
const LONG_CONTEXT = 200_000

const keyOf = (line: UsageLine) =>
  JSON.stringify([line.kind, line.model_served, line.geo, line.speed, line.context_tokens > LONG_CONTEXT])

const addTokens = (into: Tokens, tokens: UsageLine['tokens']) => {
  for (const [bucket, count] of Object.entries(tokens) as [keyof Tokens, number][])
    into[bucket] = (into[bucket] ?? 0) + count
}

type Group = { line: UsageLine; tokens: Tokens; searches: number; context_tokens: number; items: number }

const groupedLine = ({ line, tokens, searches, context_tokens }: Group): UsageLine => ({
  ...line,
  kind: line.kind === 'declined' ? 'declined' : 'batch_item',
  service_tier: 'batch',
  context_tokens,
  tokens,
  units: searches > 0 ? { 'web_search.query': { n: searches } } : {},
})

/**
 * Folds the results file of a message batch: one JSON line an item, in any order, and only the successes are billed. Items
 * of one model on the same side of the long-context threshold become one line, so that a batch of any size is one receipt.
 */
export const foldBatchResults = (batch_id: string | undefined, context: UsageContext): Fold<string> => {
  const groups = new Map<string, Group>()
  const ends: Record<string, number> = {}
  const warnings = new Set<string>()
  let quality: 'exact' | 'inferred' = 'exact'
  const add = (line: UsageLine) => {
    const key = keyOf(line)
    const group = groups.get(key) ?? { line, tokens: {}, searches: 0, context_tokens: 0, items: 0 }
    groups.set(key, group)
    addTokens(group.tokens, line.tokens)
    group.searches += line.units['web_search.query']?.n ?? 0
    group.context_tokens = Math.max(group.context_tokens, line.context_tokens)
    group.items += 1
  }
  const finish = (ended: boolean): Metered => ({
    ...(Object.keys(ends).length === 0
      ? {}
      : {
          usage: normalise({
            lines: [...groups.values()].map(groupedLine),
            quality,
            warnings: [...warnings].slice(0, 20),
            raw: { batch_results: ends },
          }),
        }),
    ...(batch_id === undefined ? {} : { response_id: batch_id }),
    complete: ended,
    output_text: '',
  })
  const fold: Own<Fold<string>> = {
    started: false,
    done: false,
    read(data) {
      fold.started = true
      const result = asRecord(at(parseJson(data), 'result'))
      const type = asText(result?.['type']) ?? 'unreadable'
      ends[type] = (ends[type] ?? 0) + 1
      const message = asRecord(result?.['message'])
      const usage = asRecord(message?.['usage'])
      if (type !== 'succeeded' || !message || !usage) return undefined
      const bill = usageOfMessages([{ usage, model: asText(message['model']) }], context)
      bill.lines.forEach(add)
      for (const warning of bill.warnings) warnings.add(warning)
      if (bill.quality === 'inferred') quality = 'inferred'
      return undefined
    },
    finish,
  }
  return fold
}
