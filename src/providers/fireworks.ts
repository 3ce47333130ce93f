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
const base_url = 'https://api.fireworks.ai/inference/v1'

/** Fireworks AI. */
export const provider: Provider = {
  name: 'fireworks',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: {},
    key_headers: ['authorization', 'x-api-key'],
    on_client_gone: 'cancel',
  },
  claims: (path, headers) => {
    if (within(path, ['/inference/v1'])) return claim.own
    return path.startsWith('/v1/') && bearer(headers, 'fw_') ? claim.named : claim.none
  },
  address: rooted(roots, base_url),
  authorise: bearerKey,
}
