import type { Wire } from '../core/wire.ts'
import { bodyTags } from './framing/body-tags.ts'
import { asList, asText, given } from './framing/json.ts'
import { isEventStream, meterBody, meterSse } from './framing/metering.ts'
import { userParts } from './framing/parts.ts'
import { chunkFold, describeWhole } from './openai-chunks.ts'
import { completionForms } from './openai-completions-forms.ts'
import { temperatureOf } from './openai-editor.ts'
import { shapeError } from './openai-failure.ts'
import { askForUsage, jsonBody, maxOutput, modelAsked, tierAsked } from './openai-request.ts'

/** `/completions` that is neither chat's nor an agent's; Mistral's fill-in-the-middle has the same form. */
const COMPLETIONS = /^(?!.*\/(chat|agents)\/completions$).*\/completions$/

const promptText = (prompt: unknown): string =>
  typeof prompt === 'string'
    ? prompt
    : asList(prompt)
        .flatMap((one) => asText(one) ?? [])
        .join('\n')

/** The legacy completions of OpenAI, and of the many servers for open models that still speak it. */
export const wire: Wire = {
  name: 'openai-completions',
  endpoints: ['completions'],
  recognise: (method, path) => method === 'POST' && COMPLETIONS.test(path),
  read(request, quirks) {
    const body = jsonBody(request)
    const suffix = asText(body['suffix'])
    const prompt = promptText(body['prompt'])
    return {
      endpoint: 'completions',
      billable: true,
      stream: body['stream'] === true,
      ...given({
        model: modelAsked(request.path, body),
        max_output_tokens: maxOutput(body, 'max_tokens'),
        temperature: temperatureOf(body),
        service_tier: tierAsked(body),
        turns: 1,
        tool_count: 0,
      }),
      max_output_field: ['max_tokens'],
      parts: userParts(suffix === undefined ? prompt : `${prompt}\n${suffix}`),
      body_tags: bodyTags(body['metadata'], body['user']),
      ...askForUsage(request, body, quirks),
    }
  },
  meter(context) {
    if (isEventStream(context)) return meterSse(chunkFold(context), context.reading.hide_usage)
    return meterBody((body) => describeWhole(body.json(), context, body.ended))
  },
  shape: shapeError,
  forms: completionForms,
}
