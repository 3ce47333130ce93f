import { generateKeyPairSync, verify } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { ProviderSettings } from '../../src/core/provider.ts'
import { providers } from '../../src/providers/index.ts'
import { wires } from '../../src/wires/index.ts'
import { outgoingOf, settingsOf } from './settings.ts'

type Name = keyof typeof providers
const names = Object.keys(providers) as Name[]
const url = 'https://host.example/v1/chat/completions'

/** Keys of every kind, as a client of any provider might send them. */
const clients = {
  authorization: 'Bearer client-1',
  'x-api-key': 'client-2',
  'api-key': 'client-3',
  'x-goog-api-key': 'client-4',
  'x-amz-security-token': 'client-5',
  'content-type': 'application/json',
  'anthropic-version': '2023-06-01',
}
const authorise = (name: Name, given: Partial<ProviderSettings>, headers: Record<string, string>, to = url) =>
  providers[name].authorise(settingsOf(name, { region: 'us-east-1', ...given }), outgoingOf(to, headers), 1)

describe('keys', () => {
  test.each(names)('%s sends our key in a header that it names as its own, and none of the client', async (name) => {
    const headers = await authorise(name, { credentials: { api_key: 'ours' } }, clients)
    expect(JSON.stringify(headers)).not.toContain('client-')
    const carrying = Object.keys(headers).filter((header) => headers[header]?.includes('ours'))
    expect(carrying).toHaveLength(1)
    expect(providers[name].traits.key_headers).toContain(carrying[0])
    expect(headers).toMatchObject({ 'content-type': 'application/json', 'anthropic-version': '2023-06-01' })
  })

  test.each(names)('%s without a key of ours lets the headers of the client pass as they came', async (name) => {
    expect(await authorise(name, {}, clients)).toEqual(clients)
  })

  test.each<[Name, Partial<ProviderSettings>, Record<string, string>, string?]>([
    ['openai', {}, { authorization: 'Bearer ours' }],
    ['anthropic', {}, { 'x-api-key': 'ours', 'anthropic-version': '2023-06-01' }],
    ['google', {}, { 'x-goog-api-key': 'ours' }],
    ['google', {}, { authorization: 'Bearer ours' }, 'https://host.example/v1beta/openai/chat/completions'],
    ['vertex-ai', {}, { authorization: 'Bearer ours' }],
    ['vertex-ai', { options: { auth: 'api-key' } }, { 'x-goog-api-key': 'ours' }],
    ['azure-openai', {}, { 'api-key': 'ours' }],
    ['azure-openai', { options: { auth: 'bearer' } }, { authorization: 'Bearer ours' }],
    ['azure-openai', {}, { 'api-key': 'ours', 'x-api-key': 'ours' }, 'https://host.example/anthropic/v1/messages'],
    ['snowflake', {}, { authorization: 'Bearer ours' }],
    [
      'snowflake',
      { options: { token_type: 'KEYPAIR_JWT' } },
      { authorization: 'Bearer ours', 'x-snowflake-authorization-token-type': 'KEYPAIR_JWT' },
    ],
  ])('%s with %j is sent %j', async (name, given, expected, to) => {
    expect(await authorise(name, { credentials: { api_key: 'ours' }, ...given }, {}, to)).toEqual(expected)
  })

  test('Vertex AI is sent tokens that a service account signs for itself, each for most of an hour', async () => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const private_key = privateKey.export({ type: 'pkcs8', format: 'pem' })
    const file = { type: 'service_account', client_email: 'weir@p.iam.gserviceaccount.com', private_key_id: 'k1' }
    const settings = settingsOf('vertex-ai', {
      region: 'eu',
      credentials: { api_key: JSON.stringify({ ...file, private_key }) },
    })
    const tokenAt = async (now_s: number) => {
      const headers = await providers['vertex-ai'].authorise(settings, outgoingOf(url, clients), now_s * 1e6)
      expect(JSON.stringify(headers)).not.toMatch(/client-|PRIVATE/)
      return (headers['authorization'] ?? '').replace('Bearer ', '')
    }
    const token = await tokenAt(1_800_000_000)
    const [head = '', claim = '', proof = ''] = token.split('.')
    const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString()) as unknown
    expect(read(head)).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'k1' })
    expect(read(claim)).toEqual({
      iss: file.client_email,
      sub: file.client_email,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
      iat: 1_800_000_000,
      exp: 1_800_003_600,
    })
    expect(verify('sha256', Buffer.from(`${head}.${claim}`), publicKey, Buffer.from(proof, 'base64url'))).toBe(true)
    expect(await tokenAt(1_800_003_000)).toBe(token)
    expect(await tokenAt(1_800_003_400)).not.toBe(token)
    const broken = () => authorise('vertex-ai', { credentials: { api_key: '{"client_email":"canary"' } }, {})
    expect(broken).toThrow(/vertex-ai: its key begins as a service account's key file and is none/)
    expect(broken).not.toThrow(/canary/)
  })

  test('an option that would stand in a header is checked', () => {
    const call = () =>
      authorise('snowflake', { credentials: { api_key: 'k' }, options: { token_type: 'A\r\nx: y' } }, {})
    expect(call).toThrow(/options.token_type/)
  })
})

describe('traits', () => {
  test.each(names)('%s bears the name of its file and speaks only wires that exist', (name) => {
    expect(providers[name].name).toBe(name)
    const known: readonly string[] = Object.values(wires).map((wire) => wire.name)
    expect(providers[name].traits.wires.filter((wire) => !known.includes(wire))).toEqual([])
  })

  test.each(names)('%s has quirks only for wires that it speaks', (name) => {
    const { quirks, wires: spoken } = providers[name].traits
    expect(Object.keys(quirks).filter((wire) => !spoken.includes(wire))).toEqual([])
  })

  test('the departures that change a bill are known', () => {
    expect(providers['x-ai'].traits.quirks['openai-chat']).toMatchObject({ reasoning: 'beside-output' })
    expect(providers['x-ai'].traits.quirks['openai-responses']?.reasoning).toBeUndefined()
    expect(providers.openrouter.traits.quirks['openai-chat']).toMatchObject({
      cache_write_overlaps_read: true,
      stated_cost: 'usage.cost',
    })
    expect(providers.perplexity.traits.quirks['openai-chat']).toMatchObject({ request_fee: 'search_context_size' })
  })
})
