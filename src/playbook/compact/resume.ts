import type { Kit, LiveCall, Pulled } from '../../core/lever.ts'
import type { Block, Change, Outline } from '../../core/prompt.ts'
import { cachingOf } from './caching.ts'
import { byPlace, conversationOf, type Edit, inPlace, recall, remember, type Wish } from './course.ts'
import { type Cut, choose, net, type Standing } from './netting.ts'
import { further, note } from './runs.ts'

/** A text whose tokens tell how many a character has. */
const SAMPLE = 'x'.repeat(4096)

/**
 * The share of the expected further calls that is counted, if nothing else is asked. Most of the mean is in few long runs, so
 * most runs are shorter than it.
 */
const FORESIGHT = 0.5

/** A conversation taken up again: what was done to it, and what an edit of it would meet. */
export type Resumed = Readonly<{
  /** Blocks of parts from here on were not seen before: their edits are new content's. */
  from: number
  made: readonly Edit[]
  /** Nothing was made, and nothing waits. */
  untouched: boolean
  /** No cached prefix stands in the way. */
  cold: boolean
  standing: Standing
  /** What these wishes come to if all of them are made, in the unit of the standing's prices; below zero they cost. */
  worth(wishes: readonly Wish[]): number
  /** Undoes edits that were made, and forgets those that wait. */
  undo(isOver: (edit: Edit) => boolean): void
  /**
   * Decides: repeats what was made, makes what pays of the wishes (and of those that did not pay before), and remembers it.
   * `nothing` says why where there is nothing to do. With `whole` the wishes are made all together or not at all.
   */
  finish(wishes: readonly Wish[], nothing: string, whole?: boolean): Pulled
}>

const editOf = (wish: Wish, blocks: readonly Block[]): Edit | undefined => {
  const block = blocks[wish.block]
  if (!block || block.gone || block.part < 0) return undefined
  // With a marked block its mark would go, and with that all that is cached up to it.
  if (wish.text === undefined ? !block.removable || block.mark !== undefined : !block.replaceable) return undefined
  const length = block.text.length
  const { block: index, text } = wish
  const change: Change = text === undefined ? { do: 'remove', block: index } : { do: 'replace', block: index, text }
  return { ...wish, part: block.part, length, saved: length - (text?.length ?? 0), change }
}

/** Tokens taken out, cumulative at the boundaries of the chain. */
const cumulative = (tokens: readonly number[], made: readonly Edit[], ratio: number): number[] => {
  const removed: number[] = []
  let next = 0
  let characters = 0
  for (let part = 0; part < tokens.length; part++) {
    for (let edit = made[next]; edit !== undefined && edit.part <= part; edit = made[++next]) characters += edit.saved
    removed.push(Math.min(Math.round(characters * ratio), tokens[part] ?? 0))
  }
  return removed
}

type Decided = Readonly<{
  made: readonly Edit[]
  waiting: readonly Edit[]
  chain: LiveCall['chain']
  ratio: number
  nothing: string
}>

const pulled = ({ made, waiting, chain, ratio, nothing }: Decided): Pulled => {
  const left =
    waiting.length === 0 ? '' : `${waiting.length} edits wait: they would cost more cache reads than they save`
  if (made.length === 0) return { do: 'nothing', why: left === '' ? nothing : left }
  const removed = cumulative(chain.tokens, made, ratio)
  const why = `${made.length} ${made.length === 1 ? 'block is' : 'blocks are'} shorter`
  return {
    do: 'change',
    changes: made.map(({ change }) => change),
    removed,
    why: left === '' ? why : `${why}; ${left}`,
  }
}

/** Takes up a conversation where the last call left it. Read `finish` for what comes of it. */
export const resume = (call: LiveCall, outline: Outline, kit: Kit, foresight = FORESIGHT): Resumed => {
  const { chain } = call
  const caching = cachingOf(call, outline, kit)
  const conversation = conversationOf(call, kit)
  const past = recall({ call, outline, kit, caching, conversation })
  const warm = chain.tokens[past.warm - 1] ?? 0
  const { runs } = conversation
  const run = past.run + 1
  note(runs, run)
  const ratio = kit.tokens(SAMPLE, call.provider, call.model) / SAMPLE.length
  const standing: Standing = {
    warm: caching && warm >= caching.minimum ? warm : 0,
    readable: caching?.readable ?? (() => 0),
    read: caching?.read ?? 1,
    write: caching?.write ?? 1,
    further: foresight * further(runs, run),
  }
  let { made, waiting: waited } = past
  const cutsOf = (edits: readonly Edit[]): Cut[] =>
    edits.map((edit) => {
      const before = made.find(({ block }) => block === edit.block)?.saved ?? 0
      return { at: chain.tokens[edit.part - 1] ?? 0, tokens: (edit.saved - before) * ratio }
    })
  const editsOf = (wishes: readonly Wish[]): Edit[] =>
    wishes.flatMap((wish) => editOf(wish, outline.blocks) ?? []).sort(byPlace)
  /** Which of the wishes are made, and which wait. */
  const decide = (wishes: readonly Wish[], whole: boolean): Readonly<Record<'chosen' | 'waiting', readonly Edit[]>> => {
    const wished = editsOf(wishes)
    const others = waited.filter(({ block }) => !wished.some((edit) => edit.block === block))
    if (whole) return { chosen: net(cutsOf(wished), standing) > 0 ? wished : [], waiting: others }
    const edits = inPlace(others, wished)
    const { from } = choose(cutsOf(edits), standing)
    return { chosen: edits.slice(from), waiting: edits.slice(0, from) }
  }
  const finish = (wishes: readonly Wish[], nothing: string, whole = false): Pulled => {
    const { chosen, waiting } = decide(wishes, whole)
    if (chosen.length > 0) {
      const anew = new Set(chosen.map(({ block }) => block))
      made = inPlace(
        made.filter(({ block }) => !anew.has(block)),
        chosen,
      )
    }
    // Who is told so late has no part in what is sent: it counts as no more than observed.
    const observed = kit.mode === 'observe' || kit.passed?.has(call) === true
    remember(conversation, { hashes: chain.hashes, at_us: call.at_us, run, observed, made, waiting })
    return pulled({ made, waiting, chain, ratio, nothing })
  }
  return {
    from: past.from,
    made,
    untouched: made.length === 0 && waited.length === 0,
    cold: standing.warm === 0,
    standing,
    worth: (wishes) => net(cutsOf(editsOf(wishes)), standing),
    undo: (isOver) => {
      made = made.filter((edit) => !isOver(edit))
      waited = waited.filter((edit) => !isOver(edit))
    },
    finish,
  }
}
