import type { Provider } from '../core/provider.ts'
import { claim, within } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '/serving-endpoints',
  'openai-completions': '/serving-endpoints',
  'openai-responses': '/serving-endpoints',
  'openai-embeddings': '/serving-endpoints',
  'anthropic-messages': '/serving-endpoints/anthropic/v1',
}

/**
 * Databricks Model Serving. `base_url` is the workspace. The model is the serving endpoint's name; it stands in the body, or
 * in `/serving-endpoints/{name}/invocations`. `stream_options` is not among the documented fields, and whether a cancelled
 * stream stops billing is not documented either.
 */
export const provider: Provider = {
  name: 'databricks',
  traits: {
    wires: Object.keys(roots),
    quirks: { 'openai-chat': { no_stream_options: true }, 'openai-completions': { no_stream_options: true } },
    key_headers: ['authorization', 'x-api-key'],
    on_client_gone: 'drain',
  },
  claims: (path) => (within(path, ['/serving-endpoints']) ? claim.sure : claim.none),
  address: rooted(roots),
  authorise: bearerKey,
}
