import type { Part, PartKind } from '../../core/wire.ts'
import { asList, asRecord, asText, type JsonRecord } from './json.ts'

/** Fields of a content block that hold text the model reads. Media are not text and are not counted as such. */
const textFields = ['text', 'input_text', 'output_text', 'content', 'output', 'arguments', 'thinking', 'summary']

/**
 * The text of a message's content: a string, a block, or a list of blocks, nested as deep as APIs do. Image, audio and
 * file data are left out.
 */
export const textOf = (content: unknown, depth = 4): string => {
  if (typeof content === 'string') return content
  if (depth === 0) return ''
  if (Array.isArray(content)) return joined(content.map((block) => textOf(block, depth - 1)))
  const block = asRecord(content)
  if (!block) return ''
  return joined(textFields.map((name) => (name in block ? textOf(block[name], depth - 1) : '')))
}

const joined = (texts: readonly string[]): string => texts.filter((text) => text !== '').join('\n')

/** Context that callers put into a prompt between tags, e.g. `<documents>…</documents>`. */
const retrieved = /<(context|documents?|search_results|sources|retrieved[\w-]*|knowledge)\b[^>]*>[\s\S]*?<\/\1>/g

/** Splits the newest user text into retrieved context (between tags as above) and the question itself. */
export const userParts = (text: string): readonly Part[] => {
  if (!text.includes('</')) return partsOf('user', text)
  const context = text.match(retrieved) ?? []
  return [...partsOf('context', context.join('\n')), ...partsOf('user', text.replace(retrieved, '').trim())]
}

/** One part, or none when there is no text. */
export const partsOf = (kind: PartKind, text: string): readonly Part[] => (text === '' ? [] : [{ kind, text }])

/** Definitions of tools as the text that the model is given, more or less: their JSON. */
export const toolParts = (tools: unknown): readonly Part[] =>
  asList(tools).length === 0 && !asRecord(tools) ? [] : [{ kind: 'tools', text: JSON.stringify(tools) }]

/** A message reduced to what its part depends on. */
export type Message = Readonly<{
  role: 'system' | 'user' | 'assistant' | 'tool'
  text: string
  /** Marked as a worked example (`name: example_user`). */
  example?: boolean
}>

/**
 * Parts of a conversation: system texts; messages marked as examples; everything up to and with the last assistant
 * message is history; after it, tool results are context and user messages the user's own words.
 */
export const conversationParts = (messages: readonly Message[]): readonly Part[] => {
  const last = messages.findLastIndex((message) => message.role === 'assistant')
  return messages.flatMap((message, index): readonly Part[] => {
    if (message.role === 'system') return partsOf(message.example ? 'examples' : 'system', message.text)
    if (message.example) return partsOf('examples', message.text)
    if (index <= last) return partsOf('history', message.text)
    return message.role === 'tool' ? partsOf('context', message.text) : userParts(message.text)
  })
}

/** Which answer of the conversation this call asks for: one more than the model has given so far. */
export const turnsOf = (messages: readonly Message[]): number =>
  messages.filter((message) => message.role === 'assistant' && !message.example).length + 1

/** Is this message a worked example? OpenAI's convention is a `name` that begins with `example`. */
export const isExample = (message: JsonRecord): boolean => asText(message['name'])?.startsWith('example') ?? false
