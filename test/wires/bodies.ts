/** Bodies of every wire whose prompts levers edit, as clients might write them. */
import fc from 'fast-check'
import type { Block, Change } from '../../src/core/prompt.ts'
import type { Wire } from '../../src/core/wire.ts'
import { wire as anthropic } from '../../src/wires/anthropic-messages.ts'
import { wire as bedrock } from '../../src/wires/bedrock-converse.ts'
import { wire as gemini } from '../../src/wires/gemini-generate.ts'
import { wire as chat } from '../../src/wires/openai-chat.ts'
import { wire as responses } from '../../src/wires/openai-responses.ts'

const text = fc.oneof(
  fc.string({ unit: 'grapheme', maxLength: 12 }),
  fc.constantFrom('', 'a"b\\', 'ünï→😀', '{"a": [1, 2]}', 'line\nline', ' '.repeat(40), '\\"'.repeat(20)),
)
const words = text.filter((value) => value !== '')
export const noise = fc.dictionary(
  fc.constantFrom('x_other', 'metadata', 'seed', 'ü"'),
  fc.jsonValue({ maxDepth: 1 }),
  {
    maxKeys: 3,
    noNullPrototype: true,
  },
)
const some = <T>(value: fc.Arbitrary<T>, maxLength = 4) => fc.array(value, { maxLength })

const schema = { type: 'object', properties: {} }
const names = fc.uniqueArray(fc.constantFrom('find', 'read', 'send', 'stop'), { maxLength: 3 })

const claudeText = fc
  .tuple(words, fc.boolean())
  .map(([said, marked]) => ({ type: 'text', text: said, ...(marked ? { cache_control: { type: 'ephemeral' } } : {}) }))
const claudeResult = fc.tuple(fc.oneof(text, some(claudeText)), fc.nat(9)).map(([content, id]) => ({
  type: 'tool_result',
  tool_use_id: `t${id}`,
  content,
}))
const claudeUse = fc.nat(9).map((id) => ({ type: 'tool_use', id: `t${id}`, name: 'find', input: { q: id } }))
const claudeContent = fc.oneof(
  words,
  some(fc.oneof(claudeText, claudeResult, claudeUse)).filter((list) => list.length > 0),
)
const claudeBody = fc.record(
  {
    model: fc.constant('claude-sonnet-5-5'),
    max_tokens: fc.constant(100),
    system: fc.oneof(words, some(claudeText)),
    tools: names.map((list) => list.map((name) => ({ name, description: 'a "tool"', input_schema: schema }))),
    messages: fc.array(fc.record({ role: fc.constantFrom('user', 'assistant'), content: claudeContent }), {
      minLength: 1,
      maxLength: 5,
    }),
  },
  { requiredKeys: ['model', 'messages'] },
)

const chatItem = fc.oneof(
  words.map((said) => ({ type: 'text', text: said })),
  fc.constant({ type: 'image_url', image_url: { url: 'https://example.org/a.png' } }),
)
const chatMessage = fc.oneof(
  fc.record({ role: fc.constantFrom('user', 'assistant', 'system'), content: fc.oneof(text, some(chatItem)) }),
  fc.record({ role: fc.constant('tool'), tool_call_id: fc.constant('c1'), content: text }),
  fc.constant({
    role: 'assistant',
    content: null,
    tool_calls: [{ id: 'c1', type: 'function', function: { name: 'find', arguments: '{"q":1}' } }],
  }),
)
const chatBody = fc.record(
  {
    model: fc.constantFrom('gpt-5-mini', 'gpt-4o'),
    tools: names.map((list) => list.map((name) => ({ type: 'function', function: { name, parameters: schema } }))),
    messages: fc.array(chatMessage, { minLength: 1, maxLength: 5 }),
    max_tokens: fc.constant(7),
    prompt_cache_options: fc.constantFrom(null, {}, { ttl: '30m' }),
  },
  { requiredKeys: ['model', 'messages'] },
)

const item = fc.oneof(
  fc.record({
    role: fc.constantFrom('user', 'assistant', 'developer'),
    content: fc.oneof(text, some(words.map((said) => ({ type: 'input_text', text: said })))),
  }),
  fc.record({ type: fc.constant('function_call_output'), call_id: fc.constant('c1'), output: text }),
  fc.constant({ type: 'function_call', call_id: 'c1', name: 'find', arguments: '{}' }),
)
const responsesBody = fc.record(
  {
    model: fc.constant('gpt-6-sol'),
    instructions: text,
    tools: names.map((list) => list.map((name) => ({ type: 'function', name, parameters: schema }))),
    input: fc.oneof(text, fc.array(item, { maxLength: 5 })),
  },
  { requiredKeys: ['model', 'input'] },
)

const geminiPart = fc.oneof(
  words.map((said) => ({ text: said })),
  fc.constant({ functionCall: { name: 'find', args: {} } }),
  words.map((said) => ({ text: said, thoughtSignature: 'c2ln' })),
)
const geminiContent = fc.record({ role: fc.constantFrom('user', 'model'), parts: some(geminiPart) })
const geminiBody = fc.record(
  {
    systemInstruction: fc.record({ parts: some(words.map((said) => ({ text: said }))) }),
    tools: names.map((list) => [{ functionDeclarations: list.map((name) => ({ name })) }]),
    contents: fc.array(geminiContent, { minLength: 1, maxLength: 4 }),
    generationConfig: fc.constantFrom({}, { temperature: 0 }, { maxOutputTokens: 5 }),
  },
  { requiredKeys: ['contents'] },
)

const bedrockBlock = fc.oneof(
  words.map((said) => ({ text: said })),
  fc.constant({ cachePoint: { type: 'default' } }),
  fc.constant({ toolUse: { toolUseId: 't1', name: 'find', input: {} } }),
  text.map((said) => ({ toolResult: { toolUseId: 't1', content: [{ text: said }, { json: { a: 1 } }] } })),
)
const bedrockBody = fc.record(
  {
    system: some(words.map((said) => ({ text: said }))),
    toolConfig: names.map((list) => ({
      tools: list.map((name) => ({ toolSpec: { name, inputSchema: { json: schema } } })),
    })),
    messages: fc.array(fc.record({ role: fc.constantFrom('user', 'assistant'), content: some(bedrockBlock) }), {
      minLength: 1,
      maxLength: 4,
    }),
    inferenceConfig: fc.constantFrom({}, { temperature: 0.5 }),
  },
  { requiredKeys: ['messages'] },
)

export const cases: readonly (readonly [string, Wire, string, fc.Arbitrary<object>])[] = [
  ['anthropic-messages', anthropic, '/v1/messages', claudeBody],
  ['openai-chat', chat, '/v1/chat/completions', chatBody],
  ['openai-responses', responses, '/v1/responses', responsesBody],
  ['gemini-generate', gemini, '/v1beta/models/gemini-2.5-flash:generateContent', geminiBody],
  ['bedrock-converse', bedrock, '/model/anthropic.claude-sonnet-5-5-v1:0/converse', bedrockBody],
]

export const indents = fc.constantFrom('', ' ', '\n\t')
/** The body as a client might write it: key order, whitespace, escapes, and a name that is there twice. */
export const written = (body: object, more: object, indent: string, escaped: boolean, twice: boolean): Uint8Array => {
  const whole = JSON.stringify({ ...more, ...body }, null, indent)
  const said = escaped
    ? whole.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
    : whole
  const [first] = Object.keys(body)
  return new TextEncoder().encode(twice ? said.replace('{', `{"${first}": [{"text":"never read"}],`) : said)
}

/** Changes by dice: one of each kind on the blocks that take it. */
export const changesOf = (blocks: readonly Block[], dice: readonly number[], most_marks: number): Change[] => {
  const changes: Change[] = []
  let marks = blocks.filter(({ mark }) => mark !== undefined).length
  blocks.forEach((block, index) => {
    const roll = (dice[index % dice.length] ?? 0) % 5
    if (roll === 0 && block.replaceable) changes.push({ do: 'replace', block: index, text: `new "${index}" ü` })
    if (roll === 1 && block.removable) changes.push({ do: 'remove', block: index })
    if (roll >= 2 && roll < 4 && block.markable && marks < most_marks) {
      marks += 1
      changes.push({ do: 'mark', block: index, ttl: '1h' })
    }
    if (roll === 3 && block.replaceable) changes.push({ do: 'replace', block: index, text: 'x' })
  })
  return changes
}
