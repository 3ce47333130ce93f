/** InvokeModel's bodies are each model maker's own; they are told apart by their shape, because an ARN names no maker. */
import type { BodyTags, Part, Reading } from '../../core/wire.ts'
import { cacheTtl as anthropicTtl, promptParts } from '../anthropic/parts.ts'
import { messageTags } from '../anthropic/tags.ts'
import { answersAsked } from '../framing/answers-asked.ts'
import { countOf, largestCount } from '../framing/counts.ts'
import { asList, asRecord, asText, at, type JsonRecord, recordsOf } from '../framing/json.ts'
import { conversationParts, type Message, partsOf, textOf, turnsOf } from '../framing/parts.ts'
import { chatMessages, definitionParts } from '../openai-request.ts'
import { readConverse } from './converse-request.ts'
import { vendorOf } from './model-id.ts'

type Facts = Omit<Reading, 'endpoint' | 'billable' | 'model' | 'stream' | 'edits' | 'hide_usage'>
type Draft = Readonly<{
  parts: readonly Part[]
  turns?: number
  tool_count?: number
  body_tags?: BodyTags
  maximum?: number | undefined
  cache_ttl?: '5m' | '1h' | undefined
  max_output_field?: readonly string[]
}>

const facts = ({ maximum, cache_ttl, body_tags = {}, ...rest }: Draft): Facts => ({
  ...rest,
  body_tags,
  ...(maximum === undefined ? {} : { max_output_tokens: maximum }),
  ...(cache_ttl === undefined ? {} : { cache_ttl }),
})

const turnsIn = (body: JsonRecord): number =>
  recordsOf(body['messages']).filter((message) => message['role'] === 'assistant').length + 1

const anthropic = (body: JsonRecord): Facts =>
  facts({
    parts: promptParts(body),
    turns: turnsIn(body),
    tool_count: asList(body['tools']).length,
    body_tags: messageTags(body['metadata']),
    maximum: countOf(body['max_tokens']),
    max_output_field: ['max_tokens'],
    cache_ttl: anthropicTtl(body),
  })

/** OpenAI's open models, Mistral, Qwen, DeepSeek, AI21. */
const chat = (body: JsonRecord): Facts => {
  const messages = chatMessages(body['messages'])
  return facts({
    parts: [...definitionParts(body, undefined), ...conversationParts(messages)],
    turns: turnsOf(messages),
    tool_count: asList(body['tools']).length,
    maximum: largestCount(body['max_completion_tokens'], body['max_tokens']),
    max_output_field: ['max_tokens'],
  })
}

/** Command: the newest message apart from its history. */
const command = (body: JsonRecord): Facts => {
  const history = recordsOf(body['chat_history']).map(
    (turn): Message => ({ role: turn['role'] === 'CHATBOT' ? 'assistant' : 'user', text: textOf(turn['message']) }),
  )
  const messages: readonly Message[] = [...history, { role: 'user', text: textOf(body['message']) }]
  return facts({
    parts: [...partsOf('system', textOf(body['preamble'])), ...conversationParts(messages)],
    turns: turnsOf(messages),
    tool_count: asList(body['tools']).length,
    maximum: countOf(body['max_tokens']),
  })
}

/** Llama, Titan, older Mistral and Command, embeddings, reranking and images: a text, or texts. */
const plain = (body: JsonRecord): Facts => {
  const texts = [body['prompt'], body['inputText'], body['texts'], at(body, 'textToImageParams', 'text'), body['query']]
  const embedded = at(body, 'singleEmbeddingParams', 'text', 'value')
  const documents = asList(body['documents'])
    .map((document) => textOf(document))
    .join('\n')
  const maximum = largestCount(
    body['max_gen_len'],
    body['max_tokens'],
    at(body, 'textGenerationConfig', 'maxTokenCount'),
  )
  return facts({
    parts: [
      ...partsOf('context', documents),
      ...partsOf(
        'user',
        [...texts, embedded]
          .map((text) => textOf(text))
          .filter(Boolean)
          .join('\n'),
      ),
    ],
    maximum,
  })
}

/** Nova writes its blocks without `type`, as Converse does. */
const isNova = (body: JsonRecord): boolean =>
  'inferenceConfig' in body ||
  'schemaVersion' in body ||
  recordsOf(body['messages']).some((message) => recordsOf(message['content']).some((block) => !('type' in block)))

const readForm = (body: JsonRecord, model: string): Facts => {
  if ('anthropic_version' in body || vendorOf(model) === 'anthropic') return anthropic(body)
  if (asRecord(body['messages']) === undefined && Array.isArray(body['messages']))
    return isNova(body) ? readConverse(body) : chat(body)
  return asText(body['message']) === undefined ? plain(body) : command(body)
}

/** Everything a native body says about the call. */
export const readNative = (body: JsonRecord, model: string): Facts => {
  const found = readForm(body, model)
  const { max_output_tokens: each } = found
  return each === undefined ? found : { ...found, max_output_tokens: each * answersAsked(body) }
}
