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
