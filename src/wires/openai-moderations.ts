import type { Wire } from '../core/wire.ts'
import { bare } from './framing/bare.ts'
import { errorIn } from './framing/failures.ts'
import { asRecord, asText, given } from './framing/json.ts'
import { meterBody } from './framing/metering.ts'
import { shapeError } from './openai-failure.ts'
import { jsonBody } from './openai-request.ts'

const MODERATIONS = /\/moderations$/
/** https://platform.openai.com/docs/api-reference/moderations: what serves where none is asked. */
const DEFAULT = 'omni-moderation-latest'

/** OpenAI's moderations, which are free: so budgets let them pass, and their requests are counted for the reconciliation. */
export const wire: Wire = {
  name: 'openai-moderations',
  endpoints: ['moderations'],
  recognise: (method, path) => method === 'POST' && MODERATIONS.test(path),
  read: (request) => ({ ...bare('moderations'), model: asText(jsonBody(request)['model']) ?? DEFAULT }),
  meter: () =>
    meterBody((body) => {
      const answer = asRecord(body.json())
      return {
        ...given({ model_served: asText(answer?.['model']), error: errorIn(answer) }),
        complete: body.ended,
        output_text: '',
      }
    }),
  shape: shapeError,
}
