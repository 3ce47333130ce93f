/** Gemini's paths hold the model and the method: `/v1beta/models/{model}:{method}`. */
import { WeirError } from '../../core/errors.ts'
import type { AddressRequest } from '../../core/provider.ts'
import { checkPath, segment } from './path.ts'

export type GeminiPath = Readonly<{ version: string; method: string }>

/** Does the wire keep the model in the path? Interactions keep it in the body. */
export const isModelPath = (wire: string | undefined): boolean =>
  wire === 'gemini-generate' || wire === 'gemini-embeddings'

const versions: Readonly<Record<string, string>> = { v1: 'v1', v1beta1: 'v1beta', v1beta: 'v1beta', v1alpha: 'v1alpha' }

/** Version (in the Gemini API's words) and method of a Gemini path of any provider. Throws WeirError `bad-request`. */
export const readGeminiPath = (request: AddressRequest): GeminiPath => {
  const path = checkPath(request.path)
  const method = /:([A-Za-z]+)$/.exec(path)?.[1]
  if (method === undefined)
    throw new WeirError(
      'bad-request',
      'This Gemini path names no method, so it cannot be sent to another model or provider.',
    )
  const version = versions[/^\/(v1[a-z0-9]*)\//.exec(path)?.[1] ?? 'v1beta'] ?? 'v1beta'
  return { version, method }
}

/** The target's model without publisher and collection: `google/gemini-4` and `models/gemini-4` are `gemini-4`. Throws `bad-request`. */
export const modelName = (request: AddressRequest): string => {
  const model = request.model?.replace(/^(publishers\/)?google\//, '').replace(/^models\//, '')
  if (model === undefined || model === '') throw new WeirError('bad-request', 'The request names no model.')
  return model
}

/** The model as part of the Gemini API's path; tuned models have a collection of their own. */
export const modelPath = (model: string): string =>
  model.startsWith('tunedModels/') ? `tunedModels/${segment(model.slice(12))}` : `models/${segment(model)}`
