/** Which blocks may be left out of a body: what a provider would then refuse, or what is in use, stays. */
import { describe, expect, test } from 'vitest'
import type { Block } from '../../src/core/prompt.ts'
import type { Wire } from '../../src/core/wire.ts'
import { wire as messages } from '../../src/wires/anthropic-messages.ts'
import { wire as converse } from '../../src/wires/bedrock-converse.ts'
import { wire as generate } from '../../src/wires/gemini-generate.ts'
import { wire as chat } from '../../src/wires/openai-chat.ts'
import { wire as responses } from '../../src/wires/openai-responses.ts'

const blocksOf = (wire: Wire, path: string, json: object): readonly Block[] => {
  const body = new TextEncoder().encode(JSON.stringify(json))
  const reading = wire.read({ method: 'POST', path, query: '', headers: {}, body, json }, {})
  return wire.editor?.outline(json, reading.parts).blocks ?? []
}

/** Names of the tools that may be left out. */
const free = (blocks: readonly Block[]) =>
  blocks.filter(({ form, removable }) => form === 'tool' && removable).map(({ name }) => name)

/** Names of the tools that the conversation shows to have been called. */
const called = (blocks: readonly Block[]) => blocks.filter(({ form }) => form === 'tool-call').map(({ name }) => name)

/** Texts of messages that may be left out. */
const texts = (blocks: readonly Block[]) =>
  blocks.filter(({ message, removable }) => message >= 0 && removable).map(({ text }) => text)

const ask = { role: 'user', content: 'And now?' }

describe('Anthropic Messages', () => {
  const of = (json: object) =>
    blocksOf(messages, '/v1/messages', { model: 'claude-sonnet-5', max_tokens: 100, ...json })
  const tool = (name: string, more = {}) => ({ name, input_schema: { type: 'object' }, ...more })

  test('keeps a tool with a cache mark, and one that the model is not shown yet', () => {
    const tools = [
      tool('look'),
      tool('later', { defer_loading: true }),
      tool('last', { cache_control: { type: 'ephemeral' } }),
    ]
    expect(free(of({ tools, messages: [ask] }))).toEqual(['look'])
  })

  test('shows calls of the provider’s own tools as calls', () => {
    const content = [
      { type: 'server_tool_use', id: 'srvtoolu_1', name: 'web_search', input: { query: 'weirs' } },
      { type: 'web_search_tool_result', tool_use_id: 'srvtoolu_1', content: [] },
      { type: 'mcp_tool_use', id: 'mcptoolu_1', name: 'echo', server_name: 'one', input: {} },
      { type: 'text', text: 'Found.' },
    ]
    const blocks = of({ messages: [ask, { role: 'assistant', content }, ask] })
    expect(called(blocks)).toEqual(['web_search', 'echo'])
    expect(blocks.filter(({ form }) => form === 'tool-call').some((one) => one.removable || one.replaceable)).toBe(
      false,
    )
  })

  test('leaves no thought at the end of a message: texts beside one stay', () => {
    const thinking = { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }
    const said = (text: string, before: object[] = []) => ({
      role: 'assistant',
      content: [...before, { type: 'text', text }],
    })
    expect(texts(of({ messages: [ask, said('one', [thinking]), ask, said('two'), ask] }))).toEqual(['And now?', 'two'])
  })
})

test('Converse leaves no thought at the end of a message', () => {
  const reasoningContent = { reasoningText: { text: 'Hm.', signature: 'c2ln' } }
  const user = { role: 'user', content: [{ text: 'And now?' }] }
  const list = [user, { role: 'assistant', content: [{ reasoningContent }, { text: 'one' }] }, user]
  expect(texts(blocksOf(converse, '/model/anthropic.claude-sonnet-5/converse', { messages: list }))).toEqual([])
})

describe('OpenAI chat', () => {
  const of = (json: object) => blocksOf(chat, '/v1/chat/completions', { model: 'gpt-6-sol', ...json })
  const tools = ['look', 'book', 'sell'].map((name) => ({ type: 'function', function: { name } }))

  test('keeps the tools that a choice of several names', () => {
    const allowed = { mode: 'auto', tools: [{ type: 'function', function: { name: 'book' } }] }
    const tool_choice = { type: 'allowed_tools', allowed_tools: allowed }
    expect(free(of({ tools, tool_choice, messages: [ask] }))).toEqual(['look', 'sell'])
  })

  test('knows the older functions: the one that must be called, and those that were', () => {
    const functions = tools.map(({ function: one }) => one)
    const call = { role: 'assistant', content: null, function_call: { name: 'book', arguments: '{}' } }
    const blocks = of({ functions, function_call: { name: 'sell' }, messages: [ask, call, ask] })
    expect(free(blocks)).toEqual(['look', 'book'])
    expect(called(blocks)).toEqual(['book'])
  })
})

test('OpenAI chat reads calls of custom tools: what they were given is part of the prompt', () => {
  const of = (input: string) => {
    const calls = [{ id: 'c1', type: 'custom', custom: { name: 'patch', input } }]
    const messages = [ask, { role: 'assistant', content: null, tool_calls: calls }]
    return blocksOf(chat, '/v1/chat/completions', { model: 'gpt-6-sol', messages })
  }
  expect(called(of('one'))).toEqual(['patch'])
  expect(of('one').at(-1)).toMatchObject({ text: 'patchone', part: 1 })
})

describe('OpenAI Responses', () => {
  const of = (json: object) => blocksOf(responses, '/v1/responses', { model: 'gpt-6-sol', ...json })

  test('keeps the tools that a choice of several names', () => {
    const tools = ['look', 'book'].map((name) => ({ type: 'function', name }))
    const tool_choice = { type: 'allowed_tools', mode: 'required', tools: [{ type: 'function', name: 'book' }] }
    expect(free(of({ tools, tool_choice, input: [ask] }))).toEqual(['look'])
  })

  test('keeps the message that a reasoning item led to: the API refuses one without the other', () => {
    const reasoning = { type: 'reasoning', id: 'rs_1', summary: [], encrypted_content: 'c2ln' }
    const said = (text: string) => ({ type: 'message', role: 'assistant', content: [{ type: 'output_text', text }] })
    const input = [ask, reasoning, said('one'), { role: 'user', content: 'two' }, said('three'), ask]
    expect(texts(of({ input }))).toEqual(['two', 'three'])
  })
})

test('Gemini keeps the functions that the configuration allows by name', () => {
  const tools = [{ functionDeclarations: [{ name: 'look' }, { name: 'book' }] }]
  const contents = [{ role: 'user', parts: [{ text: 'Hello' }] }]
  const path = '/v1beta/models/gemini-3.5-flash:generateContent'
  const allowing = (config: object) => free(blocksOf(generate, path, { tools, contents, ...config }))
  expect(allowing({ toolConfig: { functionCallingConfig: { mode: 'ANY', allowedFunctionNames: ['book'] } } })).toEqual([
    'look',
  ])
  expect(allowing({ tool_config: { function_calling_config: { allowed_function_names: ['book'] } } })).toEqual(['look'])
})
