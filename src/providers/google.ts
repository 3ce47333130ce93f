import type { Address, AddressRequest, Provider, ProviderSettings } from '../core/provider.ts'
import { baseOf } from './shared/base.ts'
import { claim, within } from './shared/claim.ts'
import { isModelPath, modelName, modelPath, readGeminiPath } from './shared/gemini-model.ts'
import { keyedAs } from './shared/keys.ts'
import { join, without } from './shared/path.ts'
import { foreignQuery, nativeAddress, rooted } from './shared/rooted.ts'

const base_url = 'https://generativelanguage.googleapis.com'
const roots = {
  'gemini-generate': '/v1beta',
  'gemini-embeddings': '/v1beta',
  'gemini-interactions': '/v1beta',
  'openai-chat': '/v1beta/openai',
  'openai-embeddings': '/v1beta/openai',
  'openai-images': '/v1beta/openai',
}
const rootedAddress = rooted(roots, base_url)

/** The key may stand in the query here; ours goes in a header, so a foreign one must not go along. */
const address = (settings: ProviderSettings, request: AddressRequest): Address => {
  const query = settings.credentials.api_key === undefined ? request.query : without(request.query, ['key'])
  if (request.native) return nativeAddress(baseOf(settings, base_url), { ...request, query })
  if (!isModelPath(request.wire)) return rootedAddress(settings, request)
  const base = baseOf(settings, base_url)
  const { version, method } = readGeminiPath(request)
  const path = `/${version}/${modelPath(modelName(request))}:${method}`
  return { origin: base.origin, path: join(base.path, path) + foreignQuery(request) }
}

/** The Gemini API (https://ai.google.dev/api), with OpenAI's formats under `/v1beta/openai`. */
export const provider: Provider = {
  name: 'google',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: { 'openai-chat': { reasoning: 'total-only' } },
    key_headers: ['x-goog-api-key', 'authorization'],
    on_client_gone: 'drain',
  },
  claims: (path, headers) => {
    if (headers['x-goog-api-key'] !== undefined) return claim.named
    const own = within(path, ['/v1beta', '/v1alpha', '/upload/v1beta']) || /^\/v1\/models\/[^/]+:[A-Za-z]+$/.test(path)
    return own ? claim.own : claim.none
  },
  address,
  authorise: (settings, outgoing) =>
    /\/openai\//.test(outgoing.url)
      ? keyedAs(settings, outgoing, 'authorization', 'Bearer ')
      : keyedAs(settings, outgoing, 'x-goog-api-key'),
}
