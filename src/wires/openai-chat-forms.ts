import { alike, isEmpty, knownOnly, type Losses, only, piecesOf } from './framing/forms.ts'
import { asList, asRecord, type JsonRecord, recordsOf } from './framing/json.ts'
import { besideText, chunkForms, finishOf } from './openai-forms.ts'

/** Texts of a message in the order in which models write them. A refusal is known, but no lever keeps one. */
const texts = ['reasoning_content', 'reasoning', 'content', 'refusal'] as const
const messageMembers = new Set<string>(['role', ...texts])
const wholeMembers = new Set(['index', 'message', 'logprobs', 'finish_reason', ...besideText])
const pieceMembers = new Set(['index', 'delta', 'logprobs', 'finish_reason', ...besideText])
const logprobLists = ['content', 'refusal']

/** Checks that a text is one or null. Parts in its place are not known. */
const textOf = (value: unknown, losses: Losses): string => {
  if (typeof value === 'string') return value
  if (value !== undefined && value !== null) losses.lose('its content is not a text')
  return ''
}

const streamed = (choice: JsonRecord, losses: Losses): readonly JsonRecord[] => {
  knownOnly(choice, wholeMembers, losses)
  const message = asRecord(choice['message']) ?? {}
  knownOnly(message, messageMembers, losses)
  const { index, logprobs = null } = choice
  const piece = (delta: JsonRecord, more: JsonRecord = {}): JsonRecord => ({
    index,
    delta,
    logprobs: null,
    finish_reason: null,
    ...more,
  })
  const { role, content, refusal } = message
  const opening = {
    role,
    content: typeof content === 'string' ? '' : null,
    ...(refusal === undefined ? {} : { refusal: null }),
  }
  // Log probabilities belong to tokens, and where those lie in the text is not said.
  const cut = (name: string): readonly (string | null)[] => {
    const text = textOf(message[name], losses)
    if (name !== 'content' || logprobs === null) return piecesOf(text)
    return [typeof content === 'string' ? text : null]
  }
  const said = texts.flatMap((name) =>
    cut(name).map((text) => piece({ [name]: text }, name === 'content' ? { logprobs } : {})),
  )
  const ended = { finish_reason: choice['finish_reason'], ...only(choice, besideText) }
  return [piece(opening), ...said, piece({}, ended)]
}

/** The text of a member over all deltas; null where none has more to say of it, undefined where none names it. */
const joined = (deltas: readonly JsonRecord[], name: string, losses: Losses): string | null | undefined => {
  const values = deltas.map((delta) => delta[name]).filter((value) => value !== undefined)
  if (values.length === 0) return undefined
  const said = values.filter((value) => value !== null)
  return said.length === 0 ? null : said.map((value) => textOf(value, losses)).join('')
}

/** The lists of token probabilities one after the other; null where there are none. */
const allLogprobs = (pieces: readonly JsonRecord[], losses: Losses): JsonRecord | null => {
  const all = recordsOf(pieces.map((piece) => piece['logprobs']))
  for (const one of all) knownOnly(one, new Set(logprobLists), losses)
  const listed = logprobLists.map((name): [string, unknown] => {
    const lists = all.map((one) => one[name]).filter((list) => !isEmpty(list))
    return [name, lists.length === 0 ? null : lists.flatMap(asList)]
  })
  return listed.every(([, list]) => list === null) ? null : Object.fromEntries(listed)
}

const whole = (pieces: readonly JsonRecord[], losses: Losses): JsonRecord => {
  for (const piece of pieces) knownOnly(piece, pieceMembers, losses)
  const deltas = pieces.map((piece) => asRecord(piece['delta']) ?? {})
  for (const delta of deltas) knownOnly(delta, messageMembers, losses)
  const role = deltas.find((delta) => !isEmpty(delta['role']))?.['role'] ?? 'assistant'
  const said = texts.flatMap((name) => {
    const text = joined(deltas, name, losses)
    return text === undefined ? [] : [[name, name === 'refusal' && text === '' ? null : text]]
  })
  return {
    index: pieces[0]?.['index'] ?? 0,
    message: { role, content: null, ...Object.fromEntries(said) },
    logprobs: allLogprobs(pieces, losses),
    finish_reason: finishOf(pieces, losses),
    ...alike(
      pieces.map((piece) => only(piece, besideText)),
      losses,
    ),
  }
}

/** Chat completions of OpenAI and of those who copy them (https://platform.openai.com/docs/api-reference/chat-streaming). */
export const chatForms = chunkForms({
  objects: { whole: 'chat.completion', chunk: 'chat.completion.chunk' },
  streamed,
  whole,
})
