import type { Provider } from '../core/provider.ts'
import { bearer, claim } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '',
  'openai-completions': '',
  'openai-embeddings': '',
  'openai-images': '',
  'openai-audio': '',
  rerank: '',
}
const base_url = 'https://api.together.xyz/v1'

/** Together AI. */
export const provider: Provider = {
  name: 'together',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: {},
    key_headers: ['authorization'],
    on_client_gone: 'cancel',
  },
  claims: (path, headers) => (path.startsWith('/v1/') && bearer(headers, 'tgp_') ? claim.named : claim.none),
  address: rooted(roots, base_url),
  authorise: bearerKey,
}
