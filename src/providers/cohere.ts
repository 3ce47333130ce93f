import type { Provider } from '../core/provider.ts'
import { claim, within } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'cohere-chat': '/v2',
  'cohere-embed': '/v2',
  rerank: '/v2',
  'openai-chat': '/compatibility/v1',
  'openai-embeddings': '/compatibility/v1',
}
const base_url = 'https://api.cohere.com'

/** Version 1, exact: `/v1/chat/completions` is not Cohere's. */
const legacy = [
  '/v1/chat',
  '/v1/embed',
  '/v1/generate',
  '/v1/classify',
  '/v1/tokenize',
  '/v1/detokenize',
  '/v1/summarize',
]

/** Cohere: its own v2 and v1, and OpenAI's chat and embeddings under `/compatibility/v1` (https://docs.cohere.com). */
export const provider: Provider = {
  name: 'cohere',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: {},
    key_headers: ['authorization'],
    on_client_gone: 'cancel',
  },
  claims: (path) => {
    if (path === '/v1/rerank') return claim.common
    return within(path, ['/v2', '/compatibility/v1']) || legacy.includes(path) ? claim.own : claim.none
  },
  address: rooted(roots, base_url),
  authorise: bearerKey,
}
