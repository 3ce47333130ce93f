import type { FormAsked, Forms } from '../core/wire.ts'
import { alike, asEvents, eventForms, isEmpty, knownOnly, type Losses, only } from './framing/forms.ts'
import { asRecord, at, type JsonRecord, recordsOf } from './framing/json.ts'

/** How a choice is said in pieces and put together again, which chat and legacy completions do each in their own way. */
export type ChoiceForms = Readonly<{
  /** `object` of a whole answer and of a chunk. */
  objects: Readonly<{ whole: string; chunk: string }>
  /** The choice as those of several chunks, one each; the last has the finish reason. */
  streamed(choice: JsonRecord, losses: Losses): readonly JsonRecord[]
  /** The choices of several chunks, all of one index, as one. */
  whole(pieces: readonly JsonRecord[], losses: Losses): JsonRecord
}>

/** What an answer says of itself, and each chunk again: OpenAI's words and those of Azure, OpenRouter, Groq, Perplexity and Z.ai. */
const common = new Set([
  'id',
  'object',
  'created',
  'model',
  'service_tier',
  'system_fingerprint',
  'prompt_filter_results',
  'provider',
  'x_groq',
  'citations',
  'search_results',
  'request_id',
])
const wholeMembers = new Set([...common, 'choices', 'usage'])
/** `obfuscation` is padding against eavesdroppers who count bytes. */
const chunkMembers = new Set([...wholeMembers, 'obfuscation'])

/** What a choice says beside its text: Azure's filters, OpenRouter's and vLLM's own words for how it ended. */
export const besideText = new Set(['native_finish_reason', 'content_filter_results', 'stop_reason'])

/** Does the stream state its usage in a chunk of its own? Who cannot ask for that gets it with the last choice. */
const hasUsageChunk = ({ reading, json }: FormAsked): boolean =>
  reading.hide_usage || at(json, 'stream_options', 'include_usage') === true

const streamedBy =
  ({ objects, streamed }: ChoiceForms) =>
  (answer: JsonRecord, asked: FormAsked, losses: Losses) => {
    knownOnly(answer, wholeMembers, losses)
    const base = { ...only(answer, common), object: objects.chunk }
    const choices = recordsOf(answer['choices']).flatMap((choice) => streamed(choice, losses))
    const chunks: JsonRecord[] = choices.map((choice) => ({ ...base, choices: [choice] }))
    const { usage } = answer
    const last = chunks.pop() ?? base
    if (hasUsageChunk(asked)) chunks.push(last, { ...base, choices: [], usage })
    else chunks.push({ ...last, usage })
    return asEvents(chunks, { end: '[DONE]' })
  }

const indexOf = (choice: JsonRecord): number => (typeof choice['index'] === 'number' ? choice['index'] : 0)

/** The choices of all chunks by their index, in its order. */
const byIndex = (chunks: readonly JsonRecord[]): readonly (readonly JsonRecord[])[] => {
  const groups = Map.groupBy(
    chunks.flatMap((chunk) => recordsOf(chunk['choices'])),
    indexOf,
  )
  return [...groups].toSorted(([one], [other]) => one - other).map(([, pieces]) => pieces)
}

/** Groq repeats the usage of the last chunk in a member of its own, which whole answers do not have. */
const withoutOwnUsage = (members: JsonRecord): JsonRecord => {
  const { usage: _, ...own } = asRecord(members['x_groq']) ?? {}
  return 'x_groq' in members ? { ...members, x_groq: own } : members
}

const wholeBy =
  ({ objects, whole }: ChoiceForms) =>
  (chunks: readonly JsonRecord[], losses: Losses): JsonRecord => {
    for (const chunk of chunks) knownOnly(chunk, chunkMembers, losses)
    const created = chunks.map((chunk) => chunk['created']).find((moment) => typeof moment === 'number' && moment > 0)
    const said = chunks.map((chunk) => ({ ...only(chunk, common), object: objects.whole, created }))
    const choices = byIndex(chunks).map((pieces) => whole(pieces, losses))
    const usage = chunks.findLast((chunk) => !isEmpty(chunk['usage']))?.['usage']
    return { ...withoutOwnUsage(alike(said, losses)), choices, usage }
  }

/** The forms of an API that streams chunks of OpenAI's kind. */
export const chunkForms = (ways: ChoiceForms): Forms => eventForms({ streamed: streamedBy(ways), whole: wholeBy(ways) })

/** How a choice ended, as its pieces say it; one that has not ended is not whole. */
export const finishOf = (pieces: readonly JsonRecord[], losses: Losses): unknown => {
  const finish = pieces.findLast((piece) => !isEmpty(piece['finish_reason']))?.['finish_reason']
  if (finish === undefined) losses.lose('it does not say how it ended')
  return finish
}
