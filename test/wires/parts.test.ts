/** What every wire makes of a prompt: its blocks stay whole and in order, whatever is in them. */
import { hash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import type { Wire, WireRequest } from '../../src/core/wire.ts'
import { fingerprinter } from '../../src/playbook/measure/fingerprints.ts'
import { conversationParts, isRetrieved, toolParts, userParts } from '../../src/wires/framing/parts.ts'
import { wires } from '../../src/wires/index.ts'

const fingerprint = fingerprinter((text) => hash('sha1', text).slice(0, 16))

const wireOf = (name: string): Wire | undefined => (wires as Readonly<Record<string, Wire>>)[name]

const requestOf = (path: string, json: unknown): WireRequest => ({
  method: 'POST',
  path,
  query: '',
  headers: {},
  body: Buffer.from(JSON.stringify(json)),
  json,
})

const question = 'Here it is: <documents><document>facts</document></documents> Why?'

describe('a user’s text', () => {
  test('is one part in its own words, context when most of it was retrieved', () => {
    const retrieved = `<documents>${'facts '.repeat(50)}</documents>`
    expect(userParts(`${retrieved} Why?`)).toEqual([{ kind: 'context', text: `${retrieved} Why?` }])
    const asked = `Why? ${'Think well. '.repeat(50)}<context>fact</context>`
    expect(userParts(asked)).toEqual([{ kind: 'user', text: asked }])
    expect(userParts('')).toEqual([])
  })

  test('hashes alike when it is history a turn later', () => {
    const now = conversationParts([{ role: 'user', text: question }])
    const later = conversationParts([
      { role: 'user', text: question },
      { role: 'assistant', text: 'Because.' },
      { role: 'user', text: 'And?' },
    ])
    expect(later[0]).toEqual({ kind: 'history', text: question })
    expect(now).toHaveLength(1)
  })

  const turns = {
    'openai-chat': ['/v1/chat/completions', (messages: unknown) => ({ model: 'm', messages })],
    'openai-responses': ['/v1/responses', (input: unknown) => ({ model: 'm', input })],
    'anthropic-messages': ['/v1/messages', (messages: unknown) => ({ model: 'm', max_tokens: 5, messages })],
    'cohere-chat': ['/v2/chat', (messages: unknown) => ({ model: 'm', messages })],
  } as const
  test.each(Object.entries(turns))('keeps the prefix of the turn before on %s', (name, [path, bodyOf]) => {
    const wire = wireOf(name)
    const first = [{ role: 'user', content: question }]
    const second = [...first, { role: 'assistant', content: 'Because.' }, { role: 'user', content: 'And?' }]
    const [before, after] = [first, second].map((messages) => {
      const json = bodyOf(messages)
      const reading = wire?.read(requestOf(path, json), {})
      if (!reading) throw new Error(`no wire ${name}`)
      return fingerprint({ json, reading }).chain.hashes
    })
    expect(before).toHaveLength(1)
    expect(after?.slice(0, 1)).toEqual(before)
  })

  test('is looked through in one go, however many tags it opens', () => {
    const opened = `${'<context>'.repeat(200_000)}</nothing>`
    const names = Array.from({ length: 100_000 }, (_, index) => `<retrieved${index}>`).join('')
    // Whoever backtracks over these is still at it when the test's time is over.
    expect(isRetrieved(opened)).toBe(false)
    expect(isRetrieved(`${names}</nothing>`)).toBe(false)
    expect(isRetrieved(`${'<context '.repeat(200_000)}</nothing>`)).toBe(false)
  })
})

describe('what is nested beyond reason', () => {
  const depth = 100_000
  const nested: unknown = JSON.parse(`${'{"deep":['.repeat(depth)}"bottom"${']}'.repeat(depth)}`)

  test('is still text', () => {
    const [part] = toolParts([nested])
    expect(part?.kind).toBe('tools')
    expect(part?.text.length).toBeGreaterThan(depth * 4)
    expect(part?.text.endsWith('deep bottom')).toBe(true)
  })

  const message = { role: 'user', content: 'hi' }
  const bodies: readonly (readonly [string, string, unknown])[] = [
    ['openai-chat', '/v1/chat/completions', { model: 'm', messages: [message], tools: [nested] }],
    [
      'openai-chat',
      '/v1/chat/completions',
      { model: 'm', messages: [message], response_format: { type: 'json_schema', json_schema: nested } },
    ],
    ['openai-chat', '/v1/chat/completions', { model: 'm', messages: [{ role: 'user', content: nested }] }],
    ['openai-responses', '/v1/responses', { model: 'm', input: [nested], tools: [nested] }],
    [
      'anthropic-messages',
      '/v1/messages',
      { model: 'm', max_tokens: 5, tools: [nested], messages: [{ role: 'user', content: [nested] }] },
    ],
    ['cohere-chat', '/v2/chat', { model: 'm', messages: [message], tools: [nested], documents: [nested] }],
    ['rerank', '/v1/rerank', { model: 'm', query: 'q', documents: [nested] }],
    [
      'gemini-generate',
      '/v1beta/models/g:generateContent',
      { tools: [nested], contents: [{ role: 'user', parts: [{ functionResponse: nested }] }] },
    ],
    [
      'bedrock-converse',
      '/model/m/converse',
      {
        toolConfig: { tools: [nested] },
        messages: [{ role: 'user', content: [{ toolResult: { content: [{ json: nested }] } }] }],
      },
    ],
    ['bedrock-invoke', '/model/m/invoke', { max_tokens: 5, messages: [message], tools: [nested] }],
  ]
  test.each(bodies)('does not stop %s from reading %s', (name, path, json) => {
    const wire = wireOf(name)
    const reading = wire?.read({ ...requestOf(path, {}), json }, {})
    expect(reading?.billable).toBe(true)
  })
})

describe('names that every object has', () => {
  const odd = 'constructor'
  const messages = [{ role: odd, content: 'Hi' }]
  const labels = { [odd]: 'x', toString: 'y' }
  test.each([
    ['openai-chat', '/v1/chat/completions', { service_tier: odd, messages, metadata: labels }],
    ['openai-responses', '/v1/responses', { service_tier: odd, input: messages, metadata: labels }],
    ['anthropic-messages', '/v1/messages', { service_tier: odd, messages, metadata: labels }],
    ['bedrock-converse', '/model/m/converse', { serviceTier: { type: odd }, messages, requestMetadata: labels }],
    ['cohere-chat', '/v2/chat', { messages, metadata: labels }],
  ])('are no tiers, roles or payers of %s', (name, path, body) => {
    const wire = wireOf(name)
    const reading = wire?.read(requestOf(path, { model: 'm', ...body }), {})
    expect(JSON.parse(JSON.stringify(reading))).toEqual(reading)
    expect(reading).not.toHaveProperty('service_tier')
    expect(reading?.body_tags).toEqual({ tags: labels })
    const context = { provider: 'p', quirks: {}, status: 200, headers: {}, request: { path, json: body } }
    const metering = reading && wire?.meter({ ...context, reading })
    const answer = {
      usage: { prompt_tokens: 1, input_tokens: 1, inputTokens: 1, service_tier: odd },
      service_tier: odd,
    }
    metering?.push(Buffer.from(JSON.stringify({ ...answer, serviceTier: { type: odd } })))
    metering?.end()
    expect(metering?.finish().usage?.lines[0]?.service_tier).toBeUndefined()
  })
})
