/** Names of the tools that an answer calls, as the official APIs write them. */
import { expect, test } from 'vitest'
import { calledNames } from '../../src/wires/framing/called.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const whole = (json: unknown) => [...calledNames(bytes(JSON.stringify(json)), 'application/json')]
const streamed = (...events: unknown[]) => [
  ...calledNames(bytes(events.map((one) => `data: ${JSON.stringify(one)}\n\n`).join('')), 'text/event-stream'),
]

test('Anthropic: tool_use blocks, whole and as they start in a stream', () => {
  const block = { type: 'tool_use', id: 'toolu_1', name: 'submit', input: { type: 'function_call', name: 'no' } }
  expect(whole({ type: 'message', content: [{ type: 'text', text: 'tool_use' }, block] })).toEqual(['submit'])
  expect(streamed({ type: 'content_block_start', index: 1, content_block: block })).toEqual(['submit'])
})

test('OpenAI chat: tools, custom tools and the older functions, whole and in deltas', () => {
  const tool_calls = [
    { id: 'c1', type: 'function', function: { arguments: '{}', name: 'submit' } },
    { id: 'c2', type: 'custom', custom: { name: 'patch', input: '' } },
  ]
  expect(whole({ choices: [{ message: { role: 'assistant', content: null, tool_calls } }] })).toEqual([
    'submit',
    'patch',
  ])
  expect(whole({ choices: [{ message: { function_call: { name: 'old', arguments: '{}' } } }] })).toEqual(['old'])
  const piece = { index: 0, function: { arguments: '{"a"' } }
  expect(streamed({ choices: [{ delta: { tool_calls } }] }, { choices: [{ delta: { tool_calls: [piece] } }] })).toEqual(
    ['submit', 'patch'],
  )
})

test('Responses: calls, and not the definitions that the response repeats', () => {
  const tools = ['submit', 'look'].map((name) => ({ type: 'function', name, parameters: {} }))
  const call = { type: 'function_call', id: 'fc_1', arguments: '{"a":1}', call_id: 'call_1', name: 'submit' }
  expect(whole({ object: 'response', tools, output: [call] })).toEqual(['submit'])
  expect(streamed({ type: 'response.completed', response: { tools, output: [call] } })).toEqual(['submit'])
})

test('Gemini and Converse: whole, and Converse in its frames', () => {
  expect(whole([{ candidates: [{ content: { parts: [{ functionCall: { name: 'submit', args: {} } }] } }] }])).toEqual([
    'submit',
  ])
  const toolUse = { input: { name: 'no' }, name: 'submit', toolUseId: 't1' }
  expect(whole({ output: { message: { content: [{ toolUse }] } } })).toEqual(['submit'])
  const frame = bytes(
    '\u0000\u0001{"contentBlockIndex":1,"start":{"toolUse":{"name":"submit","toolUseId":"t1"}}}\u0002',
  )
  expect([...calledNames(frame, 'application/vnd.amazon.eventstream')]).toEqual(['submit'])
})

test('what cannot be read calls nothing', () => {
  expect([...calledNames(bytes('{"tool_calls": ['), 'application/json')]).toEqual([])
})
