import { WeirError } from '../core/errors.ts'
import type { Importer, ImportOptions } from '../core/importer.ts'
import type { Receipt } from '../core/receipt.ts'
import { receiptOf, UNCACHED } from './receipt.ts'
import { digest, isCount, readRecords } from './source.ts'

/** Tokens of a block that has an id: https://github.com/kvcache-ai/Mooncake, FAST25-release/traces. */
const BLOCK = 512

type TraceRequest = Readonly<{ timestamp: number; input_length: number; output_length: number; hash_ids: number[] }>

/** No trace is of a thousand years. */
const LONGEST_MS = 3.2e13

/** Says what is wrong with a request, or undefined. */
const fault = (record: Readonly<Record<string, unknown>>): string | undefined => {
  const { timestamp, input_length, output_length, hash_ids } = record
  if (typeof timestamp !== 'number' || !(timestamp >= 0 && timestamp < LONGEST_MS))
    return '"timestamp" must be milliseconds from the start of the trace'
  if (!isCount(input_length) || !isCount(output_length))
    return '"input_length" and "output_length" must be whole token counts'
  if (!Array.isArray(hash_ids) || !hash_ids.every(isCount)) return '"hash_ids" must be a list of block ids'
  return undefined
}

/** An id stands for its block and all before it, so it is the prefix up to the block's end. */
const chainOf = ({ input_length, hash_ids }: TraceRequest): Pick<Receipt, 'prefix_hashes' | 'prefix_tokens'> => ({
  prefix_hashes: hash_ids.map((id) => digest(`mooncake/${id}`)),
  prefix_tokens: hash_ids.map((_, index) => Math.min(input_length, (index + 1) * BLOCK)),
})

const needed = ({ provider, model }: ImportOptions): Readonly<{ provider: string; model: string }> => {
  if (provider !== undefined && model !== undefined) return { provider, model }
  throw new WeirError('bad-input', 'A Mooncake trace names no model: add --provider NAME and --model NAME.')
}

/**
 * Requests of the Mooncake traces, one a line, `{timestamp, input_length, output_length, hash_ids}`. They say neither how long an
 * answer took nor what a cache served: an answer ends when it begins, all input is priced as fresh, and every block is kept.
 */
export const importer: Importer = {
  name: 'mooncake',
  describes:
    'Mooncake traces: one request a line, with tokens, times and the ids of its 512-token prefix blocks, no text',
  unsaid: UNCACHED,
  async *read(path, options, progress) {
    const { provider, model } = needed(options)
    for await (const row of readRecords(path, progress)) {
      if ('bad' in row) {
        yield row
        continue
      }
      const wrong = fault(row.record)
      if (wrong !== undefined) {
        yield { bad: wrong, line: row.line }
        continue
      }
      const request = row.record as TraceRequest
      const started_at_us = options.epoch_us + Math.round(request.timestamp * 1000)
      const call = {
        identity: `mooncake/${row.line}/${request.timestamp}/${request.input_length}/${request.output_length}/${request.hash_ids.at(-1) ?? ''}`,
        origin: 'mooncake',
        provider,
        model,
        endpoint: 'chat',
        stream: true,
        started_at_us,
        ended_at_us: started_at_us,
        usage: { 'in.text.fresh': request.input_length, 'out.text.visible': request.output_length },
        columns: chainOf(request),
      }
      yield { receipt: receiptOf(call, options) }
    }
  },
}
