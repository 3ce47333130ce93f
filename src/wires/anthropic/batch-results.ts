import type { Metered } from '../../core/wire.ts'
import { gatherItems, UNCOUNTED } from '../framing/batch.ts'
import { normalise, usageIn } from '../framing/counts.ts'
import { asRecord, asText, at, parseJson } from '../framing/json.ts'
import type { Fold, Own } from '../framing/metering.ts'
import { type UsageContext, usageOfMessages } from './usage.ts'

/**
 * Folds the results file of a message batch: one JSON line an item, in any order, and only the successes are billed. Items
 * of one model on the same side of the long-context threshold become one line, so that a batch of any size is one receipt.
 */
export const foldBatchResults = (batch_id: string | undefined, context: UsageContext): Fold<string> => {
  const items = gatherItems()
  const ends: Record<string, number> = {}
  const warnings = new Set<string>()
  let quality: 'exact' | 'inferred' = 'exact'
  const finish = (ended: boolean): Metered => ({
    ...(Object.keys(ends).length === 0
      ? {}
      : {
          usage: normalise({
            lines: items.lines(),
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
      if (type !== 'succeeded') return undefined
      const usage = usageIn(message?.['usage'])
      if (!usage) {
        warnings.add(UNCOUNTED)
        return undefined
      }
      const bill = usageOfMessages([{ usage, model: asText(message?.['model']) }], context)
      bill.lines.forEach(items.add)
      for (const warning of bill.warnings) warnings.add(warning)
      if (bill.quality === 'inferred') quality = 'inferred'
      return undefined
    },
    finish,
  }
  return fold
}
