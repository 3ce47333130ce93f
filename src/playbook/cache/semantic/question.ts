import type { Kit, LiveCall } from '../../../core/lever.ts'
import type { Block, Outline } from '../../../core/prompt.ts'
import { parted } from '../forms.ts'

/** What is compared of a call, and what must be the same to the letter. */
export type Asked = Readonly<{
  /** The user's own newest words. */
  text: string
  /** Hash of everything else: who may share, the model, tools, system prompt, conversation, options of the answer. */
  partition: string
}>

/** Shorter ones say too little, longer ones too much, for one vector. In characters. */
const SHORTEST = 3
const LONGEST = 4000

const isOwnWords = (block: Block): boolean =>
  block.kind === 'user' && block.role === 'user' && block.form === 'text' && block.gone !== true

/** The prompt's last block when it is the user's words and nothing that came after the last answer is anything else. */
const lastWords = ({ blocks }: Outline): Block | undefined => {
  const last = blocks.at(-1)
  if (!last || !isOwnWords(last)) return undefined
  const beside = blocks.some((block) => block !== last && (block.kind === 'user' || block.kind === 'context'))
  return beside ? undefined : last
}

/** Everything that must be equal, as one hash; undefined where the words are not found in the body. */
const partitionOf = (call: LiveCall, words: string, embedder: string, kit: Kit): string | undefined => {
  const beside = call.beside(words)
  if (beside === undefined) return undefined
  return kit.hash(
    JSON.stringify([
      [call.tenant, call.scope, call.variant, call.provider, call.model],
      [call.circle.wire, call.circle.endpoint, parted(call, kit)],
      beside,
      embedder,
    ]),
  )
}

/** What a call asks, or why it cannot be compared. */
export const askedBy = (call: LiveCall, kit: Kit): Asked | string => {
  const outline = call.outline()
  if (!outline) return 'the wire shows no prompt'
  const words = lastWords(outline)
  if (!words) return 'the newest words are not the only new thing in the prompt'
  const text = words.text.trim()
  if (text.length < SHORTEST || text.length > LONGEST) return 'the question is too short or too long to compare'
  if (call.in_conversation) return 'it goes on in a conversation that the provider keeps'
  if (call.names_twice) return 'the body names a key twice'
  const partition = partitionOf(call, words.text, kit.embedder?.name ?? 'lexical', kit)
  return partition === undefined ? 'the question cannot be told from the rest of the body' : { text, partition }
}
