import type { Metered } from '../../core/wire.ts'
import { usageIn } from '../framing/counts.ts'
import { asRecord, asText, type JsonRecord, recordsOf } from '../framing/json.ts'
import type { Body } from '../framing/metering.ts'
import { errorOf } from './failure.ts'
import { type UsageContext, usageOfMessages } from './usage.ts'

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
  if (!message) return { complete: false, output_text: '' }
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
