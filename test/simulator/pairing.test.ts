/** The simulator refuses conversations as the providers do, so that whoever edits one is found out. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../simulator/start.ts'

let simulator: Simulator
beforeAll(async () => {
  simulator = await startSimulator()
})
afterAll(() => simulator.close())

const send = async (base: string | undefined, path: string, body: unknown) => {
  const headers = { 'content-type': 'application/json', authorization: 'Bearer sk-x', 'x-api-key': 'sk-x' }
  const response = await fetch(`${base}${path}`, { method: 'POST', headers, body: JSON.stringify(body) })
  const { error } = (await response.json()) as { error?: { message: string } | null }
  return response.status === 200 ? 'ok' : error?.message
}

const user = { role: 'user', content: 'Look.' }

test('Anthropic: a call goes with its result in the next message, and no message ends in a thought', async () => {
  const of = (...messages: unknown[]) =>
    send(simulator.base_urls.anthropic, '/v1/messages', { model: 'claude-sonnet-4-5', max_tokens: 50, messages })
  const use = (id: string) => ({ type: 'tool_use', id, name: 'look', input: {} })
  const result = (id: string) => ({ type: 'tool_result', tool_use_id: id, content: 'seen' })
  const assistant = (...content: unknown[]) => ({ role: 'assistant', content })
  const both = { role: 'user', content: [result('t1'), result('t2')] }
  expect(await of(user, assistant(use('t1'), use('t2')), both)).toBe('ok')
  expect(await of(user, assistant(use('t1'), use('t2')), { role: 'user', content: [result('t1')] })).toMatch(
    /after: t2/,
  )
  expect(await of(user, both)).toMatch(/unexpected `tool_use_id`/)
  const thinking = { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' }
  expect(await of(user, assistant(thinking), user)).toMatch(/cannot be `thinking`/)
  expect(await of(user, assistant({ type: 'text', text: '' }), user)).toMatch(/must be non-empty/)
})

test('OpenAI chat: every call is answered by the tool messages behind it, and each of those answers one', async () => {
  const of = (...messages: unknown[]) =>
    send(simulator.base_urls.openai, '/chat/completions', { model: 'gpt-4o', messages })
  const call = (id: string) => ({ id, type: 'function', function: { name: 'look', arguments: '{}' } })
  const calls = { role: 'assistant', content: null, tool_calls: [call('c1'), call('c2')] }
  const tool = (id: string) => ({ role: 'tool', tool_call_id: id, content: 'seen' })
  expect(await of(user, calls, tool('c2'), tool('c1'))).toBe('ok')
  expect(await of(user, calls, tool('c1'), user)).toMatch(/response messages: c2/)
  expect(await of(user, tool('c1'))).toMatch(/preceeding message/)
})

test('Responses: calls, outputs and reasoning items come with what belongs to them', async () => {
  const of = (...input: unknown[]) => send(simulator.base_urls.openai, '/responses', { model: 'gpt-5', input })
  const call = { type: 'function_call', call_id: 'c1', name: 'look', arguments: '{}' }
  const output = { type: 'function_call_output', call_id: 'c1', output: 'seen' }
  const reasoning = { type: 'reasoning', id: 'rs_1', summary: [] }
  expect(await of(user, reasoning, call, output)).toBe('ok')
  expect(await of(user, call)).toMatch(/No tool output found/)
  expect(await of(user, output)).toMatch(/No tool call found/)
  expect(await of(user, reasoning, user)).toMatch(/required following item/)
})

test('Converse: a thought comes with its signature, and JSON that a tool answers is read', async () => {
  const tools = [{ toolSpec: { name: 'look', inputSchema: { json: { type: 'object' } } } }]
  const use = { role: 'assistant', content: [{ toolUse: { toolUseId: 't1', name: 'look', input: {} } }] }
  const result = (json: unknown) => ({
    role: 'user',
    content: [{ toolResult: { toolUseId: 't1', content: [{ json }] } }],
  })
  const converse = async (operation: string, messages: unknown[]) => {
    const thinking = { type: 'enabled', budget_tokens: 1024 }
    const body = {
      messages,
      toolConfig: { tools },
      inferenceConfig: { maxTokens: 4000 },
      additionalModelRequestFields: { thinking },
    }
    const path = `/model/anthropic.claude-sonnet-4-5-20250929-v1:0/${operation}`
    const response = await fetch(`${simulator.base_urls['aws-bedrock']}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-x' },
      body: JSON.stringify(body),
    })
    expect(response.status).toBe(200)
    return response
  }
  const first = { role: 'user', content: [{ text: 'Look.' }] }
  expect(await (await converse('converse-stream', [first])).text()).toMatch(/"reasoningContent":\{"signature":"./)
  const input = async (json: unknown) =>
    ((await (await converse('converse', [first, use, result(json)])).json()) as { usage: { inputTokens: number } })
      .usage.inputTokens
  expect((await input({ rows: 'one row and another '.repeat(50) })) - (await input({}))).toBeGreaterThan(100)
})
