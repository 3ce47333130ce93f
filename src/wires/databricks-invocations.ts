import type { Wire } from '../core/wire.ts'
import { asRecord, unescaped } from './framing/json.ts'
import { wire as chat } from './openai-chat.ts'
import { wire as completions } from './openai-completions.ts'
import { wire as embeddings } from './openai-embeddings.ts'

const PATH = /\/serving-endpoints\/([^/]+)\/invocations$/

/** One path for three formats of OpenAI's: what the body holds says which it is. */
const formatOf = (json: unknown): Wire => {
  const body = asRecord(json)
  if (body && 'input' in body) return embeddings
  return body && 'prompt' in body ? completions : chat
}

/**
 * Databricks' own path to a serving endpoint (https://docs.databricks.com/aws/en/machine-learning/foundation-model-apis/api-reference):
 * the model stands in the path, the body is chat, completion or embeddings as OpenAI writes them.
 */
export const wire: Wire = {
  name: 'databricks-invocations',
  endpoints: ['chat', 'completions', 'embeddings'],
  recognise: (method, path) => method === 'POST' && PATH.test(path),
  read: (request, quirks) => {
    const reading = formatOf(request.json).read(request, quirks)
    const name = PATH.exec(request.path)?.[1]
    return name === undefined ? reading : { ...reading, model: unescaped(name) }
  },
  meter: (context) => formatOf(context.request.json).meter(context),
  shape: chat.shape,
  forms: {
    address: (path, query) => path + query,
    as: (answer, asked) => formatOf(asked.json).forms?.as(answer, asked) ?? answer,
  },
}
