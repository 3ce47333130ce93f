import type { Provider } from '../core/provider.ts'
import { claim, within } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '',
  'openai-completions': '/beta',
  'openai-responses': '/v1',
  'anthropic-messages': '/anthropic/v1',
}
const base_url = 'https://api.deepseek.com'

/**
 * DeepSeek: OpenAI's chat under the root, completions under `/beta`, and Anthropic's messages under `/anthropic`
 * (https://api-docs.deepseek.com).
 */
export const provider: Provider = {
  name: 'deepseek',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: {},
    key_headers: ['authorization', 'x-api-key'],
    on_client_gone: 'cancel',
  },
  claims: (path) => (within(path, ['/beta']) ? claim.own : claim.none),
  address: rooted(roots, base_url),
  authorise: bearerKey,
}
