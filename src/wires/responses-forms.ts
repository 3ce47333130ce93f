import { asEvents, eventForms, isEmpty, knownOnly, type Losses, piecesOf } from './framing/forms.ts'
import { asList, asRecord, asText, type JsonRecord, recordsOf } from './framing/json.ts'

const messageMembers = new Set(['id', 'type', 'role', 'status', 'content', 'phase'])
const textMembers = new Set(['type', 'text', 'annotations', 'logprobs'])
const reasoningMembers = new Set(['id', 'type', 'status', 'summary', 'content', 'encrypted_content'])
const reasoningTextMembers = new Set(['type', 'text'])

const textOf = (part: JsonRecord): string => asText(part['text']) ?? ''

/** Events say of a token's probability less than the whole does: not its bytes. */
const withoutBytes = (logprob: unknown): JsonRecord => {
  const { bytes: _, top_logprobs, ...rest } = asRecord(logprob) ?? {}
  return Array.isArray(top_logprobs) ? { ...rest, top_logprobs: top_logprobs.map(withoutBytes) } : rest
}

type At = Readonly<{ item_id: unknown; output_index: number }>
type Texts = Readonly<{ type: string; members: ReadonlySet<string>; event: string }>

const outputText: Texts = { type: 'output_text', members: textMembers, event: 'response.output_text' }
const reasoningText: Texts = { type: 'reasoning_text', members: reasoningTextMembers, event: 'response.reasoning_text' }

/** A part of an item's content, from its beginning to its end. */
const partEvents = (
  part: JsonRecord,
  at: At & { content_index: number },
  texts: Texts,
  losses: Losses,
): JsonRecord[] => {
  if (part['type'] !== texts.type) losses.lose('it has a part that is not known')
  knownOnly(part, texts.members, losses)
  const text = textOf(part)
  const annotations = asList(part['annotations'])
  const logprobs = asList(part['logprobs']).map(withoutBytes)
  const spoken = 'annotations' in part || 'logprobs' in part ? { logprobs } : {}
  const begun = {
    ...part,
    text: '',
    ...('annotations' in part ? { annotations: [] } : {}),
    ...('logprobs' in part ? { logprobs: [] } : {}),
  }
  const pieces = logprobs.length > 0 ? [text] : piecesOf(text)
  return [
    { type: 'response.content_part.added', ...at, part: begun },
    ...pieces.map((delta) => ({ type: `${texts.event}.delta`, ...at, delta, ...spoken })),
    ...annotations.map((annotation, annotation_index) => ({
      type: 'response.output_text.annotation.added',
      ...at,
      annotation_index,
      annotation,
    })),
    { type: `${texts.event}.done`, ...at, text, ...spoken },
    { type: 'response.content_part.done', ...at, part },
  ]
}

const contentEvents = (item: JsonRecord, at: At, texts: Texts, losses: Losses): JsonRecord[] =>
  recordsOf(item['content']).flatMap((part, content_index) => partEvents(part, { ...at, content_index }, texts, losses))

const summaryEvents = (item: JsonRecord, at: At): JsonRecord[] =>
  recordsOf(item['summary']).flatMap((part, summary_index) => {
    const place = { ...at, summary_index }
    return [
      { type: 'response.reasoning_summary_part.added', ...place, part: { ...part, text: '' } },
      ...piecesOf(textOf(part)).map((delta) => ({ type: 'response.reasoning_summary_text.delta', ...place, delta })),
      { type: 'response.reasoning_summary_text.done', ...place, text: textOf(part) },
      { type: 'response.reasoning_summary_part.done', ...place, part },
    ]
  })

/** An item as it is added, and what follows before it is done. Calls of tools, by whom ever, are not given again. */
const itemEvents = (item: JsonRecord, output_index: number, losses: Losses): JsonRecord[] => {
  const at = { item_id: item['id'], output_index }
  const between = (begun: JsonRecord, events: JsonRecord[]): JsonRecord[] => [
    { type: 'response.output_item.added', output_index, item: begun },
    ...events,
    { type: 'response.output_item.done', output_index, item },
  ]
  if (item['type'] === 'message') {
    knownOnly(item, messageMembers, losses)
    const begun = { ...item, status: 'in_progress', content: [] }
    return between(begun, contentEvents(item, at, outputText, losses))
  }
  if (item['type'] !== 'reasoning') losses.lose('it has an item that is not known')
  knownOnly(item, reasoningMembers, losses)
  const begun = {
    ...item,
    summary: [],
    ...('content' in item ? { content: [] } : {}),
    ...('status' in item ? { status: 'in_progress' } : {}),
  }
  return between(begun, [...summaryEvents(item, at), ...contentEvents(item, at, reasoningText, losses)])
}

const streamed = (response: JsonRecord, _: unknown, losses: Losses) => {
  if (response['status'] !== 'completed') losses.lose('it is not completed')
  const begun = {
    ...response,
    status: 'in_progress',
    output: [],
    usage: null,
    ...('completed_at' in response ? { completed_at: null } : {}),
  }
  const events: JsonRecord[] = [
    { type: 'response.created', response: begun },
    { type: 'response.in_progress', response: begun },
    ...recordsOf(response['output']).flatMap((item, index) => itemEvents(item, index, losses)),
    { type: 'response.completed', response },
  ]
  return asEvents(
    events.map(({ type, ...rest }, sequence_number) => ({ type, sequence_number, ...rest })),
    { named: true },
  )
}

/** The event that ends a stream has the whole response; if an item were missing in it, it would not be whole. */
const whole = (events: readonly JsonRecord[], losses: Losses): JsonRecord => {
  const response = asRecord(events.findLast(({ type }) => type === 'response.completed')?.['response'])
  if (!response) losses.lose('it is not completed')
  const done = events.filter(({ type }) => type === 'response.output_item.done')
  if (done.length > asList(response?.['output']).length) losses.lose('its end leaves out items')
  if (isEmpty(response?.['output'])) losses.lose('it has no output')
  return response ?? {}
}

/** Responses of OpenAI and of those who copy them (https://platform.openai.com/docs/api-reference/responses-streaming). */
export const responseForms = eventForms({ streamed, whole })
