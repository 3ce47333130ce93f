import type { Provider } from '../core/provider.ts'
import { optionOf } from './shared/base.ts'
import { claim, within } from './shared/claim.ts'
import { bearerKey } from './shared/keys.ts'
import { rooted } from './shared/rooted.ts'

const roots = {
  'openai-chat': '/api/v2/cortex/v1',
  'anthropic-messages': '/api/v2/cortex/v1',
  'snowflake-complete': '/api/v2/cortex',
}

/** What kind of key it is, where Snowflake cannot tell. */
const options = { token_type: /^(PROGRAMMATIC_ACCESS_TOKEN|OAUTH|KEYPAIR_JWT)$/ }

/**
 * Snowflake Cortex (https://docs.snowflake.com/en/user-guide/snowflake-cortex/cortex-rest-api). `base_url` is the account's
 * address. The key is a programmatic access token, or with `options.token_type` an OAuth token or a key-pair JWT.
 */
export const provider: Provider = {
  name: 'snowflake',
  traits: {
    wires: Object.keys(roots),
    quirks: { 'snowflake-complete': { no_stream_options: true, ends_with_usage: true } },
    key_headers: ['authorization', 'x-api-key'],
    needs: 'base_url',
    options,
    on_client_gone: 'drain',
  },
  claims: (path) => (within(path, ['/api/v2/cortex']) ? claim.sure : claim.none),
  address: rooted(roots),
  authorise: (settings, outgoing) => {
    const headers = bearerKey(settings, outgoing)
    const type = optionOf(settings, options, 'token_type')
    if (type !== undefined) headers['x-snowflake-authorization-token-type'] = type
    return headers
  },
}
