import type { MeterContext, Metering, Wire } from '../core/wire.ts'
import { bare } from './framing/bare.ts'
import { isEventStream, meterBody, meterJsonArray, meterSse } from './framing/metering.ts'
import { describeAnswer, foldAnswer } from './gemini/answer.ts'
import { generateEditor } from './gemini/editor.ts'
import { shapeError } from './gemini/failure.ts'
import { generateForms } from './gemini/forms.ts'
import { readGenerate } from './gemini/request.ts'
import { jsonBody } from './openai-request.ts'

/** The Gemini API, Vertex AI (project, location and publisher in front), tuned models and dedicated endpoints. */
const GENERATE =
  /^\/v\d+(?:alpha|beta)?\d*\/(?:[\w./@-]+\/)?(?:models|tunedModels|endpoints)\/[^/:]+:(generateContent|streamGenerateContent|countTokens)$/

const MODELS = /^\/v\d+(?:alpha|beta)?\d*\/models(?:\/[^/:]+)?$/

/** With `alt=sse` a stream is events; without, one JSON array that grows. */
const meterStream = (context: MeterContext): Metering => {
  const json = context.headers['content-type']?.includes('json') ?? false
  return json ? meterJsonArray(foldAnswer(context)) : meterSse(foldAnswer(context), false)
}

/**
 * Google's generateContent, whole and streamed, at the Gemini API and on Vertex AI, the counting of tokens and the listing of
 * models, which bill nothing. Usage is in every event, so nothing is edited. Rules of usage: `docs/usage.md`.
 */
export const wire: Wire = {
  name: 'gemini-generate',
  endpoints: ['generate', 'count_tokens', 'models'],
  recognise: (method, path) => (method === 'POST' ? GENERATE.test(path) : method === 'GET' && MODELS.test(path)),
  read: (request) => (request.method === 'POST' ? readGenerate(request, jsonBody(request)) : bare('models')),
  meter(context) {
    const { reading, status } = context
    if (status < 400 && (reading.stream || isEventStream(context))) return meterStream(context)
    return meterBody((body) => {
      const metered = describeAnswer(body.json(), context, body.ended)
      return reading.billable ? metered : { ...metered, output_text: '' }
    })
  },
  shape: shapeError,
  editor: generateEditor,
  forms: generateForms,
}
