import type { FormAsked, Formed, Forms } from '../../core/wire.ts'
import {
  alike,
  asEvents,
  asWhole,
  isEmpty,
  isEvents,
  knownOnly,
  type Losses,
  only,
  openLosses,
  piecesOf,
  readEvents,
  readList,
  readWhole,
} from '../framing/forms.ts'
import { asRecord, encode, type JsonRecord, recordsOf } from '../framing/json.ts'

/** What an answer says of itself, and each event again. */
const common = new Set(['modelVersion', 'responseId', 'createTime', 'modelStatus', 'promptFeedback'])
const answerMembers = new Set([...common, 'candidates', 'usageMetadata'])
const candidateMembers = new Set([
  'content',
  'finishReason',
  'finishMessage',
  'index',
  'safetyRatings',
  'citationMetadata',
  'groundingMetadata',
  'urlContextMetadata',
  'avgLogprobs',
  'logprobsResult',
  'tokenCount',
])
const contentMembers = new Set(['parts', 'role'])
const partMembers = new Set([
  'text',
  'thought',
  'thoughtSignature',
  'inlineData',
  'executableCode',
  'codeExecutionResult',
])

const checkCandidate = (candidate: JsonRecord, losses: Losses): void => {
  knownOnly(candidate, candidateMembers, losses)
  const content = asRecord(candidate['content']) ?? {}
  knownOnly(content, contentMembers, losses)
  for (const part of recordsOf(content['parts'])) knownOnly(part, partMembers, losses)
}

/** Text and nothing that belongs to all of it: such a part can be cut and joined. A signature is of the part that has it. */
const plainText = (part: JsonRecord): string | undefined => {
  const { text, thought: _, ...more } = part
  return typeof text === 'string' && Object.keys(more).length === 0 ? text : undefined
}

const cut = (part: JsonRecord): readonly JsonRecord[] => {
  const text = plainText(part)
  return text === undefined ? [part] : piecesOf(text).map((piece) => ({ ...part, text: piece }))
}

/** A candidate as those of several events, one each; what is said beside its content comes with the last. */
const streamedCandidate = (candidate: JsonRecord, losses: Losses): readonly JsonRecord[] => {
  checkCandidate(candidate, losses)
  const { content, index, ...beside } = candidate
  const { parts, ...rest } = asRecord(content) ?? {}
  const pieces = recordsOf(parts).flatMap(cut)
  const place = index === undefined ? {} : { index }
  const said = pieces.map((piece) => ({ content: { parts: [piece], ...rest }, ...place }))
  const last = said.pop() ?? { ...(content === undefined ? {} : { content: rest }), ...place }
  return [...said, { ...last, ...beside }]
}

const streamed = (answer: JsonRecord, losses: Losses): readonly JsonRecord[] => {
  knownOnly(answer, answerMembers, losses)
  const { candidates, usageMetadata, ...base } = answer
  const events: JsonRecord[] = recordsOf(candidates)
    .flatMap((candidate) => streamedCandidate(candidate, losses))
    .map((candidate) => ({ candidates: [candidate], ...base }))
  const last = events.pop()
  return last ? [...events, { ...last, usageMetadata }] : []
}

const joined = (parts: readonly JsonRecord[]): readonly JsonRecord[] => {
  const whole: JsonRecord[] = []
  for (const part of parts) {
    const text = plainText(part)
    const last = whole.at(-1)
    const before = last && plainText(last)
    if (text === '') continue
    if (last && text !== undefined && before !== undefined && last['thought'] === part['thought'])
      whole[whole.length - 1] = { ...part, text: before + text }
    else whole.push(part)
  }
  return whole
}

/** The candidates of several events, all of one index, as one. */
const wholeCandidate = (pieces: readonly JsonRecord[], losses: Losses): JsonRecord => {
  for (const piece of pieces) checkCandidate(piece, losses)
  const contents = recordsOf(pieces.map(({ content }) => content))
  const parts = joined(contents.flatMap((content) => recordsOf(content['parts'])))
  const content = {
    ...(parts.length > 0 ? { parts } : {}),
    ...alike(
      contents.map(({ parts: _, ...rest }) => rest),
      losses,
    ),
  }
  const beside = alike(
    pieces.map(({ content: _, ...rest }) => rest),
    losses,
  )
  if (isEmpty(beside['finishReason'])) losses.lose('it does not say how it ended')
  return { content, ...beside }
}

const indexOf = (candidate: JsonRecord): number => (typeof candidate['index'] === 'number' ? candidate['index'] : 0)

const whole = (events: readonly JsonRecord[], losses: Losses): JsonRecord => {
  for (const event of events) knownOnly(event, answerMembers, losses)
  const groups = Map.groupBy(
    events.flatMap((event) => recordsOf(event['candidates'])),
    indexOf,
  )
  const candidates = [...groups]
    .toSorted(([one], [other]) => one - other)
    .map(([, pieces]) => wholeCandidate(pieces, losses))
  const usageMetadata = events.findLast((event) => !isEmpty(event['usageMetadata']))?.['usageMetadata']
  const said = events.map((event) => only(event, common))
  return { candidates, usageMetadata, ...alike(said, losses) }
}

/** With `alt=sse` a stream is events; without, one JSON array that grows. */
type Form = 'whole' | 'events' | 'list'

const OPEN_LIST = 91
const isBlank = (byte: number): boolean => byte <= 32

const formOf = (answer: Formed): Form => {
  if (isEvents(answer)) return 'events'
  return answer.body.find((byte) => !isBlank(byte)) === OPEN_LIST ? 'list' : 'whole'
}

const ALT = /^(?:\$|%24)?alt=(?:sse|json)$/

const formAsked = ({ reading, query }: FormAsked): Form => {
  if (!reading.stream) return 'whole'
  return /[?&](?:\$|%24)?alt=sse(?:&|$)/.test(query) ? 'events' : 'list'
}

/** What an answer consists of: events, or the one that a whole answer is. */
const readAny = (answer: Formed, form: Form, losses: Losses): readonly JsonRecord[] => {
  if (form === 'whole') return [readWhole(answer, losses)]
  if (form === 'events') return readEvents(answer, losses)
  return readList(answer, losses)
}

const asList = (events: readonly JsonRecord[]): Formed => ({
  body: encode(`[${events.map((event) => JSON.stringify(event)).join(',\r\n')}]\n`),
  content_type: 'application/json; charset=UTF-8',
})

const writers = { events: (events: readonly JsonRecord[]) => asEvents(events), list: asList }

/** generateContent and streamGenerateContent; which is asked, path and query say (https://ai.google.dev/api/generate-content). */
export const generateForms: Forms = {
  address(path, query) {
    const kept = query
      .slice(1)
      .split('&')
      .filter((pair) => pair !== '' && !ALT.test(pair))
    const plain = path.replace(/:streamGenerateContent$/, ':generateContent')
    return kept.length === 0 ? plain : `${plain}?${kept.join('&')}`
  },
  as(answer, asked) {
    const [held, wanted] = [formOf(answer), formAsked(asked)]
    if (held === wanted) return answer
    const losses = openLosses()
    const events = readAny(answer, held, losses)
    const [first = {}] = events
    if (wanted === 'whole') {
      const formed = asWhole(whole(events, losses))
      return losses.why ?? formed
    }
    const formed = writers[wanted](held === 'whole' ? streamed(first, losses) : events)
    return losses.why ?? formed
  },
}
