import type { Provider } from '../core/provider.ts'
import { bearer, claim, within } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-embeddings': '',
  'voyage-embeddings': '',
  rerank: '',
}
const base_url = 'https://api.voyageai.com/v1'

/** Voyage AI: embeddings and reranking, counted as `total_tokens`. Nothing streams, so there is nothing to cancel. */
export const provider: Provider = {
  name: 'voyage',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: {},
    key_headers: ['authorization'],
    on_client_gone: 'drain',
  },
  claims: (path, headers) => {
    if (within(path, ['/v1/multimodalembeddings', '/v1/contextualizedembeddings'])) return claim.own
    return path.startsWith('/v1/') && bearer(headers, 'pa-') ? claim.named : claim.none
  },
  address: rooted(roots, base_url),
  authorise: bearerKey,
}
