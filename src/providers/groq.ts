import type { Provider } from '../core/provider.ts'
import { bearer, claim, within } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '',
  'openai-responses': '',
  'openai-audio': '',
  'openai-batches': '',
}
const base_url = 'https://api.groq.com/openai/v1'

/** Groq. A cancelled stream is generated and billed to its end. */
export const provider: Provider = {
  name: 'groq',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: {},
    key_headers: ['authorization'],
    on_client_gone: 'drain',
  },
  claims: (path, headers) => (within(path, ['/openai/v1', '/v1']) && bearer(headers, 'gsk_') ? claim.sure : claim.none),
  address: rooted(roots, base_url),
  authorise: bearerKey,
}
