/** Both forms of an answer: what came whole is given as a stream and the reverse, and nothing of it is lost on the way. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { wire as anthropic } from '../../src/wires/anthropic-messages.ts'
import { wire as gemini } from '../../src/wires/gemini-generate.ts'
import { wires } from '../../src/wires/index.ts'
import { wire as chat } from '../../src/wires/openai-chat.ts'
import { wire as responses } from '../../src/wires/openai-responses.ts'
import { decoded, formed, made, streamAnswer, wholeAnswer } from './forming.ts'
import { cases } from './whole-answers.ts'

const parameters = { seed: 20261128, numRuns: 200 }
const SSE = { stream: true, query: '?alt=sse' }

describe.each(cases)('an answer of %s', (_, wire, path, answers) => {
  test('that came whole says the same after it was a stream', () => {
    fc.assert(
      fc.property(answers, (json) => {
        const stream = made(wire, wholeAnswer(json), SSE)
        expect(stream.content_type).toMatch(/text\/event-stream|vnd.amazon.eventstream/)
        expect(JSON.parse(decoded(made(wire, stream, { stream: false })))).toEqual(json)
      }),
      parameters,
    )
  })

  test('that is a stream already, or whole already, is left as it is', () => {
    const [json] = fc.sample(answers, { ...parameters, numRuns: 1 })
    const whole = wholeAnswer(json)
    expect(formed(wire, whole, { stream: false })).toBe(whole)
    const stream = made(wire, whole, SSE)
    expect(formed(wire, stream, SSE)).toBe(stream)
  })

  test('is metered alike in both forms', () => {
    fc.assert(
      fc.property(answers, (json) => {
        const metered = (stream: boolean) => {
          const answer = stream ? made(wire, wholeAnswer(json), SSE) : wholeAnswer(json)
          const body = new TextEncoder().encode(JSON.stringify({ model: 'm', stream, messages: [], contents: [] }))
          const asked = stream
            ? path.replace(':generate', ':streamGenerate').replace(/converse$/, 'converse-stream')
            : path
          const request = { method: 'POST', path: asked, query: '', headers: {}, body, json: { model: 'm', stream } }
          const reading = wire.read(request, { no_stream_options: true })
          const headers = { 'content-type': answer.content_type }
          const meter = wire.meter({ reading, request, provider: 'p', quirks: {}, status: 200, headers })
          meter.push(answer.body)
          meter.end()
          return meter.finish()
        }
        const [whole, streamed] = [metered(false), metered(true)]
        expect(whole.usage).toBeDefined()
        expect(streamed.complete).toBe(true)
        expect({ ...streamed.usage, raw: 0 }).toEqual({ ...whole.usage, raw: 0 })
        expect([streamed.response_id, streamed.model_served]).toEqual([whole.response_id, whole.model_served])
      }),
      { ...parameters, numRuns: 60 },
    )
  })
})

const said = 'word '.repeat(1000)
const whole = {
  chat: (message: object, more: object = {}) => ({
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model: 'm',
    choices: [{ index: 0, message: { role: 'assistant', content: said, ...message }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    ...more,
  }),
  message: (content: readonly object[], more: object = {}) => ({
    id: 'm1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content,
    stop_reason: 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: 1, output_tokens: 2 },
    ...more,
  }),
  candidate: (parts: readonly object[], more: object = {}) => ({
    candidates: [{ content: { parts, role: 'model' }, finishReason: 'STOP', ...more }],
    usageMetadata: { promptTokenCount: 1, totalTokenCount: 1 },
  }),
  response: (output: readonly object[]) => ({ id: 'r1', status: 'completed', output, usage: {} }),
}

describe('an answer is not given in its other form', () => {
  const tool = { id: 't', type: 'function', function: { name: 'f', arguments: '{}' } }
  test.each([
    [chat, whole.chat({ tool_calls: [tool] }), 'it has a member that is not known, tool_calls'],
    [chat, whole.chat({ audio: { id: 'a' } }), 'it has a member that is not known, audio'],
    [chat, whole.chat({ content: [{ type: 'text', text: 'a' }] }), 'its content is not a text'],
    [chat, whole.chat({}, { invented: 1 }), 'it has a member that is not known, invented'],
    [chat, whole.chat({}, { 'a name "that is odd"': 1 }), 'it has a member that is not known'],
    [chat, whole.chat({}, { x_groq: { seed: 12345678901234567890n } }), 'a number in it is too long to be copied'],
    [
      anthropic,
      whole.message([{ type: 'tool_use', id: 't', name: 'f', input: {} }]),
      'it has a block that is not known',
    ],
    [anthropic, whole.message([{ type: 'text', text: 'a', mood: 'glad' }]), 'it has a member that is not known, mood'],
    [gemini, whole.candidate([{ functionCall: { name: 'f' } }]), 'it has a member that is not known, functionCall'],
    [gemini, whole.candidate([{ text: 'a' }], { mood: 1 }), 'it has a member that is not known, mood'],
    [responses, whole.response([{ id: 'i', type: 'web_search_call' }]), 'it has an item that is not known'],
    [
      responses,
      whole.response([{ id: 'i', type: 'message', content: [{ type: 'refusal', refusal: 'no' }] }]),
      'it has a part that is not known',
    ],
    [responses, { ...whole.response([]), status: 'incomplete' }, 'it is not completed'],
  ] as const)('where a stream would lose something: %#', (wire, json, why) => {
    const text = JSON.stringify(json, (_, value) => (typeof value === 'bigint' ? `#${value}#` : value))
    const body = new TextEncoder().encode(text.replace(/"#(\d+)#"/g, '$1'))
    expect(formed(wire, { body, content_type: 'application/json' }, SSE)).toBe(why)
  })

  const event = (...all: readonly object[]) =>
    streamAnswer(all.map((one) => `data: ${JSON.stringify(one)}\n\n`).join(''))
  const chunk = (delta: object, more: object = {}, finish_reason: string | null = null) => ({
    id: 'c',
    choices: [{ index: 0, delta, finish_reason }],
    ...more,
  })
  const start = { type: 'message_start', message: { ...whole.message([]), stop_reason: null } }
  const block = { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }
  test.each([
    [chat, event(chunk({ content: 'a' })), 'it does not say how it ended'],
    [chat, event(chunk({ tool_calls: [tool] }, {}, 'stop')), 'it has a member that is not known, tool_calls'],
    [chat, event(chunk({ content: 'a' }, { id: 'd' }), chunk({}, {}, 'stop')), 'its events do not agree on id'],
    [chat, streamAnswer('data: {"id":\n\n'), 'it cannot be read'],
    [anthropic, event(start, start), 'it begins twice'],
    [anthropic, event(start, { type: 'song' }), 'it has an event that is not known'],
    [anthropic, event(start, { type: 'constructor' }), 'it has an event that is not known'],
    [
      anthropic,
      event(start, block, { type: 'content_block_delta', index: 0, delta: { type: 'thinking_delta', thinking: 'a' } }),
      'it has a delta that is not known',
    ],
    [
      gemini,
      event(whole.candidate([{ text: 'a' }], { avgLogprobs: 1 }), whole.candidate([{ text: 'b' }], { avgLogprobs: 2 })),
      'its events do not agree on avgLogprobs',
    ],
    [responses, event({ type: 'response.created', response: {} }), 'it is not completed'],
    [
      responses,
      event({ type: 'response.output_item.done' }, { type: 'response.completed', response: { output: [] } }),
      'its end leaves out items',
    ],
  ] as const)('where of a stream something would be guessed: %#', (wire, stream, why) => {
    expect(formed(wire, stream, { stream: false })).toBe(why)
  })
})

describe('a stream made of a whole answer', () => {
  test('says a long text in pieces, and none of them cuts a character in two', () => {
    const json = whole.chat({ content: `a${'😀'.repeat(2000)}` })
    const text = decoded(made(chat, wholeAnswer(json), { stream: true }))
    const pieces = [...text.matchAll(/"content":"([^"]+)"/g)].map(([, piece = '']) => piece)
    expect(pieces.length).toBeGreaterThan(5)
    expect(pieces.length).toBeLessThanOrEqual(32)
    expect(pieces.every((piece) => piece.isWellFormed())).toBe(true)
  })

  test('has its usage in a chunk of its own for who asked for that or has it hidden, and else with the last choice', () => {
    const chunks = (how: object) =>
      [...decoded(made(chat, wholeAnswer(whole.chat({})), { stream: true, ...how })).matchAll(/^data: (\{.*)$/gm)].map(
        ([, data = '']) => JSON.parse(data) as { choices: unknown[]; usage?: object },
      )
    for (const how of [{ hide_usage: true }, { json: { stream_options: { include_usage: true } } }])
      expect(chunks(how).at(-1)).toMatchObject({ choices: [], usage: { total_tokens: 3 } })
    const last = chunks({}).at(-1)
    expect([last?.choices.length, last?.usage]).toEqual([
      1,
      { prompt_tokens: 1, completion_tokens: 2, total_tokens: 3 },
    ])
  })
})

describe('gemini-generate', () => {
  const json = whole.candidate([{ text: said }])
  test('gives a list where a stream is asked without alt=sse, and either of the two as the other', () => {
    const list = made(gemini, wholeAnswer(json), { stream: true })
    expect(list.content_type).toContain('application/json')
    const events = made(gemini, wholeAnswer(json), SSE)
    expect(JSON.parse(decoded(list)).length).toBeGreaterThan(5)
    expect(decoded(made(gemini, list, SSE))).toBe(decoded(events))
    expect(decoded(made(gemini, events, { stream: true }))).toBe(decoded(list))
    expect(JSON.parse(decoded(made(gemini, list, { stream: false })))).toEqual(json)
  })
})

describe('path and query of calls that differ only in how their answers travel', () => {
  const address = (name: keyof typeof wires, path: string, query: string) => {
    const wire: { forms?: (typeof chat)['forms'] } = wires[name]
    return wire.forms?.address(path, query)
  }
  test('are the same, and those of others are not', () => {
    const gemini = (path: string, query = '') => address('gemini-generate', `/v1beta/models/g:${path}`, query)
    const plain = gemini('generateContent')
    for (const query of ['', '?alt=sse', '?alt=json', '?$alt=sse', '?%24alt=sse'])
      expect(gemini('streamGenerateContent', query)).toBe(plain)
    expect(gemini('streamGenerateContent', '?alt=sse&a=b')).toBe(gemini('generateContent', '?a=b'))
    expect(gemini('streamGenerateContent', '?alt=proto')).not.toBe(plain)
    expect(gemini('countTokens')).not.toBe(plain)
    const vertex = (verb: string) =>
      address('anthropic-messages', `/v1/projects/p/locations/l/publishers/anthropic/models/c:${verb}`, '')
    expect(vertex('streamRawPredict')).toBe(vertex('rawPredict'))
    expect(address('openai-chat', '/v1/chat/completions', '?a=b')).toBe('/v1/chat/completions?a=b')
  })
})
