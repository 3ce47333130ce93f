import { WeirError } from '../core/errors.ts'
import type { Address, AddressRequest, Provider, ProviderSettings } from '../core/provider.ts'
import { type Base, baseOf, optionOf } from './shared/base.ts'
import { claim, within } from './shared/claim.ts'
import { keyedAs } from './shared/keys.ts'
import { operationOf } from './shared/operation.ts'
import { checkPath, checkQuery, join, segment } from './shared/path.ts'
import { foreignQuery, rootOf } from './shared/rooted.ts'

const roots = {
  'openai-chat': '/openai/v1',
  'openai-completions': '/openai/v1',
  'openai-responses': '/openai/v1',
  'openai-embeddings': '/openai/v1',
  'openai-images': '/openai/v1',
  'openai-audio': '/openai/v1',
  'openai-batches': '/openai/v1',
  'anthropic-messages': '/anthropic/v1',
}

/** Wires that Azure's dated API knows only without a deployment in the path. */
const undeployed = new Set(['openai-responses', 'openai-batches'])

/** `auth: bearer` where the key is an Entra ID token. */
const options = { api_version: /^[a-z0-9.-]{1,40}$/, auth: /^(api-key|bearer)$/ }

const withVersion = (query: string, version: string | undefined): string => {
  if (version === undefined || /[?&]api-version=/i.test(query)) return query
  return `${query === '' ? '?' : `${query}&`}api-version=${version}`
}

/** People paste the address with `/openai` or `/openai/v1` at its end; every path here begins with `/openai` itself. */
const resource = (settings: ProviderSettings): Base => {
  const base = baseOf(settings)
  return { origin: base.origin, path: base.path.replace(/\/openai(\/v1)?$/, '') }
}

/** The dated API: the deployment, which is the model's name here, stands in the path. */
const dated = (settings: ProviderSettings, request: AddressRequest, version: string): string => {
  const operation = operationOf(request.wire, checkPath(request.path))
  const query = withVersion(foreignQuery(request), version)
  if (undeployed.has(request.wire ?? '')) return `/openai${operation}${query}`
  if (request.model === undefined || request.model === '')
    throw new WeirError(
      'bad-request',
      `Provider ${settings.name}: the request names no model, so no deployment can be addressed.`,
    )
  return `/openai/deployments/${segment(request.model)}${operation}${query}`
}

const address = (settings: ProviderSettings, request: AddressRequest): Address => {
  const base = resource(settings)
  const version = optionOf(settings, options, 'api_version')
  const region = settings.region === undefined ? {} : { region: settings.region }
  if (request.native) {
    const path = checkPath(request.path)
    const query = checkQuery(request.query)
    const needs = path.startsWith('/openai/') && !path.startsWith('/openai/v1/')
    return {
      origin: base.origin,
      path: join(base.path, path) + (needs ? withVersion(query, version) : query),
      ...region,
    }
  }
  const root = rootOf(roots, settings, request.wire)
  const old = version !== undefined && root === '/openai/v1'
  const path = old
    ? dated(settings, request, version)
    : root + operationOf(request.wire, checkPath(request.path)) + foreignQuery(request)
  return { origin: base.origin, path: join(base.path, path), ...region }
}

/**
 * Azure OpenAI and Foundry. `base_url` is the resource. Calls of other providers go to `/openai/v1`, or with
 * `options.api_version` to the dated API with the model as the deployment's name. With `options.auth: bearer` the key is an
 * Entra ID token. Answers to a bare path need a configured resource.
 */
export const provider: Provider = {
  name: 'azure-openai',
  traits: {
    wires: Object.keys(roots),
    quirks: { 'openai-chat': { max_completion_tokens: true } },
    key_headers: ['api-key', 'authorization', 'x-api-key'],
    needs: 'base_url',
    options,
    on_client_gone: 'cancel',
  },
  claims: (path, headers) => {
    if (within(path, ['/openai/deployments'])) return claim.sure
    return within(path, ['/openai', '/anthropic']) && headers['api-key'] !== undefined ? claim.sure : claim.none
  },
  address,
  authorise: (settings, outgoing) => {
    if (optionOf(settings, options, 'auth') === 'bearer') return keyedAs(settings, outgoing, 'authorization', 'Bearer ')
    const headers = keyedAs(settings, outgoing, 'api-key')
    const key = settings.credentials.api_key
    // Foundry's Anthropic endpoint reads the header that Anthropic's SDK sends.
    return key !== undefined && new URL(outgoing.url).pathname.includes('/anthropic/')
      ? { ...headers, 'x-api-key': key }
      : headers
  },
}
