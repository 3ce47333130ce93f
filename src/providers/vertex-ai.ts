import { WeirError } from '../core/errors.ts'
import type { Address, AddressRequest, Provider, ProviderSettings } from '../core/provider.ts'
import { type Base, baseOf, neededOption, optionOf, regionOf } from './shared/base.ts'
import { claim, within } from './shared/claim.ts'
import { isModelPath, modelName, readGeminiPath } from './shared/gemini-model.ts'
import { bearerKey, keyedAs } from './shared/keys.ts'
import { checkPath, join, segment } from './shared/path.ts'
import { foreignQuery, nativeAddress } from './shared/rooted.ts'
import { serviceAccountToken } from './shared/service-account.ts'

const LOCATION = /^[a-z0-9][a-z0-9-]{0,39}$/

/** https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations: the world, two continents, or a region. */
const hostOf = (region: string): string => {
  if (region === 'global') return 'https://aiplatform.googleapis.com'
  return region === 'us' || region === 'eu'
    ? `https://aiplatform.${region}.rep.googleapis.com`
    : `https://${region}-aiplatform.googleapis.com`
}

const base = (settings: ProviderSettings): Base =>
  settings.base_url === undefined ? { origin: hostOf(regionOf(settings)), path: '' } : baseOf(settings)

const options = { project: /^[a-z0-9][a-z0-9.:-]{0,62}$/, auth: /^(api-key|bearer)$/ }

/** Project and location of the settings; a call that only changes its model keeps its own where none is configured. */
const home = (settings: ProviderSettings, path: string): string => {
  const own = /^\/v1[a-z0-9]*(\/projects\/[^/]+\/locations\/[^/]+)\//.exec(path)?.[1]
  if (own !== undefined && settings.options['project'] === undefined) return own
  return `/projects/${neededOption(settings, options, 'project')}/locations/${regionOf(settings)}`
}

/** Gemini's model stands in the path, OpenAI's in the body. Claude's body has no model and another version here. */
const ownPath = (settings: ProviderSettings, request: AddressRequest): string => {
  const path = checkPath(request.path)
  if (isModelPath(request.wire)) {
    const { version, method } = readGeminiPath(request)
    const root = version === 'v1' ? '/v1' : '/v1beta1'
    return `${root}${home(settings, path)}/publishers/google/models/${segment(modelName(request))}:${method}`
  }
  if (request.wire === 'openai-chat') return `/v1${home(settings, path)}/endpoints/openapi/chat/completions`
  const claude =
    request.wire === 'anthropic-messages' && /\/publishers\/anthropic\/models\/[^/]+:([A-Za-z]+)$/.exec(path)
  if (claude && request.model !== undefined)
    return `/v1${home(settings, path)}/publishers/anthropic/models/${segment(request.model.replace(/^anthropic\//, ''))}:${claude[1]}`
  throw new WeirError(
    'bad-config',
    `Provider ${settings.name}: vertex-ai takes ${request.wire ?? 'such'} calls only on its own paths. Take the target out of the route.`,
  )
}

const address = (settings: ProviderSettings, request: AddressRequest): Address => {
  const from = base(settings)
  const asked = /\/locations\/([^/]+)\//.exec(request.path)?.[1]
  const known = request.native && asked !== undefined && LOCATION.test(asked) ? asked : settings.region
  const region = known === undefined ? {} : { region: known }
  if (request.native) return { ...nativeAddress(from, request), ...region }
  return { origin: from.origin, path: join(from.path, ownPath(settings, request)) + foreignQuery(request), ...region }
}

/**
 * Vertex AI. `region` chooses the host; `options.project` is needed for calls of other providers. The key is a service
 * account's key file, with which each token is signed here; an OAuth access token, which nobody renews; or with
 * `options.auth: api-key` an API key of express mode.
 */
export const provider: Provider = {
  name: 'vertex-ai',
  traits: {
    wires: ['gemini-generate', 'gemini-embeddings', 'gemini-interactions', 'anthropic-messages', 'openai-chat'],
    quirks: { 'openai-chat': { reasoning: 'total-only' } },
    key_headers: ['authorization', 'x-goog-api-key'],
    needs: 'region',
    options,
    on_client_gone: 'drain',
  },
  claims: (path) => {
    const roots = ['/v1', '/v1beta1'].flatMap((version) => [`${version}/projects`, `${version}/publishers`])
    return within(path, roots) ? claim.sure : claim.none
  },
  address,
  authorise(settings, outgoing, now_us) {
    if (optionOf(settings, options, 'auth') === 'api-key') return keyedAs(settings, outgoing, 'x-goog-api-key')
    const headers = bearerKey(settings, outgoing)
    const key = settings.credentials.api_key
    if (key?.trimStart().startsWith('{'))
      headers['authorization'] = `Bearer ${serviceAccountToken(settings, key, now_us)}`
    return headers
  },
}
