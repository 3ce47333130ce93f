import { BedrockRuntimeClient, ConverseCommand, InvokeModelCommand } from '@aws-sdk/client-bedrock-runtime'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { provider } from '../../src/providers/aws-bedrock.ts'
import { amzDate, sha256, signature } from '../../src/providers/shared/signature.ts'
import { outgoingOf, requestOf, settingsOf } from './settings.ts'

/** The suite and the example that AWS publishes (aws-sig-v4-test-suite; IAM User Guide, "Create a signed request"). */
const suite = {
  access_key_id: 'AKIDEXAMPLE',
  secret_access_key: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY',
  region: 'us-east-1',
  service: 'service',
}
const date = '20150830T123600Z'
const empty = sha256('')

describe('AWS publishes signatures, and ours are the same', () => {
  const host = { host: 'example.amazonaws.com', 'x-amz-date': date }
  test.each([
    ['get-vanilla', 'GET', '/', host, '', '5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31'],
    [
      'get-vanilla-query-order-key-case',
      'GET',
      '/?Param2=value2&Param1=value1',
      host,
      '',
      'b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500',
    ],
    ['post-vanilla', 'POST', '/', host, '', '5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b'],
    [
      'post-x-www-form-urlencoded',
      'POST',
      '/',
      { 'content-type': 'application/x-www-form-urlencoded', ...host },
      'Param1=value1',
      'ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a',
    ],
  ])('%s', (_, method, target, headers, body, expected) => {
    const url = `https://example.amazonaws.com${target}`
    expect(signature(suite, { method, url, headers, payload_sha256: sha256(body) })).toMatch(
      new RegExp(`Signature=${expected}$`),
    )
  })

  test('the example of the guide, with another service', () => {
    const headers = {
      'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
      host: 'iam.amazonaws.com',
      'x-amz-date': date,
    }
    const url = 'https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08'
    expect(signature({ ...suite, service: 'iam' }, { method: 'GET', url, headers, payload_sha256: empty })).toBe(
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7',
    )
  })
})

type Captured = { method: string; path: string; headers: Record<string, string>; body: Uint8Array }

/** What AWS's own SDK sends for a command, caught before the network. */
const sent = async (command: ConverseCommand | InvokeModelCommand, session_token?: string): Promise<Captured> => {
  let captured: Captured | undefined
  const client = new BedrockRuntimeClient({
    region: 'eu-central-1',
    credentials: {
      accessKeyId: suite.access_key_id,
      secretAccessKey: suite.secret_access_key,
      ...(session_token === undefined ? {} : { sessionToken: session_token }),
    },
    maxAttempts: 1,
    requestHandler: {
      handle: async (request: { method: string; path: string; headers: Record<string, string>; body?: Uint8Array }) => {
        const given: unknown = request.body ?? ''
        const body = typeof given === 'string' ? Buffer.from(given) : Uint8Array.from(given as Uint8Array)
        captured = { ...request, body }
        throw new Error('caught')
      },
    },
  })
  await client.send(command as ConverseCommand).catch(() => undefined)
  if (!captured) throw new Error('the SDK sent nothing')
  return captured
}

const lower = (headers: Record<string, string>) =>
  Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))

/** Signs the SDK's own request, with the headers that it chose to sign. */
const signedAgain = (captured: Captured) => {
  const headers = lower(captured.headers)
  const names = /SignedHeaders=([^,]+)/.exec(headers['authorization'] ?? '')?.[1]?.split(';') ?? []
  const chosen = Object.fromEntries(names.map((name) => [name, headers[name] ?? '']))
  const signer = { ...suite, region: 'eu-central-1', service: 'bedrock' }
  const url = `https://bedrock-runtime.eu-central-1.amazonaws.com${captured.path}`
  return signature(signer, { method: captured.method, url, headers: chosen, payload_sha256: sha256(captured.body) })
}

describe("AWS's own SDK signs the same request the same", () => {
  const messages = [{ role: 'user' as const, content: [{ text: 'Grüße' }] }]
  const models = [
    'us.amazon.nova-pro-v1:0',
    'anthropic.claude-opus-5-5',
    'arn:aws:bedrock:eu-central-1:123456789012:application-inference-profile/a1b2c3',
    'arn:aws:bedrock:eu-central-1::foundation-model/meta.llama4-maverick-17b-instruct-v1:0',
    "odd (name)!*'~ ü+&=",
  ]

  test.each(models)('Converse of %s', async (modelId) => {
    const captured = await sent(new ConverseCommand({ modelId, messages }))
    expect(signedAgain(captured)).toBe(lower(captured.headers)['authorization'])
  })

  test('InvokeModel with a session token', async () => {
    const command = new InvokeModelCommand({
      modelId: 'us.amazon.nova-pro-v1:0',
      body: '{"a":1}',
      guardrailIdentifier: 'g',
      guardrailVersion: '1',
    })
    const captured = await sent(command, 'session+token/==')
    expect(lower(captured.headers)['x-amz-security-token']).toBe('session+token/==')
    expect(signedAgain(captured)).toBe(lower(captured.headers)['authorization'])
  })

  test('any model id has the path that the SDK gives it, and the signature with it', async () => {
    const id = fc.string({ unit: fc.constantFrom(...'abcXYZ019.:/-_~!*()+= @%'), minLength: 1, maxLength: 30 })
    await fc.assert(
      fc.asyncProperty(
        id.filter((text) => !/^\.{1,2}$/.test(text)),
        async (modelId) => {
          const captured = await sent(new ConverseCommand({ modelId, messages }))
          expect(signedAgain(captured)).toBe(lower(captured.headers)['authorization'])
          const request = requestOf('/model/x/converse', { wire: 'bedrock-converse', model: modelId, native: false })
          const settings = settingsOf('aws-bedrock', { region: 'eu-central-1' })
          expect(provider.address(settings, request).path).toBe(captured.path)
        },
      ),
      { seed: 7, numRuns: 60 },
    )
  })
})

describe('what Bedrock is sent', () => {
  const now_us = Date.parse('2026-11-23T12:34:56.789Z') * 1000
  const url = 'https://bedrock-runtime.eu-central-1.amazonaws.com/model/us.amazon.nova-pro-v1%3A0/converse'
  const settings = settingsOf('aws-bedrock', {
    region: 'eu-central-1',
    credentials: { access_key_id: 'AKID', secret_access_key: 'secret', session_token: 'token' },
  })

  test('the date is the given time', () => {
    expect(amzDate(now_us)).toBe('20261123T123456Z')
  })

  test('the key of a day signs that day only', async () => {
    const days = ['2026-11-23T23:59:59Z', '2026-11-24T00:00:00Z', '2026-11-23T23:59:59Z'].map(
      (day) => Date.parse(day) * 1000,
    )
    for (const day_us of days) {
      const remembered = await provider.authorise(settings, outgoingOf(url), day_us)
      expect(remembered).toEqual(await provider.authorise({ ...settings }, outgoingOf(url), day_us))
    }
  })

  test("a signed request carries nothing of the client's key or signature, and the session token", async () => {
    const headers = await provider.authorise(
      settings,
      outgoingOf(url, {
        'content-type': 'application/json',
        authorization: 'AWS4-HMAC-SHA256 client',
        'x-amz-date': '20200101T000000Z',
        'x-amz-security-token': 'client-token',
        'x-api-key': 'client-key',
        'amz-sdk-request': 'attempt=1',
        'x-amzn-bedrock-trace': 'ENABLED',
        accept: 'application/json',
      }),
      now_us,
    )
    expect(headers).toMatchObject({
      host: 'bedrock-runtime.eu-central-1.amazonaws.com',
      'x-amz-date': '20261123T123456Z',
      'x-amz-content-sha256': sha256('{}'),
      'x-amz-security-token': 'token',
      'x-amzn-bedrock-trace': 'ENABLED',
      accept: 'application/json',
    })
    expect(headers['authorization']).toMatch(
      /^AWS4-HMAC-SHA256 Credential=AKID\/20261123\/eu-central-1\/bedrock\/aws4_request, SignedHeaders=content-type;host;x-amz-content-sha256;x-amz-date;x-amz-security-token;x-amzn-bedrock-trace, Signature=[0-9a-f]{64}$/,
    )
    expect(JSON.stringify(headers)).not.toMatch(/client|attempt/)
  })

  test('mantle is a service of its own in a signature', async () => {
    const mantle = outgoingOf('https://bedrock-mantle.eu-central-1.api.aws/openai/v1/responses')
    expect((await provider.authorise(settings, mantle, now_us))['authorization']).toContain(
      '/eu-central-1/bedrock-mantle/aws4_request',
    )
  })

  test('an API key goes as bearer and signs nothing', async () => {
    const keyed = settingsOf('aws-bedrock', { region: 'eu-central-1', credentials: { api_key: 'ABSKx' } })
    expect(
      await provider.authorise(keyed, outgoingOf(url, { authorization: 'AWS4-HMAC-SHA256 client' }), now_us),
    ).toEqual({
      authorization: 'Bearer ABSKx',
    })
  })

  test("a client's own signature cannot pass and is refused before AWS refuses it; its API key can", async () => {
    const bare = settingsOf('aws-bedrock', { region: 'eu-central-1' })
    const call = () =>
      provider.authorise(bare, outgoingOf(url, { authorization: 'AWS4-HMAC-SHA256 Credential=AKID' }), now_us)
    expect(call).toThrow(/not valid at AWS/)
    const own = { authorization: 'Bearer bedrock-api-key-x' }
    expect(await provider.authorise(bare, outgoingOf(url, own), now_us)).toEqual(own)
  })

  test('half an access key is a fault of the settings', () => {
    const half = settingsOf('aws-bedrock', { region: 'eu-central-1', credentials: { access_key_id: 'AKID' } })
    expect(() => provider.authorise(half, outgoingOf(url), now_us)).toThrow(/must both be set/)
  })
})
