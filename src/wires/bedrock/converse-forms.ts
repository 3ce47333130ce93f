import type { Formed } from '../../core/wire.ts'
import { encodeEvent, splitEventStream } from '../framing/event-stream.ts'
import { eventForms, isEmpty, knownOnly, type Losses, only, piecesOf, recordIn } from '../framing/forms.ts'
import { asRecord, asText, at, decode, encode, type JsonRecord, join, named, recordsOf } from '../framing/json.ts'

const BINARY = 'application/vnd.amazon.eventstream'

/** What the last two events of a stream say of an answer, each its own; `p` is padding in every event. */
const stopMembers = new Set(['stopReason', 'additionalModelResponseFields'])
const metadataMembers = new Set(['usage', 'metrics', 'serviceTier', 'performanceConfig', 'trace'])
const wholeMembers = new Set(['output', ...stopMembers, ...metadataMembers])

type Deltas = readonly JsonRecord[]

/** A block of reasoning as its deltas: a text with its signature, or what was sealed. */
const reasoningDeltas = (reasoning: JsonRecord, losses: Losses): Deltas => {
  knownOnly(reasoning, new Set(['reasoningText', 'redactedContent']), losses)
  const { redactedContent, reasoningText } = reasoning
  if (redactedContent !== undefined) return [{ reasoningContent: { redactedContent } }]
  const said = asRecord(reasoningText) ?? {}
  knownOnly(said, new Set(['text', 'signature']), losses)
  const texts = piecesOf(asText(said['text']) ?? '').map((text) => ({ reasoningContent: { text } }))
  const { signature } = said
  return isEmpty(signature) ? texts : [...texts, { reasoningContent: { signature } }]
}

const deltasOf = (block: JsonRecord, losses: Losses): Deltas => {
  knownOnly(block, new Set(['text', 'reasoningContent']), losses)
  const reasoning = asRecord(block['reasoningContent'])
  if (reasoning) return reasoningDeltas(reasoning, losses)
  return piecesOf(asText(block['text']) ?? '').map((text) => ({ text }))
}

type Event = readonly [type: string, payload: JsonRecord]

const frame = ([type, payload]: Event): Uint8Array => {
  const headers = { ':event-type': type, ':content-type': 'application/json', ':message-type': 'event' }
  return encodeEvent(headers, encode(JSON.stringify(payload)))
}

const streamed = (answer: JsonRecord, _: unknown, losses: Losses): Formed => {
  knownOnly(answer, wholeMembers, losses)
  const message = asRecord(at(answer, 'output', 'message')) ?? {}
  knownOnly(message, new Set(['role', 'content']), losses)
  const blocks = recordsOf(message['content']).flatMap((block, contentBlockIndex): Event[] => [
    ...deltasOf(block, losses).map((delta): Event => ['contentBlockDelta', { contentBlockIndex, delta }]),
    ['contentBlockStop', { contentBlockIndex }],
  ])
  const events: readonly Event[] = [
    ['messageStart', { role: message['role'] }],
    ...blocks,
    ['messageStop', only(answer, stopMembers)],
    ['metadata', only(answer, metadataMembers)],
  ]
  return { body: join(events.map(frame)), content_type: BINARY }
}

/** The events of a binary stream, each with its `type`. */
const read = ({ body }: Formed, losses: Losses): readonly JsonRecord[] => {
  const events: JsonRecord[] = []
  const splitter = splitEventStream()
  splitter.push(body, (message) => {
    if (message?.headers[':message-type'] !== 'event') return losses.lose('it cannot be read')
    const { p: _, ...payload } = recordIn(decode(message.payload), losses)
    events.push({ ...payload, type: message.headers[':event-type'] })
  })
  if (splitter.held_bytes > 0) losses.lose('it cannot be read')
  return events
}

type Gathered = { role: unknown; blocks: Map<unknown, JsonRecord>; rest: JsonRecord }

/** A block with what a delta adds to it. Deltas of one block are all of its kind. */
const added = (block: JsonRecord, delta: JsonRecord, losses: Losses): JsonRecord => {
  knownOnly(delta, new Set(['text', 'reasoningContent']), losses)
  const reasoning = asRecord(delta['reasoningContent'])
  if (!reasoning) return { ...block, text: `${block['text'] ?? ''}${asText(delta['text']) ?? ''}` }
  knownOnly(reasoning, new Set(['text', 'signature', 'redactedContent']), losses)
  const before = asRecord(block['reasoningContent']) ?? {}
  const { redactedContent, signature, text } = reasoning
  if (redactedContent !== undefined) {
    if (!isEmpty(before)) losses.lose('its reasoning is sealed in pieces')
    return { reasoningContent: { redactedContent } }
  }
  const said = asRecord(before['reasoningText']) ?? {}
  const whole = `${said['text'] ?? ''}${asText(text) ?? ''}`
  return {
    ...block,
    reasoningContent: { reasoningText: { ...said, text: whole, ...(isEmpty(signature) ? {} : { signature }) } },
  }
}

type Handle = (event: JsonRecord, gathered: Gathered, losses: Losses) => void
const handlers: Readonly<Record<string, Handle>> = {
  messageStart({ role }, gathered) {
    gathered.role = role
  },
  contentBlockDelta({ contentBlockIndex, delta }, { blocks }, losses) {
    blocks.set(contentBlockIndex, added(blocks.get(contentBlockIndex) ?? {}, asRecord(delta) ?? {}, losses))
  },
  contentBlockStop: () => {},
  messageStop({ type: _, ...said }, gathered, losses) {
    knownOnly(said, stopMembers, losses)
    gathered.rest = { ...gathered.rest, ...said }
  },
  metadata({ type: _, ...said }, gathered, losses) {
    knownOnly(said, metadataMembers, losses)
    gathered.rest = { ...gathered.rest, ...said }
  },
}

const whole = (events: readonly JsonRecord[], losses: Losses): JsonRecord => {
  const gathered: Gathered = { role: undefined, blocks: new Map(), rest: {} }
  for (const event of events) {
    const handle = named(handlers, event['type'])
    if (handle) handle(event, gathered, losses)
    else losses.lose('it has an event that is not known')
  }
  const { role, blocks, rest } = gathered
  for (const block of blocks.values()) if (Object.keys(block).length > 1) losses.lose('a block of it is of two kinds')
  if (isEmpty(rest['stopReason'])) losses.lose('it does not say how it ended')
  return { output: { message: { role, content: [...blocks.values()] } }, ...rest }
}

/** Converse and ConverseStream; the path says which is asked (https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_ConverseStream.html). */
export const converseForms = eventForms({
  streamed,
  whole,
  read,
  isStream: ({ content_type }) => content_type.includes('eventstream'),
  address: (path, query) => path.replace(/\/converse-stream$/, '/converse') + query,
})
