import { alike, knownOnly, type Losses, only, piecesOf } from './framing/forms.ts'
import { asList, type JsonRecord, recordsOf } from './framing/json.ts'
import { besideText, chunkForms, finishOf } from './openai-forms.ts'

const members = new Set(['index', 'text', 'logprobs', 'finish_reason', ...besideText])
/** Four lists of the same length: an entry a token. */
const logprobLists = ['tokens', 'token_logprobs', 'top_logprobs', 'text_offset']

const textIn = (choice: JsonRecord, losses: Losses): string => {
  if (typeof choice['text'] === 'string') return choice['text']
  losses.lose('its text is none')
  return ''
}

const streamed = (choice: JsonRecord, losses: Losses): readonly JsonRecord[] => {
  knownOnly(choice, members, losses)
  const text = textIn(choice, losses)
  const { index, logprobs = null, finish_reason } = choice
  // Log probabilities belong to tokens, and where those lie in the text is not said.
  const pieces = logprobs === null ? piecesOf(text) : [text]
  const said = pieces.map((piece) => ({ index, text: piece, logprobs, finish_reason: null }))
  return [...said, { index, text: '', logprobs: null, finish_reason, ...only(choice, besideText) }]
}

const allLogprobs = (pieces: readonly JsonRecord[], losses: Losses): JsonRecord | null => {
  const all = recordsOf(pieces.map((piece) => piece['logprobs']))
  for (const one of all) knownOnly(one, new Set(logprobLists), losses)
  if (all.length === 0) return null
  const names = logprobLists.filter((name) => all.some((one) => name in one))
  return Object.fromEntries(
    names.map((name) => {
      const lists = all.map((one) => one[name]).filter((list) => Array.isArray(list))
      return [name, lists.length === 0 ? null : lists.flatMap(asList)]
    }),
  )
}

const whole = (pieces: readonly JsonRecord[], losses: Losses): JsonRecord => {
  for (const piece of pieces) knownOnly(piece, members, losses)
  return {
    text: pieces.map((piece) => textIn(piece, losses)).join(''),
    index: pieces[0]?.['index'] ?? 0,
    logprobs: allLogprobs(pieces, losses),
    finish_reason: finishOf(pieces, losses),
    ...alike(
      pieces.map((piece) => only(piece, besideText)),
      losses,
    ),
  }
}

/** Legacy completions: whole and streamed their objects have the same name. */
export const completionForms = chunkForms({
  objects: { whole: 'text_completion', chunk: 'text_completion' },
  streamed,
  whole,
})
