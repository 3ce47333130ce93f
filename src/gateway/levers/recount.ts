import type { Pulled } from '../../core/lever.ts'
import type { Block } from '../../core/prompt.ts'
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
const openRemembered = () => {
  const memory = openMemory()
  return (key: string, count: () => Promise<number>): Promise<number> => {
    const known = memory.get<Promise<number>>('', key)
    if (known) return known
    const counting = count()
    memory.set('', key, counting)
    return counting
  }
}

/** Counts tokens of texts in o200k, each text once for as long as its hash is remembered. */
const openCounter = (tokens: Tokens): ((text: string) => Promise<number>) => {
  const remembered = openRemembered()
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

/**
 * Levers reckon what they take out by characters, for nobody waits for a tokenizer. This counts it, while the provider is at work: each
 * text that was edited before and after, in o200k times the model's ratio. So the receipt says what the provider's own count
 * falls by, but for what JSON and the framing of messages cost.
 */
export const openRecount = (tokens: Tokens): Levers['recount'] => {
  const counted = openCounter(tokens)
  const remembered = openRemembered()

  /** What an edit takes out. It is remembered by the prompt's hash up to it, so that later turns of a conversation hash no text. */
  const taken = (place: string, block: Block, text: string): Promise<number> =>
    remembered(`${place} ${block.text.length} ${text.length}`, async () => {
      const [before, after] = await Promise.all([counted(block.text), counted(text)])
      return before - after
    })

  const removedBy = async (turn: Turn, change: Shorter, { live }: Pulling, ratio: number): Promise<number[]> => {
    const { hashes } = live.chain
    const parts = new Array<number>(hashes.length).fill(0)
    const count = async ({ index, text }: Readonly<{ index: number; text: string }>): Promise<void> => {
      const block = turn.outline?.blocks[index]
      if (!block || !(block.part in parts)) return
      const place = `${turn.active.lever.name} ${hashes[block.part]} ${index}`
      const difference = await taken(place, block, text)
      parts[block.part] = (parts[block.part] ?? 0) + difference
    }
    await Promise.all(shortenings(change).map(count))
    let sum = 0
    return parts.map((part) => {
      sum += part
      return Math.max(0, Math.round(sum * ratio))
    })
  }

  return async (pulling, ratio) => {
    for (const turn of pulling.turns) {
      const { pulled } = turn
      if (pulled?.do !== 'change' || !turn.outline) continue
      turn.pulled = { ...pulled, removed: await removedBy(turn, pulled, pulling, ratio) }
      delete turn.outline
    }
  }
}
