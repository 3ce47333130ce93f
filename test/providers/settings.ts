/** Settings and requests for provider tests, with only what a test names. */
import type { AddressRequest, Outgoing, ProviderSettings } from '../../src/core/provider.ts'

export const settingsOf = (adapter: string, given: Partial<ProviderSettings> = {}): ProviderSettings => ({
  name: adapter,
  adapter,
  options: {},
  credentials: {},
  ...given,
})

export const requestOf = (path: string, given: Partial<AddressRequest> = {}): AddressRequest => ({
  wire: 'openai-chat',
  method: 'POST',
  path,
  query: '',
  model: 'some-model',
  native: true,
  ...given,
})

export const outgoingOf = (url: string, headers: Record<string, string> = {}, body = '{}'): Outgoing => ({
  method: 'POST',
  url,
  headers,
  body: Buffer.from(body),
})
