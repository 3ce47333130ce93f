/** The simulator's own bill as a receipt's columns would say it. */

import type { Bill, SimulatedCall } from '../../simulator/types.ts'
import type { Receipt } from '../../src/core/receipt.ts'

const of = (bill: Bill, names: readonly string[]): number =>
  names.reduce((total, name) => total + (bill.buckets[name] ?? 0), 0)

export const billed = (call: SimulatedCall | undefined) =>
  call?.bill
    ? {
        input: of(call.bill, ['in', 'in_audio', 'in_image', 'cr', 'cw', 'cw5m', 'cw1h', 'tool_in']),
        fresh: of(call.bill, ['in', 'in_audio', 'in_image']),
        cache_read: of(call.bill, ['cr']),
        cache_write: of(call.bill, ['cw', 'cw5m', 'cw1h']),
        output: of(call.bill, ['out', 'out_reasoning']),
        reasoning: of(call.bill, ['out_reasoning']),
      }
    : null

export const metered = (receipt: Receipt) => ({
  input: receipt.input_tokens ?? 0,
  fresh: receipt.input_fresh_tokens ?? 0,
  cache_read: receipt.cache_read_tokens ?? 0,
  cache_write: receipt.cache_write_tokens ?? 0,
  output: receipt.output_tokens ?? 0,
  reasoning: receipt.reasoning_tokens ?? 0,
})

/** The simulator's buckets as meters of a receipt's lines. */
const meters: Readonly<Record<string, string>> = {
  in: 'in.text.fresh',
  in_audio: 'in.audio.fresh',
  in_image: 'in.image.fresh',
  cr: 'in.text.cache_read',
  cw: 'in.text.cache_write',
  cw5m: 'in.text.cache_write_5m',
  cw1h: 'in.text.cache_write_1h',
  tool_in: 'in.text.tool',
  out: 'out.text.visible',
  out_image: 'out.image.visible',
  out_reasoning: 'out.text.reasoning',
  web_search: 'web_search.query',
  rerank_units: 'rerank.search_unit',
  audio_seconds: 'audio_in.second',
  tts_chars: 'tts.char',
  requests: 'request',
}

type Quantities = Readonly<Record<string, number>>

const summed = (pairs: readonly (readonly [string, number])[]): Quantities => {
  const sums: Record<string, number> = {}
  for (const [name, quantity] of pairs) if (quantity !== 0) sums[name] = (sums[name] ?? 0) + quantity
  return sums
}

/** What the simulator charges, by meter. A bucket that no meter stands for is shown under its own name. */
export const billedMeters = (call: SimulatedCall | undefined): Quantities =>
  summed(Object.entries(call?.bill?.buckets ?? {}).map(([name, count]) => [meters[name] ?? `? ${name}`, count]))

/** What a receipt's lines say, by meter. */
export const meteredMeters = (receipt: Receipt): Quantities =>
  summed((receipt.lines ?? []).map(({ meter, quantity }) => [meter, quantity]))
