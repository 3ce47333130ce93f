import type { Pulled } from '../../core/lever.ts'
import type { Block } from '../../core/prompt.ts'
import type { Counted } from '../../playbook/measure/weights.ts'
import { digest } from '../prompt.ts'
import type { Tokens } from '../tokens.ts'
import { openMemory } from './kit.ts'
import type { Levers, Pulling, Turn } from './pulling.ts'

type Shorter = Extract<Pulled, { do: 'change' }>

/** A long text is counted in pieces of so many characters. */
const PIECE = 4096

const piecesOf = (text: string): string[] =>
  Array.from({ length: Math.ceil(text.length / PIECE) }, (_, nth) => text.slice(nth * PIECE, (nth + 1) * PIECE))

/** What is asked again while it is counted is counted once, too. */
const openRemembered = <T>() => {
  const memory = openMemory()
  return (key: string, count: () => Promise<T>): Promise<T> => {
    const known = memory.get<Promise<T>>('', key)
    if (known) return known
    const counting = count()
    memory.set('', key, counting)
    return counting
  }
}

/** Counts tokens of texts in o200k, each text once for as long as its hash is remembered. */
const openCounter = (tokens: Tokens): ((text: string) => Promise<number>) => {
  const remembered = openRemembered<number>()
  const count = async (text: string): Promise<number> =>
    (await tokens.count(piecesOf(text))).reduce((sum, one) => sum + one, 0)
  return async (text) => (text === '' ? 0 : remembered(digest(text), () => count(text)))
}

/** The blocks that a change shortens, each with the text that it leaves. */
const shortenings = ({ changes }: Shorter): Readonly<{ index: number; text: string }>[] =>
  changes.flatMap((one) => {
    if (one.do === 'remove') return [{ index: one.block, text: '' }]
    return one.do === 'replace' ? [{ index: one.block, text: one.text }] : []
  })

/** Texts as they were asked: what a later lever finds in a block is what an earlier one has left of it. */
const openAsked = () => {
  const seen = new Set<number>()
  const parts = new Map<number, Counted>()
  const note = (index: number, { part, text }: Block, tokens: number): void => {
    if (seen.has(index)) return
    seen.add(index)
    const { characters, tokens: before } = parts.get(part) ?? { characters: 0, tokens: 0 }
    parts.set(part, { characters: characters + text.length, tokens: before + tokens })
  }
  return { parts, note }
}
type Asked = ReturnType<typeof openAsked>

/**
 * Levers reckon what they take out by characters, for nobody waits for a tokenizer. This counts it, while the provider is at work: each
 * text that was edited before and after, in o200k times the model's ratio. So the receipt says what the provider's own count
 * falls by, but for what JSON and the framing of messages cost.
 */
export const openRecount = (tokens: Tokens): Levers['recount'] => {
  const counted = openCounter(tokens)
  const remembered = openRemembered<readonly [before: number, after: number]>()

  /** An edited text before and after. It is remembered by the prompt's hash up to it, so that later turns of a conversation hash no text. */
  const around = (place: string, block: Block, text: string): Promise<readonly [before: number, after: number]> =>
    remembered(`${place} ${block.text.length} ${text.length}`, () => Promise.all([counted(block.text), counted(text)]))

  const removedBy = async (
    turn: Turn,
    change: Shorter,
    { live }: Pulling,
    { ratio, asked }: Readonly<{ ratio: number; asked: Asked }>,
  ): Promise<number[]> => {
    const { hashes } = live.chain
    const parts = new Array<number>(hashes.length).fill(0)
    const count = async ({ index, text }: Readonly<{ index: number; text: string }>): Promise<void> => {
      const block = turn.outline?.blocks[index]
      if (!block || !(block.part in parts)) return
      const place = `${turn.active.lever.name} ${hashes[block.part]} ${index}`
      const [before, after] = await around(place, block, text)
      parts[block.part] = (parts[block.part] ?? 0) + before - after
      asked.note(index, block, before * ratio)
    }
    await Promise.all(shortenings(change).map(count))
    let sum = 0
    return parts.map((part) => {
      sum += part
      return Math.max(0, Math.round(sum * ratio))
    })
  }

  return async (pulling, ratio) => {
    const asked = openAsked()
    for (const turn of pulling.turns) {
      const { pulled } = turn
      if (pulled?.do !== 'change' || !turn.outline) continue
      turn.pulled = { ...pulled, removed: await removedBy(turn, pulled, pulling, { ratio, asked }) }
      delete turn.outline
    }
    pulling.counted = asked.parts
  }
}
