import type { Provider } from '../core/provider.ts'
import { claim, within } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '',
  'openai-completions': '',
  'openai-embeddings': '',
  'openai-audio': '',
  'openai-batches': '',
  'mistral-ocr': '',
}
const base_url = 'https://api.mistral.ai/v1'

/**
 * Mistral. Usage stands on the last content chunk of every stream, asked for or not, and unknown fields are refused with
 * 422; so nothing is asked for.
 */
export const provider: Provider = {
  name: 'mistral',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: { 'openai-chat': { no_stream_options: true }, 'openai-completions': { no_stream_options: true } },
    key_headers: ['authorization'],
    on_client_gone: 'drain',
  },
  claims: (path) =>
    within(path, ['/v1/fim', '/v1/agents', '/v1/ocr', '/v1/classifications']) ? claim.own : claim.none,
  address: rooted(roots, base_url),
  authorise: bearerKey,
}
