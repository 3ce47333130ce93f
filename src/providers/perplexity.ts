import type { Provider } from '../core/provider.ts'
import { bearer, claim } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '',
  'openai-responses': '/v1',
  'openai-embeddings': '/v1',
}
const base_url = 'https://api.perplexity.ai'

/**
 * Perplexity: Sonar chat (whose last day was 2026-09-27) at the root, the Agent API in the Responses format under `/v1`.
 * Usage stands in every chunk, so it need not be asked for.
 */
export const provider: Provider = {
  name: 'perplexity',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: {
      'openai-chat': {
        no_stream_options: true,
        stated_cost: 'usage.cost.total_cost',
        request_fee: 'search_context_size',
        reasoning: 'beside-total',
      },
      'openai-responses': { stated_cost: 'usage.cost.total_cost' },
    },
    key_headers: ['authorization'],
    on_client_gone: 'drain',
  },
  claims: (path, headers) => (path.startsWith('/') && bearer(headers, 'pplx-') ? claim.named : claim.none),
  address: rooted(roots, base_url),
  authorise: bearerKey,
}
