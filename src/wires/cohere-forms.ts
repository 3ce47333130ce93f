import { asEvents, eventForms, isEmpty, knownOnly, type Losses, piecesOf } from './framing/forms.ts'
import { asList, asRecord, asText, at, type JsonRecord, named, recordsOf } from './framing/json.ts'

const wholeMembers = new Set(['id', 'message', 'finish_reason', 'usage'])
const messageMembers = new Set(['role', 'content', 'citations'])
/** What a block of each type has besides its type. */
const texts: Readonly<Record<string, string>> = { text: 'text', thinking: 'thinking' }

const textName = (block: JsonRecord, losses: Losses): string => {
  const name = named(texts, block['type'])
  if (name === undefined) losses.lose('it has a block that is not known')
  knownOnly(block, new Set(['type', name ?? 'type']), losses)
  return name ?? 'text'
}

const inMessage = (type: string, index: number, message: JsonRecord): JsonRecord => ({
  type,
  index,
  delta: { message },
})

const blockEvents = (block: JsonRecord, index: number, losses: Losses): readonly JsonRecord[] => {
  const name = textName(block, losses)
  return [
    inMessage('content-start', index, { content: { ...block, [name]: '' } }),
    ...piecesOf(asText(block[name]) ?? '').map((piece) =>
      inMessage('content-delta', index, { content: { [name]: piece } }),
    ),
    { type: 'content-end', index },
  ]
}

const citationEvents = (citations: JsonRecord, index: number): readonly JsonRecord[] => [
  inMessage('citation-start', index, { citations }),
  { type: 'citation-end', index },
]

const streamed = (answer: JsonRecord, _: unknown, losses: Losses) => {
  knownOnly(answer, wholeMembers, losses)
  const { id, finish_reason, usage } = answer
  const message = asRecord(answer['message']) ?? {}
  knownOnly(message, messageMembers, losses)
  const { role } = message
  const begun = { role, content: [], tool_plan: '', tool_calls: [], citations: [] }
  return asEvents(
    [
      { id, type: 'message-start', delta: { message: begun } },
      ...recordsOf(message['content']).flatMap((block, index) => blockEvents(block, index, losses)),
      ...recordsOf(message['citations']).flatMap(citationEvents),
      { type: 'message-end', delta: { finish_reason, usage } },
    ],
    { named: true },
  )
}

type Gathered = { id: unknown; role: unknown; end: JsonRecord; blocks: JsonRecord[]; citations: unknown[] }
type Handle = (event: JsonRecord, gathered: Gathered, losses: Losses) => void

const handlers: Readonly<Record<string, Handle>> = {
  'message-start'(event, gathered, losses) {
    const message = asRecord(at(event, 'delta', 'message')) ?? {}
    knownOnly(message, new Set(['role']), losses)
    gathered.id = event['id']
    gathered.role = message['role']
  },
  'content-start'(event, { blocks }) {
    blocks.push(asRecord(at(event, 'delta', 'message', 'content')) ?? {})
  },
  'content-delta'(event, { blocks }, losses) {
    const block = blocks.pop() ?? {}
    const name = textName(block, losses)
    const content = asRecord(at(event, 'delta', 'message', 'content')) ?? {}
    knownOnly(content, new Set([name]), losses)
    blocks.push({ ...block, [name]: `${block[name] ?? ''}${asText(content[name]) ?? ''}` })
  },
  'content-end': () => {},
  'citation-start'(event, { citations }) {
    citations.push(at(event, 'delta', 'message', 'citations'))
  },
  'citation-end': () => {},
  'message-end'(event, gathered) {
    gathered.end = asRecord(event['delta']) ?? {}
  },
}

const whole = (events: readonly JsonRecord[], losses: Losses): JsonRecord => {
  const gathered: Gathered = { id: undefined, role: undefined, end: {}, blocks: [], citations: [] }
  for (const event of events) {
    const handle = named(handlers, event['type'])
    if (handle) handle(event, gathered, losses)
    else losses.lose('it has an event that is not known')
  }
  const { id, role, end, blocks, citations } = gathered
  knownOnly(end, new Set(['finish_reason', 'usage']), losses)
  if (isEmpty(end['finish_reason'])) losses.lose('it does not say how it ended')
  for (const block of blocks) textName(block, losses)
  const cited = asList(citations).length > 0 ? { citations } : {}
  return { id, message: { role, content: blocks, ...cited }, ...end }
}

/** Cohere's chat, version 2 (https://docs.cohere.com/reference/chat-stream); of version 1 nothing is known here. */
export const cohereForms = eventForms({ streamed, whole })
