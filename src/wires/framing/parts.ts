import type { PartKind } from '../../core/prompt.ts'
import type { Part } from '../../core/wire.ts'
import { asList, asRecord, asText, at, type JsonRecord, jsonText } from './json.ts'

/** Characters sampled from each of four places of binary data: enough to tell one image from another. */
const SAMPLE = 16

/** Stands for data that is no text: what it is, how long, and a sample of it, so that another image is another part. */
export const mediaText = (type: string, data: string): string => {
  const places = [0, data.length >> 2, data.length >> 1, data.length - SAMPLE]
  return `[${type} ${data.length} ${places.map((place) => data.slice(Math.max(0, place), place + SAMPLE)).join(' ')}]`
}

/** Fields of a content block that hold text the model reads. */
const textFields = ['text', 'input_text', 'output_text', 'content', 'output', 'arguments', 'thinking', 'summary']

/** Fields of a content block that hold a picture, a recording or a file: its data, its address or its id. */
const mediaFields = ['image_url', 'input_audio', 'file', 'file_data', 'file_url', 'file_id']

/** What stands for a block's media, as OpenAI's APIs and those that speak like them have them. */
const mediaIn = (block: JsonRecord, name: string): string => {
  const media = block[name]
  const data = asText(media) ?? ['url', 'data', ...mediaFields].map((field) => asText(at(media, field))).find(Boolean)
  return data === undefined ? '' : mediaText(name, data)
}

/**
 * The text of a message's content: a string, a block, or a list of blocks, nested as deep as APIs do. Image, audio and file data are
 * not text: something short stands for each (`mediaText`).
 */
export const textOf = (content: unknown, depth = 4): string => {
  if (typeof content === 'string') return content
  if (depth === 0) return ''
  if (Array.isArray(content)) return joined(content.map((block) => textOf(block, depth - 1)))
  const block = asRecord(content)
  if (!block) return ''
  const text = joined(textFields.map((name) => (name in block ? textOf(block[name], depth - 1) : '')))
  return text === '' ? joined(mediaFields.map((name) => (name in block ? mediaIn(block, name) : ''))) : text
}

const joined = (texts: readonly string[]): string => texts.filter((text) => text !== '').join('\n')

/** The start of retrieved text that callers put into a prompt between tags, e.g. `<documents>…</documents>`. */
const retrieved = /<(context|documents?|search_results|sources|retrieved[\w-]*|knowledge)\b[^<>]*>/g

/** Tags without an end that are tried before a text counts as untagged: each costs a search through all that follows. */
const MOST_UNCLOSED = 32

/** Is more than half of a text between tags that begin with `opening` (a global pattern whose first group is the name)? */
export const isMostly = (opening: RegExp, text: string): boolean => {
  if (!text.includes('</')) return false
  let covered = 0
  let unclosed = 0
  opening.lastIndex = 0
  for (let match = opening.exec(text); match && unclosed < MOST_UNCLOSED; match = opening.exec(text)) {
    const end = `</${match[1]}>`
    const found = text.indexOf(end, opening.lastIndex)
    if (found < 0) unclosed += 1
    else {
      opening.lastIndex = found + end.length
      covered += opening.lastIndex - match.index
    }
  }
  return covered * 2 > text.length
}

/** Is a text mostly what was retrieved for the question, rather than the question? */
export const isRetrieved = (text: string): boolean => isMostly(retrieved, text)

/** The newest user text as one part: the user's own, or context. It is never divided, so that its prefix hashes alike a turn later. */
export const userParts = (text: string): readonly Part[] => partsOf(isRetrieved(text) ? 'context' : 'user', text)

/** One part, or none when there is no text. */
export const partsOf = (kind: PartKind, text: string): readonly Part[] => (text === '' ? [] : [{ kind, text }])

/** Definitions of tools as the text that the model is given, more or less: their JSON. */
export const toolParts = (tools: unknown): readonly Part[] =>
  asList(tools).length === 0 && !asRecord(tools) ? [] : [{ kind: 'tools', text: jsonText(tools) }]

/** A message reduced to what its part depends on. */
export type Message = Readonly<{
  role: 'system' | 'user' | 'assistant' | 'tool'
  text: string
  /** Marked as a worked example (`name: example_user`). */
  example?: boolean
}>

/**
 * Parts of a conversation: system texts; messages marked as examples; everything up to and with the last assistant
 * message is history; after it, tool results and retrieved texts are context and user messages the user's own words.
 */
export const conversationParts = (messages: readonly Message[]): readonly Part[] => {
  const last = messages.findLastIndex((message) => message.role === 'assistant')
  const parts: Part[] = []
  for (let index = 0; index < messages.length; index++) {
    const message = messages[index]
    if (message && message.text !== '') parts.push({ kind: kindOf(message, index <= last), text: message.text })
  }
  return parts
}

const kindOf = ({ role, example, text }: Message, answered: boolean): PartKind => {
  if (example) return 'examples'
  if (role === 'system') return 'system'
  if (answered) return 'history'
  return role === 'tool' || isRetrieved(text) ? 'context' : 'user'
}

/** Which answer of the conversation this call asks for: one more than the model has given so far. */
export const turnsOf = (messages: readonly Message[]): number =>
  messages.filter((message) => message.role === 'assistant' && !message.example).length + 1

/** Is this message a worked example? OpenAI's convention is a `name` that begins with `example`. */
export const isExample = (message: JsonRecord): boolean => asText(message['name'])?.startsWith('example') ?? false
