import { asEvents, eventForms, isEmpty, knownOnly, type Losses, piecesOf } from '../framing/forms.ts'
import { asList, asRecord, asText, type JsonRecord, named, over, recordsOf } from '../framing/json.ts'

/** What is said of a message at its start, and what at its end. */
const beginnings = ['id', 'type', 'role', 'model', 'content', 'usage', 'diagnostics']
const endings = ['stop_reason', 'stop_sequence', 'stop_details', 'container']
const messageMembers = new Set([...beginnings, ...endings, 'context_management'])
const deltaMembers = new Set(endings)
const deltaEventMembers = new Set(['type', 'delta', 'usage', 'context_management'])

/** Blocks that are known, with their members. Calls of tools, by whom ever, are not given again. */
const blockMembers: Readonly<Record<string, ReadonlySet<string>>> = {
  text: new Set(['type', 'text', 'citations']),
  thinking: new Set(['type', 'thinking', 'signature']),
  redacted_thinking: new Set(['type', 'data']),
}

const checkBlock = (block: JsonRecord, losses: Losses): void => {
  const members = named(blockMembers, block['type'])
  if (members) knownOnly(block, members, losses)
  else losses.lose('it has a block that is not known')
}

/** A block as it starts, and what follows. */
const begun = (block: JsonRecord): readonly [start: JsonRecord, deltas: readonly JsonRecord[]] => {
  const { type } = block
  if (type === 'thinking') {
    const written = piecesOf(asText(block['thinking']) ?? '').map((thinking) => ({ type: 'thinking_delta', thinking }))
    const { signature } = block
    return [
      { ...block, thinking: '', signature: '' },
      isEmpty(signature) ? written : [...written, { type: 'signature_delta', signature }],
    ]
  }
  if (type !== 'text') return [block, []]
  const citations = asList(block['citations'])
  const cited = citations.map((citation) => ({ type: 'citations_delta', citation }))
  const written = piecesOf(asText(block['text']) ?? '').map((text) => ({ type: 'text_delta', text }))
  return [{ ...block, text: '', ...(cited.length > 0 ? { citations: [] } : {}) }, [...cited, ...written]]
}

const blockEvents = (block: JsonRecord, index: number): readonly JsonRecord[] => {
  const [content_block, deltas] = begun(block)
  return [
    { type: 'content_block_start', index, content_block },
    ...deltas.map((delta) => ({ type: 'content_block_delta', index, delta })),
    { type: 'content_block_stop', index },
  ]
}

const streamed = (message: JsonRecord, _: unknown, losses: Losses) => {
  knownOnly(message, messageMembers, losses)
  const blocks = recordsOf(message['content'])
  for (const block of blocks) checkBlock(block, losses)
  const { usage, stop_reason, stop_sequence = null, context_management, ...rest } = message
  const { stop_details, container, ...start } = rest
  // The counts of the end take the place of those of the start, so all of it stands in both but for what was written by then.
  const opened = {
    ...start,
    content: [],
    stop_reason: null,
    stop_sequence: null,
    usage: { ...asRecord(usage), output_tokens: 0 },
  }
  const ended = {
    type: 'message_delta',
    delta: {
      stop_reason,
      stop_sequence,
      ...(stop_details === undefined ? {} : { stop_details }),
      ...(container === undefined ? {} : { container }),
    },
    usage,
    ...(context_management === undefined ? {} : { context_management }),
  }
  const events = [
    { type: 'message_start', message: opened },
    ...blocks.flatMap(blockEvents),
    ended,
    { type: 'message_stop' },
  ]
  return asEvents(events, { named: true })
}

type Addition = Readonly<{ to: string; add(block: JsonRecord, delta: JsonRecord): JsonRecord }>

/** What deltas do, and to blocks of which type. */
const additions: Readonly<Record<string, Addition>> = {
  text_delta: { to: 'text', add: (block, { text }) => ({ ...block, text: `${block['text'] ?? ''}${text}` }) },
  thinking_delta: {
    to: 'thinking',
    add: (block, { thinking }) => ({ ...block, thinking: `${block['thinking'] ?? ''}${thinking}` }),
  },
  signature_delta: { to: 'thinking', add: (block, { signature }) => ({ ...block, signature }) },
  citations_delta: {
    to: 'text',
    add: (block, { citation }) => ({ ...block, citations: [...asList(block['citations']), citation] }),
  },
}

type Gathered = { start: JsonRecord | undefined; end: JsonRecord; usage: JsonRecord; blocks: Map<unknown, JsonRecord> }

const onDelta = (event: JsonRecord, { blocks }: Gathered, losses: Losses): void => {
  const delta = asRecord(event['delta']) ?? {}
  const block = blocks.get(event['index'])
  const addition = named(additions, delta['type'])
  if (block && addition && addition.to === block['type']) blocks.set(event['index'], addition.add(block, delta))
  else losses.lose('it has a delta that is not known')
}

const handlers: Readonly<Record<string, (event: JsonRecord, gathered: Gathered, losses: Losses) => void>> = {
  ping: () => {},
  message_start(event, gathered, losses) {
    if (gathered.start) losses.lose('it begins twice')
    const message = asRecord(event['message']) ?? {}
    knownOnly(message, messageMembers, losses)
    if (!isEmpty(message['content'])) losses.lose('it begins in the middle')
    gathered.start = message
    gathered.usage = over({}, message['usage'])
  },
  content_block_start(event, { blocks }, losses) {
    if (blocks.has(event['index'])) losses.lose('a block of it begins twice')
    blocks.set(event['index'], asRecord(event['content_block']) ?? {})
  },
  content_block_delta: onDelta,
  content_block_stop: () => {},
  message_delta(event, gathered, losses) {
    knownOnly(event, deltaEventMembers, losses)
    const delta = asRecord(event['delta']) ?? {}
    knownOnly(delta, deltaMembers, losses)
    const { context_management } = event
    gathered.end = { ...gathered.end, ...delta, ...(context_management === undefined ? {} : { context_management }) }
    gathered.usage = over(gathered.usage, event['usage'])
  },
  message_stop: () => {},
}

const whole = (events: readonly JsonRecord[], losses: Losses): JsonRecord => {
  const gathered: Gathered = { start: undefined, end: {}, usage: {}, blocks: new Map() }
  for (const event of events) {
    const handle = named(handlers, event['type'])
    if (handle) handle(event, gathered, losses)
    else losses.lose('it has an event that is not known')
  }
  const content = [...gathered.blocks.values()]
  for (const block of content) checkBlock(block, losses)
  return { ...gathered.start, content, ...gathered.end, usage: gathered.usage }
}

const plainAddress = (path: string, query: string): string => path.replace(/:streamRawPredict$/, ':rawPredict') + query

/** Messages, at Anthropic and on Vertex AI, where the path says which form is asked (https://docs.claude.com/en/docs/build-with-claude/streaming). */
export const messageForms = eventForms({ streamed, whole, address: plainAddress })
