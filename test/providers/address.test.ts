import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { ProviderSettings } from '../../src/core/provider.ts'
import { providers } from '../../src/providers/index.ts'
import { requestOf, settingsOf } from './settings.ts'

type Name = keyof typeof providers

/** What each adapter needs before it can address anything. */
const needs: Partial<Record<Name, Partial<ProviderSettings>>> = {
  'azure-openai': { base_url: 'https://unit.openai.azure.com' },
  'vertex-ai': { region: 'europe-west4', options: { project: 'unit-project' } },
  'aws-bedrock': { region: 'us-west-2' },
  databricks: { base_url: 'https://unit.cloud.databricks.com' },
  snowflake: { base_url: 'https://unit.snowflakecomputing.com' },
  'openai-compatible': { base_url: 'http://127.0.0.1:8000/v1' },
}
const names = Object.keys(providers) as Name[]
const configured = (name: Name, given: Partial<ProviderSettings> = {}) => settingsOf(name, { ...needs[name], ...given })
const urlOf = (name: Name, request: ReturnType<typeof requestOf>, given: Partial<ProviderSettings> = {}) => {
  const { origin, path } = providers[name].address(configured(name, given), request)
  return origin + path
}

describe('a client that speaks to the provider itself', () => {
  test.each<[Name, string, string]>([
    ['openai', '/v1/chat/completions', 'https://api.openai.com/v1/chat/completions'],
    ['openai', '/chat/completions', 'https://api.openai.com/v1/chat/completions'],
    ['openai', '/v1/models/', 'https://api.openai.com/v1/models/'],
    ['anthropic', '/v1/messages/count_tokens', 'https://api.anthropic.com/v1/messages/count_tokens'],
    [
      'google',
      '/v1beta/models/gemini-4:generateContent',
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-4:generateContent',
    ],
    ['groq', '/openai/v1/chat/completions', 'https://api.groq.com/openai/v1/chat/completions'],
    ['groq', '/v1/chat/completions', 'https://api.groq.com/openai/v1/chat/completions'],
    ['groq', '/chat/completions', 'https://api.groq.com/openai/v1/chat/completions'],
    ['openrouter', '/api/v1/chat/completions', 'https://openrouter.ai/api/v1/chat/completions'],
    ['openrouter', '/v1/chat/completions', 'https://openrouter.ai/api/v1/chat/completions'],
    ['fireworks', '/inference/v1/chat/completions', 'https://api.fireworks.ai/inference/v1/chat/completions'],
    ['deepseek', '/anthropic/v1/messages', 'https://api.deepseek.com/anthropic/v1/messages'],
    ['deepseek', '/beta/completions', 'https://api.deepseek.com/beta/completions'],
    ['cohere', '/v2/chat', 'https://api.cohere.com/v2/chat'],
    [
      'databricks',
      '/serving-endpoints/my-llm/invocations',
      'https://unit.cloud.databricks.com/serving-endpoints/my-llm/invocations',
    ],
    [
      'snowflake',
      '/api/v2/cortex/inference:complete',
      'https://unit.snowflakecomputing.com/api/v2/cortex/inference:complete',
    ],
    ['azure-openai', '/openai/v1/responses', 'https://unit.openai.azure.com/openai/v1/responses'],
    [
      'vertex-ai',
      '/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-5-5@20260922:streamRawPredict',
      'https://europe-west4-aiplatform.googleapis.com/v1/projects/p/locations/us-east5/publishers/anthropic/models/claude-opus-5-5@20260922:streamRawPredict',
    ],
  ])('%s finds %s where it is', (name, path, url) => {
    expect(urlOf(name, requestOf(path))).toBe(url)
  })

  test('a query passes as it came', () => {
    const request = requestOf('/v1beta/models/gemini-4:streamGenerateContent', { query: '?alt=sse&key=abc' })
    expect(urlOf('google', request)).toMatch(/:streamGenerateContent\?alt=sse&key=abc$/)
  })

  test('a key in the query does not go along with a key of ours', () => {
    const request = requestOf('/v1beta/models/gemini-4:streamGenerateContent', {
      query: '?key=weir-key&alt=sse&%6bey=2',
    })
    expect(urlOf('google', request, { credentials: { api_key: 'ours' } })).toMatch(/:streamGenerateContent\?alt=sse$/)
  })

  test("a version at the end of the base stands for the client's", () => {
    const given = { base_url: 'https://api.z.ai/api/paas/v4' }
    expect(urlOf('openai-compatible', requestOf('/v1/chat/completions'), given)).toBe(
      'https://api.z.ai/api/paas/v4/chat/completions',
    )
    expect(urlOf('openai-compatible', requestOf('/paas/v4/chat/completions'), given)).toBe(
      'https://api.z.ai/api/paas/v4/chat/completions',
    )
  })

  test('a base URL is one with and without the slash, the version or the path that people paste', () => {
    for (const base_url of [
      'https://api.openai.com',
      'https://api.openai.com/',
      'https://api.openai.com/v1',
      'https://api.openai.com/v1/',
    ])
      expect(urlOf('openai', requestOf('/v1/embeddings'), { base_url })).toBe('https://api.openai.com/v1/embeddings')
    for (const base_url of [
      'https://u.openai.azure.com/openai/v1/',
      'https://u.openai.azure.com/openai',
      'https://u.openai.azure.com',
    ])
      expect(urlOf('azure-openai', requestOf('/openai/v1/responses'), { base_url })).toBe(
        'https://u.openai.azure.com/openai/v1/responses',
      )
  })

  test('the dated Azure API gets the configured version only where the client gave none', () => {
    const given = { base_url: 'https://u.openai.azure.com', options: { api_version: '2026-10-01-preview' } }
    const path = '/openai/deployments/gpt/chat/completions'
    expect(urlOf('azure-openai', requestOf(path), given)).toMatch(/completions\?api-version=2026-10-01-preview$/)
    expect(urlOf('azure-openai', requestOf(path, { query: '?api-version=2025-01-01' }), given)).toMatch(
      /\?api-version=2025-01-01$/,
    )
    expect(urlOf('azure-openai', requestOf('/openai/v1/responses'), given)).toMatch(/\/openai\/v1\/responses$/)
  })

  test('Bedrock escapes a model as AWS does, however the client escaped it', () => {
    const url = 'https://bedrock-runtime.us-west-2.amazonaws.com/model/us.amazon.nova-pro-v1%3A0/converse'
    for (const model of ['us.amazon.nova-pro-v1:0', 'us.amazon.nova-pro-v1%3A0', 'us.amazon.nova-pro-v1%3a0'])
      expect(urlOf('aws-bedrock', requestOf(`/model/${model}/converse`, { wire: 'bedrock-converse' }))).toBe(url)
  })

  test('Bedrock has two hosts, told apart by path or option', () => {
    const mantle = 'https://bedrock-mantle.us-west-2.api.aws'
    const runtime = 'https://bedrock-runtime.us-west-2.amazonaws.com'
    expect(urlOf('aws-bedrock', requestOf('/openai/v1/responses'))).toBe(`${mantle}/openai/v1/responses`)
    expect(urlOf('aws-bedrock', requestOf('/v1/chat/completions'))).toBe(`${mantle}/v1/chat/completions`)
    expect(urlOf('aws-bedrock', requestOf('/anthropic/v1/messages'))).toBe(`${mantle}/anthropic/v1/messages`)
    expect(urlOf('aws-bedrock', requestOf('/openai/v1/chat/completions'))).toBe(`${runtime}/openai/v1/chat/completions`)
    const given = { region: 'us-west-2', options: { endpoint: 'mantle' } }
    expect(urlOf('aws-bedrock', requestOf('/openai/v1/chat/completions'), given)).toBe(
      `${mantle}/openai/v1/chat/completions`,
    )
    expect(urlOf('aws-bedrock', requestOf('/model/m/converse'), given)).toBe(`${runtime}/model/m/converse`)
    const china = { region: 'cn-north-1' }
    expect(urlOf('aws-bedrock', requestOf('/model/m/converse'), china)).toBe(
      'https://bedrock-runtime.cn-north-1.amazonaws.com.cn/model/m/converse',
    )
  })

  test('Vertex finds the world and the continents where they are', () => {
    const path = '/v1/projects/p/locations/global/publishers/google/models/gemini-4:generateContent'
    expect(urlOf('vertex-ai', requestOf(path), { region: 'global' })).toBe(`https://aiplatform.googleapis.com${path}`)
    expect(urlOf('vertex-ai', requestOf(path), { region: 'eu' })).toBe(
      `https://aiplatform.eu.rep.googleapis.com${path}`,
    )
    expect(providers['vertex-ai'].address(configured('vertex-ai'), requestOf(path)).region).toBe('global')
  })
})

describe('a call that comes from another provider', () => {
  test.each<[Name, string, string, string]>([
    ['groq', 'openai-chat', '/v1/chat/completions', 'https://api.groq.com/openai/v1/chat/completions'],
    ['openai', 'openai-chat', '/api/v1/chat/completions', 'https://api.openai.com/v1/chat/completions'],
    [
      'openai',
      'openai-responses',
      '/openai/v1/responses/resp_1/cancel',
      'https://api.openai.com/v1/responses/resp_1/cancel',
    ],
    ['openai', 'openai-chat', '/serving-endpoints/x/invocations', 'https://api.openai.com/v1/chat/completions'],
    ['openrouter', 'anthropic-messages', '/v1/messages', 'https://openrouter.ai/api/v1/messages'],
    ['deepseek', 'openai-chat', '/v1/chat/completions', 'https://api.deepseek.com/chat/completions'],
    ['deepseek', 'anthropic-messages', '/v1/messages', 'https://api.deepseek.com/anthropic/v1/messages'],
    [
      'anthropic',
      'anthropic-messages',
      '/anthropic/v1/messages/count_tokens',
      'https://api.anthropic.com/v1/messages/count_tokens',
    ],
    ['perplexity', 'openai-chat', '/v1/chat/completions', 'https://api.perplexity.ai/chat/completions'],
    [
      'databricks',
      'openai-chat',
      '/v1/chat/completions',
      'https://unit.cloud.databricks.com/serving-endpoints/chat/completions',
    ],
    [
      'snowflake',
      'openai-chat',
      '/v1/chat/completions',
      'https://unit.snowflakecomputing.com/api/v2/cortex/v1/chat/completions',
    ],
    [
      'snowflake',
      'anthropic-messages',
      '/v1/messages',
      'https://unit.snowflakecomputing.com/api/v2/cortex/v1/messages',
    ],
    ['fireworks', 'openai-embeddings', '/v1/embeddings', 'https://api.fireworks.ai/inference/v1/embeddings'],
    ['cohere', 'rerank', '/v1/rerank', 'https://api.cohere.com/v2/rerank'],
    ['cohere', 'openai-chat', '/v1/chat/completions', 'https://api.cohere.com/compatibility/v1/chat/completions'],
    ['voyage', 'rerank', '/v2/rerank', 'https://api.voyageai.com/v1/rerank'],
    ['mistral', 'openai-audio', '/v1/audio/transcriptions', 'https://api.mistral.ai/v1/audio/transcriptions'],
    [
      'google',
      'openai-chat',
      '/v1/chat/completions',
      'https://generativelanguage.googleapis.com/v1beta/openai/chat/completions',
    ],
    ['azure-openai', 'openai-chat', '/v1/chat/completions', 'https://unit.openai.azure.com/openai/v1/chat/completions'],
    ['azure-openai', 'anthropic-messages', '/v1/messages', 'https://unit.openai.azure.com/anthropic/v1/messages'],
    [
      'aws-bedrock',
      'openai-responses',
      '/v1/responses',
      'https://bedrock-mantle.us-west-2.api.aws/openai/v1/responses',
    ],
    [
      'aws-bedrock',
      'anthropic-messages',
      '/v1/messages',
      'https://bedrock-mantle.us-west-2.api.aws/anthropic/v1/messages',
    ],
    ['openai-compatible', 'openai-chat', '/openai/v1/chat/completions', 'http://127.0.0.1:8000/v1/chat/completions'],
    [
      'vertex-ai',
      'openai-chat',
      '/v1/chat/completions',
      'https://europe-west4-aiplatform.googleapis.com/v1/projects/unit-project/locations/europe-west4/endpoints/openapi/chat/completions',
    ],
  ])('%s takes %s from %s', (name, wire, path, url) => {
    expect(urlOf(name, requestOf(path, { wire, native: false }))).toBe(url)
  })

  test('the model is put into the path where it lives there, escaped as one segment', () => {
    const renamed = (wire: string, path: string, model: string) =>
      requestOf(path, { wire, model, native: false, query: '?alt=sse&key=theirs' })
    const generate = '/v1beta/models/gemini-3:streamGenerateContent'
    expect(urlOf('google', renamed('gemini-generate', generate, 'gemini-4/../x'))).toBe(
      'https://generativelanguage.googleapis.com/v1beta/models/gemini-4%2F..%2Fx:streamGenerateContent?alt=sse',
    )
    expect(
      urlOf('google', renamed('gemini-generate', '/v1alpha/models/gemini-3:generateContent', 'tunedModels/mine')),
    ).toMatch(/\/v1alpha\/tunedModels\/mine:generateContent\?alt=sse$/)
    expect(urlOf('vertex-ai', renamed('gemini-generate', generate, 'google/gemini-4'))).toBe(
      'https://europe-west4-aiplatform.googleapis.com/v1beta1/projects/unit-project/locations/europe-west4/publishers/google/models/gemini-4:streamGenerateContent?alt=sse',
    )
    const vertex = '/v1/projects/p/locations/l/publishers/google/models/gemini-4:generateContent'
    expect(urlOf('google', renamed('gemini-generate', vertex, 'models/gemini-5'))).toMatch(
      /\/v1\/models\/gemini-5:generateContent/,
    )
    const arn = 'arn:aws:bedrock:us-west-2:1:application-inference-profile/abc'
    expect(urlOf('aws-bedrock', renamed('bedrock-converse', '/model/x/converse-stream', arn))).toBe(
      'https://bedrock-runtime.us-west-2.amazonaws.com/model/arn%3Aaws%3Abedrock%3Aus-west-2%3A1%3Aapplication-inference-profile%2Fabc/converse-stream?alt=sse',
    )
  })

  test('a call on Vertex that only changes its model keeps its project and location where none is configured', () => {
    const path = '/v1/projects/mine/locations/us-east5/publishers/google/models/gemini-4:generateContent'
    const request = requestOf(path, { wire: 'gemini-generate', model: 'gemini-5', native: false })
    expect(urlOf('vertex-ai', request, { options: {} })).toMatch(
      /\/v1\/projects\/mine\/locations\/us-east5\/publishers\/google\/models\/gemini-5:generateContent$/,
    )
    expect(urlOf('vertex-ai', request)).toMatch(/\/projects\/unit-project\/locations\/europe-west4\//)
    const claude = '/v1/projects/mine/locations/us-east5/publishers/anthropic/models/claude-opus-5-5:streamRawPredict'
    expect(
      urlOf('vertex-ai', requestOf(claude, { wire: 'anthropic-messages', model: 'claude-haiku-5-5', native: false }), {
        options: {},
      }),
    ).toMatch(
      /\/v1\/projects\/mine\/locations\/us-east5\/publishers\/anthropic\/models\/claude-haiku-5-5:streamRawPredict$/,
    )
  })

  test('a serving endpoint of Databricks is renamed in its path', () => {
    const request = requestOf('/serving-endpoints/a/invocations', {
      wire: 'databricks-invocations',
      model: 'b c',
      native: false,
    })
    expect(urlOf('databricks', request)).toBe('https://unit.cloud.databricks.com/serving-endpoints/b%20c/invocations')
  })

  test('the dated Azure API has the deployment in the path, except for Responses', () => {
    const given = { base_url: 'https://u.openai.azure.com', options: { api_version: '2026-10-01' } }
    const chat = requestOf('/v1/chat/completions', { native: false, model: 'my gpt/5', query: '?api-version=old&x=1' })
    expect(urlOf('azure-openai', chat, given)).toBe(
      'https://u.openai.azure.com/openai/deployments/my%20gpt%2F5/chat/completions?x=1&api-version=2026-10-01',
    )
    const responses = requestOf('/v1/responses', { native: false, wire: 'openai-responses' })
    expect(urlOf('azure-openai', responses, given)).toBe(
      'https://u.openai.azure.com/openai/responses?api-version=2026-10-01',
    )
  })

  test('a wire that the provider does not speak is a fault of the route and says so', () => {
    const request = requestOf('/v1/messages', { wire: 'anthropic-messages', native: false })
    expect(() => urlOf('groq', request)).toThrow(/groq does not speak anthropic-messages/)
    expect(() => urlOf('vertex-ai', request)).toThrow(/only on its own paths/)
  })

  test('every wire that a provider says it speaks has an address there', () => {
    const paths: Record<string, string> = {
      'gemini-generate': '/v1beta/models/m:generateContent',
      'gemini-embeddings': '/v1beta/models/m:embedContent',
      'gemini-interactions': '/v1beta/interactions',
      'bedrock-converse': '/model/m/converse',
      'bedrock-invoke': '/model/m/invoke',
    }
    for (const name of names)
      for (const wire of providers[name].traits.wires) {
        if (name === 'vertex-ai' && /^(anthropic-messages|gemini-interactions)$/.test(wire)) continue
        const url = urlOf(name, requestOf(paths[wire] ?? '/v1/x', { wire, native: false }))
        expect(new URL(url).pathname, `${name} ${wire}`).not.toBe('/')
      }
  })
})

describe('destinations are configuration, never request data', () => {
  const hostile = [
    '//evil.example/v1/chat/completions',
    'http://evil.example/v1/chat/completions',
    'https://evil.example',
    '@evil.example/x',
    '.evil.example/x',
    ':8443/x',
    '',
    '/v1/../../admin',
    '/v1/%2e%2e/%2e%2e/admin',
    '/v1/.%2E/admin',
    '/v1/%252e%252e/admin',
    '/v1/x%2f..%2f..%2fadmin',
    '/v1/./chat',
    '/v1\\..\\admin',
    '/v1/%5c..%5cadmin',
    '/v1/chat\r\nhost: evil.example',
    '/v1/chat%0d%0ahost:%20evil.example',
    '/v1/chat%00',
    '/v1/chat completions',
    '/v1/chat#fragment',
    '/v1/chat?x=1',
    '/v1/%',
    '/v1/%zz',
    '/v1/ünicode',
    `/v1/${'a'.repeat(9000)}`,
  ]

  test.each(names)('%s refuses every path that is not plain, its own or rerouted', (name) => {
    for (const path of hostile)
      for (const native of [true, false])
        for (const wire of ['openai-chat', 'gemini-generate', 'bedrock-converse', 'anthropic-messages', undefined]) {
          const call = () => urlOf(name, requestOf(path, { native, wire }))
          expect(call, JSON.stringify({ path, native, wire })).toThrow(
            /The request path|does not speak|only on its own/,
          )
        }
  })

  test.each(names)('%s refuses a query that could end the request line', (name) => {
    for (const query of ['?a=1 HTTP/1.1', '?a=1\r\nx: y', '?a#b', 'a=1'])
      expect(() => urlOf(name, requestOf('/v1/chat/completions', { query }))).toThrow(/query/)
  })

  test('whatever a client sends, the URL has the configured host and stays under the base path', () => {
    const given = { base_url: 'https://host.example:8443/tenant-a/v1' }
    const piece = fc.constantFrom(
      'v1',
      '..',
      '.',
      '%2e',
      '%2E%2e',
      '//',
      '@',
      'evil.example',
      ':',
      '%2f',
      '\\',
      'a',
      '',
      '?',
      '%0a',
      ';',
    )
    const path = fc.oneof(
      fc.array(piece, { maxLength: 8 }).map((pieces) => `/${pieces.join('/')}`),
      fc.array(piece, { maxLength: 8 }).map((pieces) => pieces.join('')),
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.webUrl(),
    )
    let accepted = 0
    fc.assert(
      fc.property(path, fc.string({ maxLength: 20 }), (hostilePath, model) => {
        let url: URL
        try {
          url = new URL(urlOf('openai-compatible', requestOf(hostilePath, { model }), given))
        } catch (error) {
          expect(error).toHaveProperty('code', 'bad-request')
          return
        }
        accepted++
        expect(url.host).toBe('host.example:8443')
        expect(url.username).toBe('')
        expect(decodeURIComponent(url.pathname)).toMatch(/^\/tenant-a\/v1/)
      }),
      { seed: 41, numRuns: 3000 },
    )
    expect(accepted).toBeGreaterThan(100)
  })

  test('a model from the request stays one segment of the path', () => {
    const dots = (model: string) => () =>
      urlOf('aws-bedrock', requestOf('/model/x/converse', { wire: 'bedrock-converse', model, native: false }))
    expect(dots('..')).toThrow(/names no model/)
    expect(dots('.')).toThrow(/names no model/)
    fc.assert(
      fc.property(fc.string({ unit: 'binary', minLength: 3, maxLength: 40 }), (model) => {
        const request = requestOf('/model/x/converse', { wire: 'bedrock-converse', model, native: false })
        const url = new URL(urlOf('aws-bedrock', request))
        expect(url.host).toBe('bedrock-runtime.us-west-2.amazonaws.com')
        const [, first, , last, ...rest] = url.pathname.split('/')
        expect([first, last, rest]).toEqual(['model', 'converse', []])
      }),
      { seed: 42, numRuns: 500, examples: [['..%2f'], ['@evil'], ['a?b#c'], ['../..'], ['bad\ud800']] },
    )
  })

  test.each([
    ['ftp://host/', /https:/],
    ['javascript:alert(1)', /https:/],
    ['https://user:secret@host/', /user or password/],
    ['https://host/?a=1', /query/],
    ['https://host/#a', /query or fragment/],
    ['not a url', /not a URL/],
    ['https://host/a//b', /empty segment/],
  ])('a base_url of %s is refused and not repeated', (base_url, message) => {
    const call = () => urlOf('openai', requestOf('/v1/models'), { base_url })
    expect(call).toThrow(message)
    expect(call).not.toThrow(/secret/)
  })

  test.each(['us-east-1.evil.example', 'US', '', 'a/b', 'evil.example#', '-x', 'a@b'])(
    'a region of %j is refused',
    (region) => {
      expect(() => urlOf('aws-bedrock', requestOf('/model/m/converse'), { region })).toThrow(/region/)
      expect(() => urlOf('vertex-ai', requestOf('/v1/projects/p/locations/l/x'), { region })).toThrow(/region/)
    },
  )

  test('options that stand in a URL are checked', () => {
    const request = requestOf('/v1/chat/completions', { native: false })
    expect(() => urlOf('vertex-ai', request, { options: { project: 'a/../b' } })).toThrow(/options.project/)
    expect(() => urlOf('azure-openai', request, { options: { api_version: '1&x=2' } })).toThrow(/options.api_version/)
    expect(() => urlOf('azure-openai', request, { base_url: undefined } as never)).toThrow(
      /no address of its own: set its base_url/,
    )
  })
})
