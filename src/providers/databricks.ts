import { WeirError } from '../core/errors.ts'
import type { Address, AddressRequest, Provider, ProviderSettings } from '../core/provider.ts'
import { baseOf } from './shared/base.ts'
import { claim, within } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { checkPath, join, segment } from './shared/path.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '/serving-endpoints',
  'openai-completions': '/serving-endpoints',
  'openai-responses': '/serving-endpoints',
  'openai-embeddings': '/serving-endpoints',
  'anthropic-messages': '/serving-endpoints/anthropic/v1',
}

const other = rooted(roots)

/** The serving endpoint, which is the model's name here, stands in the path. */
const invocation = (settings: ProviderSettings, request: AddressRequest): Address => {
  const base = baseOf(settings)
  const name = segment(request.model ?? '')
  checkPath(request.path)
  if (name === '')
    throw new WeirError('bad-request', `Provider ${settings.name}: the request names no serving endpoint.`)
  return { origin: base.origin, path: join(base.path, `/serving-endpoints/${name}/invocations`) }
}

/**
 * Databricks Model Serving. `base_url` is the workspace. The model is the serving endpoint's name; it stands in the body, or
 * in `/serving-endpoints/{name}/invocations`. `stream_options` is not among the documented fields, and whether a cancelled
 * stream stops billing is not documented either.
 */
export const provider: Provider = {
  name: 'databricks',
  traits: {
    wires: [...Object.keys(roots), 'databricks-invocations'],
    quirks: {
      'openai-chat': { no_stream_options: true },
      'openai-completions': { no_stream_options: true },
      'databricks-invocations': { no_stream_options: true },
    },
    key_headers: ['authorization', 'x-api-key'],
    needs: 'base_url',
    on_client_gone: 'drain',
  },
  claims: (path) => (within(path, ['/serving-endpoints']) ? claim.sure : claim.none),
  address: (settings, request) =>
    request.wire === 'databricks-invocations' && !request.native
      ? invocation(settings, request)
      : other(settings, request),
  authorise: bearerKey,
}
