import type { Provider } from '../core/provider.ts'
import { bearer, claim, within } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '',
  'openai-completions': '',
  'openai-responses': '',
  'openai-embeddings': '',
  'anthropic-messages': '',
  rerank: '',
}
const base_url = 'https://openrouter.ai/api/v1'

/**
 * OpenRouter. `usage.cost` is what its credits are charged, plugin fees included; usage stands in every stream, asked for
 * or not. Whether a cancelled stream stops billing depends on the host behind it, so streams are drained
 * (https://openrouter.ai/docs/api-reference/streaming).
 */
export const provider: Provider = {
  name: 'openrouter',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: {
      'openai-chat': { cache_write_overlaps_read: true, no_stream_options: true, stated_cost: 'usage.cost' },
      'openai-completions': { no_stream_options: true, stated_cost: 'usage.cost' },
      'openai-responses': { stated_cost: 'usage.cost' },
      'openai-embeddings': { stated_cost: 'usage.cost' },
      'anthropic-messages': { stated_cost: 'usage.cost' },
      rerank: { stated_cost: 'usage.cost' },
    },
    key_headers: ['authorization', 'x-api-key'],
    on_client_gone: 'drain',
  },
  claims: (path, headers) => {
    if (within(path, ['/api/v1'])) return claim.own
    return path.startsWith('/v1/') && bearer(headers, 'sk-or-') ? claim.named : claim.none
  },
  address: rooted(roots, base_url),
  authorise: bearerKey,
}
