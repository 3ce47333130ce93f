/** Whole answers of every wire that knows both forms, as providers give them. */
import fc from 'fast-check'
import type { Wire } from '../../src/core/wire.ts'
import { wire as anthropic } from '../../src/wires/anthropic-messages.ts'
import { wire as converse } from '../../src/wires/bedrock-converse.ts'
import { wire as cohere } from '../../src/wires/cohere-chat.ts'
import { wire as gemini } from '../../src/wires/gemini-generate.ts'
import { wire as chat } from '../../src/wires/openai-chat.ts'
import { wire as completions } from '../../src/wires/openai-completions.ts'
import { wire as responses } from '../../src/wires/openai-responses.ts'

const words = fc.oneof(
  fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 }),
  fc.constantFrom('a"b\\', 'ünï→😀', '{"a": [1, 2]}', 'line\nline\r\n\u2028', 'data: [DONE]', '\n\n'),
  // Longer than a piece, with pairs of units that must stay together.
  fc
    .tuple(fc.string({ unit: 'grapheme', maxLength: 3 }), fc.nat(900))
    .map(([odd, size]) => `${odd}x😀`.repeat(size + 1)),
)
const text = fc.oneof(words, fc.constant(''))
const id = fc.nat(1e6).map((number) => `id_${number}`)
const count = fc.nat(1e5)
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })
const some = <T>(value: fc.Arbitrary<T>, minLength = 0, maxLength = 3) => fc.array(value, { minLength, maxLength })
/** Without the members that are undefined: JSON has none such. */
const json = <T>(value: fc.Arbitrary<T>) => value.map((made) => JSON.parse(JSON.stringify(made)) as object)

const chance = fc.record({ token: words, logprob: fc.constantFrom(-0.25, -1.5e-7), bytes: fc.constant([104, 105]) })
const usage = fc.record({ prompt_tokens: count, completion_tokens: count, total_tokens: count })

const chatChoice = fc.record({
  message: fc.record({
    role: fc.constant('assistant'),
    content: fc.oneof(text, fc.constant(null)),
    reasoning_content: maybe(words),
    refusal: fc.constant(null),
  }),
  logprobs: fc.oneof(fc.constant(null), fc.record({ content: some(chance, 1), refusal: fc.constant(null) })),
  finish_reason: fc.constantFrom('stop', 'length'),
  native_finish_reason: maybe(fc.constant('STOP')),
})
const numbered = <T extends object>(choice: fc.Arbitrary<T>) =>
  some(choice, 1).map((choices) => choices.map((one, index) => ({ index, ...one })))

const openaiChat = fc.record({
  id,
  object: fc.constant('chat.completion'),
  created: fc.constant(1_795_000_000),
  model: fc.constant('gpt-4o-mini'),
  service_tier: maybe(fc.constant('default')),
  system_fingerprint: fc.constantFrom('fp_1', null),
  provider: maybe(fc.constant('OpenAI')),
  choices: numbered(chatChoice),
  usage,
})

const legacyLogprobs = fc.record({
  tokens: some(words, 1),
  token_logprobs: some(fc.constant(-0.5), 1),
  top_logprobs: fc.constant(null),
  text_offset: some(count, 1),
})
const openaiCompletions = fc.record({
  id,
  object: fc.constant('text_completion'),
  created: fc.constant(1_795_000_000),
  model: fc.constant('gpt-3.5-turbo-instruct'),
  choices: numbered(
    fc.record({
      text,
      logprobs: fc.oneof(fc.constant(null), legacyLogprobs),
      finish_reason: fc.constantFrom('stop', 'length'),
    }),
  ),
  usage,
})

const citation = fc.record({ type: fc.constant('char_location'), cited_text: words, document_index: count })
const block = fc.oneof(
  fc.record({ type: fc.constant('text'), text: words, citations: maybe(some(citation, 1)) }),
  fc.record({ type: fc.constant('thinking'), thinking: text, signature: words }),
  fc.record({ type: fc.constant('redacted_thinking'), data: words }),
)
const anthropicMessages = fc.record({
  id,
  type: fc.constant('message'),
  role: fc.constant('assistant'),
  model: fc.constant('claude-sonnet-5-5'),
  content: some(block),
  stop_reason: fc.constantFrom('end_turn', 'stop_sequence'),
  stop_sequence: fc.constantFrom(null, 'END'),
  container: maybe(fc.constant({ id: 'container_1', expires_at: '2026-11-28T00:00:00Z' })),
  usage: fc.record({
    input_tokens: count,
    cache_creation_input_tokens: count,
    cache_read_input_tokens: count,
    cache_creation: maybe(fc.record({ ephemeral_5m_input_tokens: count, ephemeral_1h_input_tokens: count })),
    output_tokens: count,
    service_tier: fc.constant('standard'),
  }),
})

const outputText = fc.record({
  type: fc.constant('output_text'),
  text: words,
  annotations: some(fc.record({ type: fc.constant('url_citation'), url: words, start_index: count })),
  logprobs: maybe(some(chance.map((one) => ({ ...one, top_logprobs: [one] })))),
})
const item = fc.oneof(
  fc.record({
    id,
    type: fc.constant('message'),
    role: fc.constant('assistant'),
    status: fc.constant('completed'),
    content: some(outputText),
  }),
  fc.record({
    id,
    type: fc.constant('reasoning'),
    summary: some(fc.record({ type: fc.constant('summary_text'), text: words })),
    content: maybe(some(fc.record({ type: fc.constant('reasoning_text'), text: words }))),
    encrypted_content: maybe(words),
  }),
)
const openaiResponses = fc.record({
  id,
  object: fc.constant('response'),
  created_at: fc.constant(1_795_000_000),
  completed_at: maybe(fc.constant(1_795_000_001)),
  status: fc.constant('completed'),
  model: fc.constant('gpt-4o-mini'),
  output: some(item, 1),
  usage: fc.record({ input_tokens: count, output_tokens: count, total_tokens: count }),
  some_day: maybe(fc.constant({ more: 1 })),
})

/** Neighbours that are plain text come as one part. */
const part = fc.oneof(
  fc.record({ text: words, thoughtSignature: words }),
  fc.record({ text: words, thought: fc.constant(true), thoughtSignature: words }),
  fc.record({ executableCode: fc.record({ language: fc.constant('PYTHON'), code: words }) }),
)
const parts = fc.tuple(maybe(words), some(part)).map(([said, more]) => [...more, ...(said ? [{ text: said }] : [])])
const geminiGenerate = fc.record({
  candidates: some(
    fc.record({
      content: parts.map((all) => ({ ...(all.length > 0 ? { parts: all } : {}), role: 'model' })),
      finishReason: fc.constant('STOP'),
      avgLogprobs: maybe(fc.constant(-0.125)),
      groundingMetadata: maybe(fc.constant({ webSearchQueries: ['weirs'] })),
    }),
    1,
  ).map((all) => all.map((one, index) => (all.length > 1 ? { index, ...one } : one))),
  usageMetadata: fc.record({ promptTokenCount: count, candidatesTokenCount: count, totalTokenCount: count }),
  modelVersion: fc.constant('gemini-2.5-flash'),
  responseId: id,
  createTime: maybe(fc.constant('2026-11-28T00:00:00Z')),
})

const bedrockConverse = fc.record({
  output: fc.record({
    message: fc.record({
      role: fc.constant('assistant'),
      content: some(
        fc.oneof(
          fc.record({ text: words }),
          fc
            .record({ text: words, signature: maybe(words) })
            .map((reasoningText) => ({ reasoningContent: { reasoningText } })),
          words.map((redactedContent) => ({ reasoningContent: { redactedContent } })),
        ),
      ),
    }),
  }),
  stopReason: fc.constant('end_turn'),
  usage: fc.record({ inputTokens: count, outputTokens: count }),
  metrics: fc.record({ latencyMs: count }),
  serviceTier: maybe(fc.constant({ type: 'flex' })),
})

const cohereChat = fc.record({
  id,
  message: fc.record({
    role: fc.constant('assistant'),
    content: some(
      fc.oneof(
        fc.record({ type: fc.constant('text'), text: words }),
        fc.record({ type: fc.constant('thinking'), thinking: words }),
      ),
    ),
    citations: maybe(some(fc.record({ start: count, end: count, text: words }), 1)),
  }),
  finish_reason: fc.constant('COMPLETE'),
  usage: fc.record({ billed_units: fc.record({ input_tokens: count, output_tokens: count }) }),
})

export type Case = readonly [name: string, wire: Wire, path: string, answers: fc.Arbitrary<object>]

export const cases: readonly Case[] = [
  ['openai-chat', chat, '/v1/chat/completions', json(openaiChat)],
  ['openai-completions', completions, '/v1/completions', json(openaiCompletions)],
  ['openai-responses', responses, '/v1/responses', json(openaiResponses)],
  ['anthropic-messages', anthropic, '/v1/messages', json(anthropicMessages)],
  ['bedrock-converse', converse, '/model/anthropic.claude-sonnet-5-5-v1:0/converse', json(bedrockConverse)],
  ['cohere-chat', cohere, '/v2/chat', json(cohereChat)],
  ['gemini-generate', gemini, '/v1beta/models/gemini-2.5-flash:generateContent', json(geminiGenerate)],
]
