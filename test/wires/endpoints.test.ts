import { expect, test } from 'vitest'
import type { Wire, WireRequest } from '../../src/core/wire.ts'
import { wires } from '../../src/wires/index.ts'

const requestOf = (line: string, json: unknown): WireRequest => {
  const [method = '', path = ''] = line.split(' ')
  return { method, path, query: '', headers: {}, body: Buffer.from(JSON.stringify(json) ?? ''), json }
}

const messages = [{ role: 'user', content: 'hello' }]
const contents = [{ parts: [{ text: 'hello' }] }]

/** One request for each endpoint of each wire. */
const asked: Readonly<Record<keyof typeof wires, readonly (readonly [line: string, json: unknown])[]>> = {
  'anthropic-messages': [
    ['POST /v1/messages', { model: 'm', messages }],
    ['POST /v1/messages/count_tokens', { model: 'm', messages }],
    ['GET /v1/messages/batches/b/results', undefined],
    ['GET /v1/models', undefined],
  ],
  'bedrock-converse': [['POST /model/m/converse', { messages }]],
  'bedrock-invoke': [
    ['POST /model/m/invoke', { prompt: 'hello' }],
    ['POST /model/amazon.titan-embed-text-v2:0/invoke', { inputText: 'hello' }],
    ['POST /model/cohere.rerank-v3-5:0/invoke', { query: 'hello' }],
  ],
  'cohere-chat': [['POST /v2/chat', { model: 'm', messages }]],
  'cohere-embed': [['POST /v2/embed', { model: 'm', texts: ['hello'] }]],
  'databricks-invocations': [
    ['POST /serving-endpoints/m/invocations', { messages }],
    ['POST /serving-endpoints/m/invocations', { prompt: 'hello' }],
    ['POST /serving-endpoints/m/invocations', { input: 'hello' }],
  ],
  'gemini-embeddings': [['POST /v1beta/models/m:embedContent', { content: contents[0] }]],
  'gemini-generate': [
    ['POST /v1beta/models/m:generateContent', { contents }],
    ['POST /v1beta/models/m:countTokens', { contents }],
    ['GET /v1beta/models', undefined],
  ],
  'gemini-interactions': [
    ['POST /v1beta/interactions', { model: 'm', input: 'hello' }],
    ['GET /v1beta/interactions/i', undefined],
  ],
  'mistral-ocr': [['POST /v1/ocr', { model: 'm', document: { type: 'document_url' } }]],
  'openai-audio': [
    ['POST /v1/audio/speech', { model: 'm', input: 'hello', voice: 'v' }],
    ['POST /v1/audio/transcriptions', { model: 'm' }],
    ['POST /v1/audio/translations', { model: 'm' }],
  ],
  'openai-batches': [['GET /v1/files/f/content', undefined]],
  'openai-chat': [
    ['POST /v1/chat/completions', { model: 'm', messages }],
    ['GET /v1/chat/completions/c', undefined],
    ['GET /v1/models', undefined],
  ],
  'openai-completions': [['POST /v1/completions', { model: 'm', prompt: 'hello' }]],
  'openai-embeddings': [['POST /v1/embeddings', { model: 'm', input: 'hello' }]],
  'openai-images': [
    ['POST /v1/images/generations', { model: 'm', prompt: 'hello' }],
    ['POST /v1/images/edits', { model: 'm', prompt: 'hello' }],
    ['POST /v1/images/variations', { model: 'm' }],
  ],
  'openai-moderations': [['POST /v1/moderations', { input: 'hello' }]],
  'openai-responses': [
    ['POST /v1/responses', { model: 'm', input: 'hello' }],
    ['POST /v1/responses/compact', { model: 'm', input: 'hello' }],
    ['POST /v1/responses/input_tokens', { model: 'm', input: 'hello' }],
    ['GET /v1/responses/r', undefined],
    ['POST /v1/responses/r/cancel', undefined],
  ],
  rerank: [['POST /v1/rerank', { model: 'm', query: 'hello', documents: ['a'] }]],
  'snowflake-complete': [['POST /api/v2/cortex/inference:complete', { model: 'm', messages }]],
  'voyage-embeddings': [['POST /v1/contextualizedembeddings', { model: 'm', inputs: [['hello']] }]],
}

test.each(Object.entries(asked))('%s names the endpoints that its readings have, and no other', (name, requests) => {
  const wire: Wire = wires[name as keyof typeof wires]
  const read = requests.map(([line, json]) => {
    const request = requestOf(line, json)
    expect([line, wire.recognise(request.method, request.path, {})]).toEqual([line, true])
    return wire.read(request, {}).endpoint
  })
  expect(new Set(read)).toEqual(new Set(wire.endpoints))
})
