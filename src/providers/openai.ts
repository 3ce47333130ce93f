import type { Provider } from '../core/provider.ts'
import { bearer, claim, within } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '',
  'openai-completions': '',
  'openai-responses': '',
  'openai-embeddings': '',
  'openai-images': '',
  'openai-audio': '',
  'openai-batches': '',
  'openai-moderations': '',
}
const base_url = 'https://api.openai.com/v1'

/** Paths of https://platform.openai.com/docs/api-reference, without version. Many servers copy the first ones. */
const paths = [
  '/chat/completions',
  '/completions',
  '/responses',
  '/conversations',
  '/embeddings',
  '/images',
  '/audio',
  '/models',
  '/files',
  '/uploads',
  '/batches',
  '/moderations',
  '/fine_tuning',
  '/vector_stores',
  '/assistants',
  '/threads',
  '/evals',
  '/containers',
  '/realtime',
  '/videos',
  '/organization',
]
const versioned = paths.map((path) => `/v1${path}`)

/** OpenAI's own API. */
export const provider: Provider = {
  name: 'openai',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: { 'openai-chat': { max_completion_tokens: true } },
    key_headers: ['authorization'],
    on_client_gone: 'cancel',
  },
  claims: (path, headers) => {
    if (within(path, versioned)) return bearer(headers, 'sk-proj-') ? claim.named : claim.common
    return within(path, paths) ? claim.weak : claim.none
  },
  address: rooted(roots, base_url),
  authorise: bearerKey,
}
