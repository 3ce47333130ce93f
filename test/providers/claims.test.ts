import { describe, expect, test } from 'vitest'
import type { Headers } from '../../src/core/wire.ts'
import { providers } from '../../src/providers/index.ts'

/** The provider that wins a bare path; a tie would be decided by chance, so it is none. */
const winner = (path: string, headers: Headers = {}): string | undefined => {
  const claims = Object.values(providers)
    .map((provider) => ({ name: provider.name, claim: provider.claims(path, headers) }))
    .filter(({ claim }) => claim > 0)
    .sort((a, b) => b.claim - a.claim)
  expect(claims[0]?.claim, `a tie for ${path}`).not.toBe(claims[1]?.claim ?? -1)
  return claims[0]?.name
}

describe('a bare path goes to the provider whose API it is', () => {
  test.each<[string, string, Headers?]>([
    ['openai', '/v1/chat/completions'],
    ['openai', '/v1/responses/resp_1'],
    ['openai', '/v1/embeddings'],
    ['openai', '/v1/completions'],
    ['openai', '/v1/images/generations'],
    ['openai', '/v1/audio/transcriptions'],
    ['openai', '/v1/models'],
    ['openai', '/v1/files/file-1/content'],
    ['openai', '/v1/batches'],
    ['openai', '/v1/chat/completions', { authorization: 'Bearer sk-proj-abc' }],
    ['openai', '/chat/completions'],
    ['anthropic', '/v1/messages'],
    ['anthropic', '/v1/messages/count_tokens'],
    ['anthropic', '/v1/messages/batches/b/results'],
    ['anthropic', '/v1/complete'],
    ['anthropic', '/v1/models', { 'anthropic-version': '2023-06-01' }],
    ['anthropic', '/v1/models/claude-opus-5-5', { 'x-api-key': 'k' }],
    ['anthropic', '/v1/files', { 'anthropic-version': '2023-06-01' }],
    ['google', '/v1beta/models/gemini-4:generateContent'],
    ['google', '/v1alpha/models/gemini-4:streamGenerateContent'],
    ['google', '/v1beta/openai/chat/completions'],
    ['google', '/v1/models/gemini-4:generateContent'],
    ['google', '/v1/models', { 'x-goog-api-key': 'k' }],
    ['google', '/upload/v1beta/files'],
    ['vertex-ai', '/v1/projects/p/locations/l/publishers/google/models/m:generateContent'],
    ['vertex-ai', '/v1beta1/projects/p/locations/l/publishers/google/models/m:streamGenerateContent'],
    ['vertex-ai', '/v1/publishers/google/models/m:generateContent', { 'x-goog-api-key': 'k' }],
    ['aws-bedrock', '/model/us.anthropic.claude-opus-5-5/converse'],
    ['aws-bedrock', '/model/us.amazon.nova-pro-v1%3A0/converse-stream'],
    ['aws-bedrock', '/model/arn%3Aaws%3Abedrock%3Aus-east-1%3A1%3Aprompt%2FX/invoke'],
    ['aws-bedrock', '/model/m/invoke-with-response-stream'],
    ['aws-bedrock', '/v1/responses', { authorization: 'Bearer bedrock-api-key-abc' }],
    ['aws-bedrock', '/openai/v1/responses', { authorization: 'AWS4-HMAC-SHA256 Credential=x' }],
    ['cohere', '/v2/chat'],
    ['cohere', '/v2/embed'],
    ['cohere', '/v2/rerank'],
    ['cohere', '/v1/rerank'],
    ['cohere', '/v1/chat'],
    ['voyage', '/v1/rerank', { authorization: 'Bearer pa-abc' }],
    ['voyage', '/v1/embeddings', { authorization: 'Bearer pa-abc' }],
    ['voyage', '/v1/multimodalembeddings'],
    ['azure-openai', '/openai/deployments/gpt/chat/completions'],
    ['azure-openai', '/openai/v1/chat/completions', { 'api-key': 'k' }],
    ['azure-openai', '/openai/responses', { 'api-key': 'k' }],
    ['groq', '/openai/v1/chat/completions', { authorization: 'Bearer gsk_abc' }],
    ['openrouter', '/api/v1/chat/completions'],
    ['openrouter', '/v1/chat/completions', { authorization: 'bearer sk-or-v1-abc' }],
    ['fireworks', '/inference/v1/chat/completions'],
    ['x-ai', '/v1/chat/completions', { authorization: 'Bearer xai-abc' }],
    ['perplexity', '/chat/completions', { authorization: 'Bearer pplx-abc' }],
    ['together', '/v1/chat/completions', { authorization: 'Bearer tgp_v1_abc' }],
    ['mistral', '/v1/fim/completions'],
    ['deepseek', '/beta/completions'],
    ['databricks', '/serving-endpoints/my-llm/invocations'],
    ['snowflake', '/api/v2/cortex/v1/chat/completions'],
    ['snowflake', '/api/v2/cortex/inference:complete'],
  ])('%s has %s', (name, path, headers) => {
    expect(winner(path, headers ?? {})).toBe(name)
  })

  test.each([
    '/',
    '/healthz',
    '/favicon.ico',
    '/openai/v1/chat/completions',
    '/model/x/y',
    '/v3/x',
    '/modelx/a/converse',
  ])('nobody has %s, so no key goes to a stranger', (path) =>
    expect(winner(path, { authorization: 'Bearer abc' })).toBeUndefined(),
  )
})
