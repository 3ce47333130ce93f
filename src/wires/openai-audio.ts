import type { Wire, WireRequest } from '../core/wire.ts'
import { bodyTags } from './framing/body-tags.ts'
import { asText, given, type JsonRecord } from './framing/json.ts'
import { isEventStream, meterBody, meterSse } from './framing/metering.ts'
import { formFields } from './framing/multipart.ts'
import { partsOf } from './framing/parts.ts'
import { shapeError } from './openai-failure.ts'
import { deploymentOf, jsonBody } from './openai-request.ts'
import { describeSpeech, describeTranscript, soundFold } from './openai-sound.ts'

const AUDIO = /\/audio\/(transcriptions|translations|speech)$/

/** Fields of the request: a form with the file for transcriptions, JSON for speech. The file is not looked into. */
const fieldsOf = (request: WireRequest): JsonRecord =>
  formFields(request.body, request.headers['content-type']) ?? jsonBody(request)

/** OpenAI's audio: transcription and translation (by tokens or by the second) and speech (by the character or by tokens). */
export const wire: Wire = {
  name: 'openai-audio',
  endpoints: ['audio.speech', 'audio.transcriptions', 'audio.translations'],
  recognise: (method, path) => method === 'POST' && AUDIO.test(path),
  read(request) {
    const fields = fieldsOf(request)
    const kind = AUDIO.exec(request.path)?.[1] ?? 'transcriptions'
    const streamed = fields['stream'] === true || fields['stream'] === 'true' || fields['stream_format'] === 'sse'
    return {
      endpoint: `audio.${kind}`,
      billable: true,
      stream: streamed,
      ...given({
        model: deploymentOf(request.path) ?? asText(fields['model']),
        response_format: asText(fields['response_format']),
      }),
      parts: [
        ...partsOf('system', asText(fields['instructions']) ?? ''),
        ...partsOf('user', asText(fields['input']) ?? asText(fields['prompt']) ?? ''),
      ],
      body_tags: bodyTags(fields['metadata'], fields['user']),
      edits: [],
      hide_usage: false,
    }
  },
  meter(context) {
    if (isEventStream(context)) return meterSse(soundFold(context), false)
    const speech = context.reading.endpoint === 'audio.speech'
    return meterBody((body) => (speech ? describeSpeech(body, context) : describeTranscript(body, context)))
  },
  shape: shapeError,
}
