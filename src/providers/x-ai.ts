import type { Provider } from '../core/provider.ts'
import { bearer, claim } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '',
  'openai-completions': '',
  'openai-responses': '',
  'openai-embeddings': '',
  'openai-images': '',
  'anthropic-messages': '',
}
const base_url = 'https://api.x.ai/v1'

/**
 * xAI. `cost_in_usd_ticks` (1e-10 USD) is the bill with its tools; chat leaves reasoning out of `completion_tokens`,
 * Responses does not (https://docs.x.ai/developers/cost-tracking).
 */
export const provider: Provider = {
  name: 'x-ai',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: {
      'openai-chat': { reasoning: 'beside-output', stated_cost: 'usage.cost_in_usd_ticks' },
      'openai-responses': { stated_cost: 'usage.cost_in_usd_ticks' },
      'openai-images': { stated_cost: 'usage.cost_in_usd_ticks' },
    },
    key_headers: ['authorization', 'x-api-key'],
    on_client_gone: 'cancel',
  },
  claims: (path, headers) => (path.startsWith('/v1/') && bearer(headers, 'xai-') ? claim.named : claim.none),
  address: rooted(roots, base_url),
  authorise: bearerKey,
}
