/** Putting our key into a request in place of the client's. */
import type { Outgoing, ProviderSettings } from '../../core/provider.ts'

/** Every header that carries a key at some provider. A call may come from another provider's SDK, so all of them go. */
const everyKeyHeader = [
  'authorization',
  'x-api-key',
  'api-key',
  'x-goog-api-key',
  'x-amz-security-token',
  'ocp-apim-subscription-key',
] as const

/** The headers without any key. */
export const withoutKeys = (headers: Outgoing['headers']): Record<string, string> => {
  const rest: Record<string, string> = { ...headers }
  for (const name of everyKeyHeader) delete rest[name]
  return rest
}

/** Our key as `Authorization: Bearer`; without one the client's headers pass as they came. */
export const bearerKey = (settings: ProviderSettings, outgoing: Outgoing): Record<string, string> =>
  keyedAs(settings, outgoing, 'authorization', 'Bearer ')

/** Our key in a header of this name, after `prefix`; without one the client's headers pass as they came. */
export const keyedAs = (
  settings: ProviderSettings,
  outgoing: Outgoing,
  header: string,
  prefix = '',
): Record<string, string> => {
  const key = settings.credentials.api_key
  if (key === undefined) return { ...outgoing.headers }
  return { ...withoutKeys(outgoing.headers), [header]: `${prefix}${key}` }
}
