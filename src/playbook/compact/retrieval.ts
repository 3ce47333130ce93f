import type { Chosen, Kit, Lever } from '../../core/lever.ts'
import type { Block } from '../../core/prompt.ts'
import { type Chunk, chunksOf, without } from './chunks.ts'
import type { Wish } from './course.ts'
import { cosines, relevances } from './relevance.ts'
import { replayRemoved, worthOfRemoved } from './removed.ts'
import { resume } from './resume.ts'

const settings = {
  keep: { type: 'number', default: 5, least: 1, unit: 'passages', about: 'how many passages of a context are kept' },
  near: {
    type: 'number',
    default: 0.5,
    least: 0,
    most: 1,
    about: 'passages that score at least this share of the best one are kept, too, however many they are',
  },
  embeddings: {
    type: 'flag',
    default: true,
    about: 'score by embeddings where there is an embedder, and by words where there is none',
  },
} as const

type Settings = Chosen<typeof settings>

/** A context is read up to so many characters; a longer one is left alone. */
const LONGEST = 400_000
/** The longest piece of a question. */
const LONGEST_QUESTION = 4000

type Context = Readonly<{ block: number; text: string; chunks: readonly Chunk[] }>

/** What was asked when the context came: the words outside of its passages, and the newest of the user's before it. */
const questionFor = ({ block, text, chunks }: Context, blocks: readonly Block[]): string => {
  const around = without(text, chunks)
  const own = blocks[block]
  const beside = blocks.filter(
    (other, index) =>
      other.role === 'user' && other.form === 'text' && other.message === own?.message && index !== block,
  )
  const before = blocks.findLast(
    (other, index) => index < block && other.role === 'user' && other.form === 'text' && !beside.includes(other),
  )
  const call = blocks.find(
    ({ form, tool_call }) => form === 'tool-call' && tool_call !== undefined && tool_call === own?.tool_call,
  )
  const said = own?.form === 'tool-result' || beside.length === 0 ? [before?.text, call?.text] : []
  return [around, ...beside.map((other) => other.text), ...said]
    .map((piece) => (piece === undefined || chunksOf(piece).length > 0 ? '' : piece.slice(-LONGEST_QUESTION)))
    .join('\n')
}

const scoresOf = async (
  question: string,
  passages: readonly string[],
  chosen: Settings,
  kit: Kit,
): Promise<number[]> => {
  const lexical = relevances(question, passages)
  if (!chosen.embeddings || !kit.embedder) return lexical
  try {
    return cosines(await kit.embedder.embed([question, ...passages]))
  } catch {
    return lexical
  }
}

/** Passages that are not among the best; none where nothing was found in any, for then nothing is known. */
const dropped = (chunks: readonly Chunk[], scores: readonly number[], { keep, near }: Settings): Chunk[] => {
  const ranked = scores
    .map((_, index) => index)
    .sort((left, right) => (scores[right] ?? 0) - (scores[left] ?? 0) || left - right)
  const best = scores[ranked[0] ?? 0] ?? 0
  if (best <= 0) return []
  const kept = new Set(ranked.filter((index, rank) => rank < keep || (scores[index] ?? 0) >= near * best))
  return chunks.filter((_, index) => !kept.has(index))
}

const wish = async (context: Context, blocks: readonly Block[], chosen: Settings, kit: Kit): Promise<Wish[]> => {
  const passages = context.chunks.map(({ start, end }) => context.text.slice(start, end))
  const scores = await scoresOf(questionFor(context, blocks), passages, chosen, kit)
  const out = dropped(context.chunks, scores, chosen)
  return out.length === 0 ? [] : [{ block: context.block, text: without(context.text, out) }]
}

/** Contexts among the blocks from a part on: of users and tools, with more passages than are kept. */
const contextsOf = (blocks: readonly Block[], from: number, keep: number): Context[] =>
  blocks.flatMap((block, index): Context[] => {
    const { part, role, form, text, replaceable, kind } = block
    const isOurs = (role === 'user' && form === 'text' && kind !== 'examples') || form === 'tool-result'
    if (part < from || !replaceable || !isOurs || text.length > LONGEST) return []
    const chunks = chunksOf(text)
    return chunks.length > keep ? [{ block: index, text, chunks }] : []
  })

export const lever = {
  name: 'compact/retrieval',
  play: 'compact',
  about: 'keeps the passages of a retrieved context that matter most for the question; their order and delimiters stay',
  settings,
  traits: {
    certainty: 'estimated',
    risk: 'needs-eval',
    effort: 'configure',
    spread: { low: 0.8, high: 1.05, why: 'answers from fewer passages may ask for more turns' },
    embeds: true,
    needs_observing: true,
    next_test: 'compare answers on 50 questions with and without',
  },
  async pull(call, chosen, kit) {
    const outline = call.outline()
    if (!outline) return { do: 'nothing', why: 'the wire has no editor' }
    const course = resume(call, outline, kit)
    const contexts = contextsOf(outline.blocks, course.from, chosen.keep)
    const wishes = await Promise.all(contexts.map((context) => wish(context, outline.blocks, chosen, kit)))
    return course.finish(
      wishes.flat(),
      contexts.length === 0 ? 'no context with more passages' : 'no passage matters less',
    )
  },
  worth: worthOfRemoved,
  replay: (_, kit) => replayRemoved('compact/retrieval', kit),
} satisfies Lever<typeof settings>
