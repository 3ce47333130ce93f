import { WeirError } from '../core/errors.ts'
import type { Address, AddressRequest, Outgoing, Provider, ProviderSettings } from '../core/provider.ts'
import { type Base, baseOf, optionOf, regionOf } from './shared/base.ts'
import { bearer, claim, within } from './shared/claim.ts'
import { bearerKey, withoutKeys } from './shared/keys.ts'
import { operationOf } from './shared/operation.ts'
import { checkPath, checkQuery, join, segment } from './shared/path.ts'
import { foreignQuery, rootOf } from './shared/rooted.ts'
import { amzDate, type Signer, sha256, signature } from './shared/signature.ts'

/** Wires that keep the model in the body. `bedrock-mantle` serves them, and `bedrock-runtime` serves chat, too. */
const roots = { 'openai-chat': '/v1', 'openai-responses': '/openai/v1', 'anthropic-messages': '/anthropic/v1' }
const ownWires = ['bedrock-converse', 'bedrock-invoke']

type Endpoint = 'runtime' | 'mantle'

/** Which host serves what both do, and the service that a signature is for where the host's name does not say. */
const options = { endpoint: /^(runtime|mantle)$/, service: /^[a-z0-9-]+$/ }

/** Two services share the adapter, each with its host and its name in signatures; a configured `base_url` stands for both. */
const hostOf = (settings: ProviderSettings, endpoint: Endpoint): string => {
  const region = regionOf(settings)
  if (endpoint === 'mantle') return `https://bedrock-mantle.${region}.api.aws`
  return `https://bedrock-runtime.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
}

const base = (settings: ProviderSettings, endpoint: Endpoint): Base =>
  settings.base_url === undefined ? { origin: hostOf(settings, endpoint), path: '' } : baseOf(settings)

/** Chat under `/openai/v1` was `bedrock-runtime`'s first and is mantle's too; everything else is plain from the path. */
const endpointOf = (settings: ProviderSettings, path: string): Endpoint => {
  const chosen = optionOf(settings, options, 'endpoint')
  if (chosen === 'mantle' || chosen === 'runtime')
    return within(path, ['/v1', '/openai', '/anthropic']) ? chosen : 'runtime'
  return within(path, ['/v1', '/anthropic', '/openai/v1/responses']) ? 'mantle' : 'runtime'
}

/** Each segment escaped as AWS's own SDKs do it, because the signature covers the path as it is sent. */
const normalised = (path: string): string =>
  checkPath(path)
    .split('/')
    .map((part) => segment(decodeURIComponent(part)))
    .join('/')

const ownPath = (settings: ProviderSettings, request: AddressRequest): string => {
  if (request.wire === undefined || !ownWires.includes(request.wire))
    return rootOf(roots, settings, request.wire) + operationOf(request.wire, checkPath(request.path))
  const operation = /\/(converse|converse-stream|invoke|invoke-with-response-stream)$/.exec(
    checkPath(request.path),
  )?.[1]
  if (operation === undefined || request.model === undefined || request.model === '')
    throw new WeirError('bad-request', 'The path names no Bedrock model and operation: /model/{id}/converse is one.')
  return `/model/${segment(request.model)}/${operation}`
}

const address = (settings: ProviderSettings, request: AddressRequest): Address => {
  const path = request.native ? normalised(request.path) : ownPath(settings, request)
  const query = request.native ? checkQuery(request.query) : foreignQuery(request)
  const { origin, path: under } = base(settings, endpointOf(settings, path))
  const region = settings.region === undefined ? {} : { region: regionOf(settings) }
  return { origin, path: join(under, path) + query, ...region }
}

/** Signing headers of the client's: made for Weir's address, so worth nothing at AWS. */
const stale = ['x-amz-date', 'x-amz-content-sha256', 'amz-sdk-invocation-id', 'amz-sdk-request']

/** Signers of one provider's settings, by service: made once, because a signer keeps its key of the day. */
const signers = new WeakMap<ProviderSettings, Map<string, Signer>>()

const signerOf = (settings: ProviderSettings, hostname: string): Signer => {
  const named = optionOf(settings, options, 'service')
  const service = named ?? (hostname.startsWith('bedrock-mantle.') ? 'bedrock-mantle' : 'bedrock')
  const made = signers.get(settings) ?? new Map<string, Signer>()
  const known = made.get(service)
  if (known) return known
  const { access_key_id, secret_access_key } = settings.credentials
  if (access_key_id === undefined || secret_access_key === undefined)
    throw new WeirError(
      'bad-config',
      `Provider ${settings.name}: access_key_id and secret_access_key must both be set.`,
    )
  const signer = { access_key_id, secret_access_key, region: regionOf(settings), service }
  signers.set(settings, made.set(service, signer))
  return signer
}

const sign = (settings: ProviderSettings, outgoing: Outgoing, now_us: number): Record<string, string> => {
  const url = new URL(outgoing.url)
  const signer = signerOf(settings, url.hostname)
  const { session_token } = settings.credentials
  const headers = withoutKeys(outgoing.headers)
  for (const name of stale) delete headers[name]
  const payload_sha256 = sha256(outgoing.body)
  headers['host'] = url.host
  headers['x-amz-date'] = amzDate(now_us)
  headers['x-amz-content-sha256'] = payload_sha256
  if (session_token !== undefined) headers['x-amz-security-token'] = session_token
  const signed = Object.entries(headers).filter(([name]) =>
    /^(host|content-type|x-amz-.*|x-amzn-bedrock-.*)$/.test(name),
  )
  headers['authorization'] = signature(signer, {
    method: outgoing.method,
    url: outgoing.url,
    headers: Object.fromEntries(signed),
    payload_sha256,
  })
  return headers
}

const isSigned = (headers: Outgoing['headers']): boolean =>
  headers['authorization']?.startsWith('AWS4-HMAC-SHA256') === true

/**
 * Amazon Bedrock. Credentials are an API key (`api_key`, sent as bearer) or an access key, which signs each request. A
 * signature of the client's covers Weir's address and cannot pass; a Bedrock API key of the client's can.
 */
export const provider: Provider = {
  name: 'aws-bedrock',
  traits: {
    wires: [...ownWires, ...Object.keys(roots)],
    quirks: {},
    key_headers: ['authorization', 'x-amz-security-token', 'x-api-key'],
    needs: 'region',
    options,
    on_client_gone: 'drain',
  },
  claims: (path, headers) => {
    if (/^\/model\/.+\/(converse|converse-stream|invoke|invoke-with-response-stream|count-tokens)$/.test(path))
      return claim.sure
    if (within(path, ['/guardrail', '/async-invoke'])) return claim.own
    const ours =
      isSigned({ authorization: headers['authorization'] ?? '' }) ||
      bearer(headers, 'bedrock-api-key-') ||
      bearer(headers, 'ABSK')
    return ours ? claim.sure : claim.none
  },
  address,
  authorise: (settings, outgoing, now_us) => {
    if (settings.credentials.api_key !== undefined) return bearerKey(settings, outgoing)
    if (settings.credentials.access_key_id !== undefined) return sign(settings, outgoing, now_us)
    if (isSigned(outgoing.headers))
      throw new WeirError(
        'forbidden',
        `Provider ${settings.name}: an AWS signature made for this address is not valid at AWS. Call with a Bedrock API key, or give the provider credentials in weir.yaml.`,
      )
    return { ...outgoing.headers }
  },
}
