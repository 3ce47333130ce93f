import type { MeterContext, Metered, Wire } from '../core/wire.ts'
import { gatherItems, readResults, splitLines, UNCOUNTED } from './framing/batch.ts'
import { normalise } from './framing/counts.ts'
import { errorIn } from './framing/failures.ts'
import { asRecord, type JsonRecord, parseJson } from './framing/json.ts'
import { type Fold, meterBody, meterFrames, type Own } from './framing/metering.ts'
import { describeWhole } from './openai-chunks.ts'
import { shapeError } from './openai-failure.ts'
import { describeResponse } from './openai-output.ts'

/** Below the version; files of containers are no results of batches. */
const CONTENT = /^(?:.*\/v1|\/openai)?\/files\/([^/]+)\/content$/

type Item = Readonly<{ status: number; body: JsonRecord | undefined }>

/** A line of a batch's results, `{ id, custom_id, response: { status_code, body }, error }`; undefined where it is none. */
const itemOf = (line: string): Item | undefined => {
  const item = line.startsWith('{') ? asRecord(parseJson(line)) : undefined
  if (!item || typeof item['custom_id'] !== 'string' || !('response' in item)) return undefined
  const response = asRecord(item['response'])
  return { status: Number(response?.['status_code'] ?? 0), body: asRecord(response?.['body']) }
}

const describe = (body: JsonRecord, context: MeterContext): Metered =>
  body['object'] === 'response' ? describeResponse(body, context, true) : describeWhole(body, context, true)

/** Folds a file, of which the first line says whether it holds results: any other file costs nothing and is not read on. */
const foldFile = (context: MeterContext): Fold<string> => {
  const file_id = CONTENT.exec(context.request.path)?.[1]
  const items = gatherItems()
  const ends: Record<string, number> = {}
  const warnings = new Set<string>()
  let quality: 'exact' | 'inferred' = 'exact'
  let foreign = false

  const bill = ({ status, body }: Item): void => {
    const end = status >= 200 && status < 300 && body ? 'succeeded' : 'errored'
    ends[end] = (ends[end] ?? 0) + 1
    if (end !== 'succeeded' || !body) return
    const { usage } = describe(body, context)
    if (!usage) {
      warnings.add(UNCOUNTED)
      return
    }
    usage.lines.forEach(items.add)
    for (const warning of usage.warnings) warnings.add(warning)
    if (usage.quality === 'inferred') quality = 'inferred'
  }
  const fold: Own<Fold<string>> = {
    started: false,
    done: false,
    read(line) {
      const first = !fold.started
      fold.started = true
      const item = foreign ? undefined : itemOf(line)
      if (item) bill(item)
      else if (first) foreign = true
      else if (!foreign) ends['unreadable'] = (ends['unreadable'] ?? 0) + 1
      return undefined
    },
    finish: (ended) => ({
      usage: normalise({
        lines: items.lines(),
        quality,
        warnings: [...warnings].slice(0, 20),
        raw: foreign ? {} : { batch_results: ends },
      }),
      ...(file_id === undefined ? {} : { response_id: file_id }),
      complete: ended,
      output_text: '',
    }),
  }
  return fold
}

/**
 * The content of files at OpenAI and those who speak its API: where it is the results of a batch, they are the batch's bill,
 * because creating and polling it states none. Whoever records it must keep one receipt for one file, as it can be fetched
 * again. A part of a file (206) bills nothing.
 */
export const wire: Wire = {
  name: 'openai-batches',
  endpoints: ['files.content'],
  recognise: (method, path) => method === 'GET' && CONTENT.test(path),
  read: () => readResults('files.content'),
  meter(context) {
    if (context.status === 200) return meterFrames(splitLines(), foldFile(context), false)
    const usage = normalise({ lines: [], quality: 'exact', warnings: [], raw: {} })
    return meterBody((body) => {
      const error = context.status < 400 ? undefined : errorIn(asRecord(body.json()), true)
      return { ...(error ? { error } : { usage }), complete: body.ended, output_text: '' }
    })
  },
  shape: shapeError,
}
