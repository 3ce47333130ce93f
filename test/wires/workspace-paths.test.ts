import { describe, expect, test } from 'vitest'
import { provider } from '../../src/providers/snowflake.ts'
import { wire as databricks } from '../../src/wires/databricks-invocations.ts'
import { wire as snowflake } from '../../src/wires/snowflake-complete.ts'
import { bytes, type Call, feed, meter, read } from './feeding.ts'

describe('paths of a workspace that carry formats of OpenAI', () => {
  const call = (request: unknown): Call => ({
    wire: databricks,
    path: '/serving-endpoints/my%20llm/invocations',
    request,
    answer_headers: { 'content-type': 'application/json' },
    quirks: { no_stream_options: true },
  })
  const usage = { prompt_tokens: 7, completion_tokens: 2, total_tokens: 9 }

  test('a serving endpoint is the model, and its body says which format it is', () => {
    const path = '/serving-endpoints/my%20llm/invocations'
    expect(databricks.recognise('POST', path, {})).toBe(true)
    expect(databricks.recognise('POST', '/serving-endpoints/chat/completions', {})).toBe(false)
    const chat = call({ messages: [{ role: 'user', content: 'hi' }], stream: true })
    expect(read(chat)).toMatchObject({ reading: { endpoint: 'chat', model: 'my llm', stream: true, edits: [] } })
    expect(read(call({ prompt: 'hi' })).reading).toMatchObject({ endpoint: 'completions', model: 'my llm' })
    expect(read(call({ input: 'hi' })).reading).toMatchObject({ endpoint: 'embeddings', model: 'my llm' })
    expect(meter(call({ messages: [] }), { choices: [], usage }).usage?.totals).toMatchObject({ input: 7, output: 2 })
    const embedded = { data: [], usage: { prompt_tokens: 7, total_tokens: 7 } }
    expect(meter(call({ input: 'hi' }), embedded).usage?.totals).toMatchObject({ input: 7, output: 0 })
  })

  test("Snowflake's first path streams without being asked, and is metered by what comes", () => {
    const complete: Call = {
      wire: snowflake,
      path: '/api/v2/cortex/inference:complete',
      request: { model: 'claude-opus-5-5', messages: [{ role: 'user', content: 'hi' }] },
      answer_headers: { 'content-type': 'text/event-stream' },
      quirks: provider.traits.quirks['snowflake-complete'] ?? {},
    }
    expect(snowflake.recognise('POST', complete.path, {})).toBe(true)
    expect(read(complete).reading).toMatchObject({ endpoint: 'chat', model: 'claude-opus-5-5' })
    const chunk = (content: string, counts?: unknown) =>
      bytes(`data: ${JSON.stringify({ choices: [{ delta: { content } }], ...(counts ? { usage: counts } : {}) })}\n\n`)
    const { metered } = feed(complete, [chunk('Hel'), chunk('lo', usage)])
    expect(metered).toMatchObject({ complete: true, usage: { totals: { input: 7, output: 2 } } })
    expect(feed(complete, [chunk('Hel')]).metered.complete).toBe(false)
    expect(feed(complete, [chunk('Hel'), chunk('lo', usage)], true).metered.complete).toBe(false)
  })
})
