import type { Provider } from '../core/provider.ts'
import { claim, within } from './shared/claim.ts'
import { keyedAs } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = { 'anthropic-messages': '/v1' }
const base_url = 'https://api.anthropic.com'

/** Anthropic's own API. It shares `/v1/models` and `/v1/files` with OpenAI; its headers tell them apart. */
export const provider: Provider = {
  name: 'anthropic',
  traits: {
    wires: Object.keys(roots),
    base_url,
    quirks: {},
    key_headers: ['x-api-key', 'authorization'],
    on_client_gone: 'cancel',
  },
  claims: (path, headers) => {
    if (within(path, ['/v1/messages', '/v1/complete'])) return claim.own
    const spoken = headers['anthropic-version'] !== undefined || headers['x-api-key'] !== undefined
    return spoken && path.startsWith('/v1/') ? claim.own : claim.none
  },
  address: rooted(roots, base_url),
  authorise: (settings, outgoing) => {
    const headers = keyedAs(settings, outgoing, 'x-api-key')
    // A call from a cloud's copy of the API carries the version in its body; here the header is required.
    if (settings.credentials.api_key !== undefined) headers['anthropic-version'] ??= '2023-06-01'
    return headers
  },
}
