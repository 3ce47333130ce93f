import type { Metered } from '../../core/wire.ts'
import { usageIn } from '../framing/counts.ts'
import { asRecord, asText, decode, type JsonRecord, recordsOf } from '../framing/json.ts'
import type { Body } from '../framing/metering.ts'
import { errorOf } from './failure.ts'
import { type UsageContext, usageOfMessages } from './usage.ts'

/** Of a body that was cut, so much is searched for the text that had come. */
const LARGEST_CUT_CHARACTERS = 512 * 1024
const writtenInCut = /"(?:text|thinking|partial_json)"\s*:\s*"((?:[^"\\]|\\.)*)/g

/** The text in JSON that ends in the middle. */
const textOfCut = (bytes: Uint8Array): string => {
  const raw = decode(bytes.subarray(0, LARGEST_CUT_CHARACTERS))
  return Array.from(raw.matchAll(writtenInCut), ([, text = '']) =>
    text.replace(/\\n/g, '\n').replace(/\\(.)/g, '$1'),
  ).join('')
}

const textOfMessage = (message: JsonRecord): string =>
  recordsOf(message['content'])
    .map(
      (block) =>
        asText(block['text']) ?? asText(block['thinking']) ?? (block['input'] ? JSON.stringify(block['input']) : ''),
    )
    .join('')

/** What a whole Messages response says: its bill, its id, the model that answered and why it stopped. */
export const describeMessage = (body: Body, context: UsageContext): Metered => {
  const message = asRecord(body.json())
  if (!message) return { complete: false, output_text: textOfCut(body.bytes) }
  const error = errorOf(message)
  if (error) return { error, complete: body.ended, output_text: '' }
  const usage = usageIn(message['usage'])
  const model = asText(message['model'])
  const response_id = asText(message['id'])
  const finish_reason = asText(message['stop_reason'])
  return {
    ...(usage ? { usage: usageOfMessages([{ usage, model }], context) } : {}),
    ...(response_id === undefined ? {} : { response_id }),
    ...(model === undefined ? {} : { model_served: model }),
    ...(finish_reason === undefined ? {} : { finish_reason }),
    complete: body.ended,
    output_text: usage ? '' : textOfMessage(message),
  }
}
