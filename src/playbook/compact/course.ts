import type { Kit, LiveCall, Pulled } from '../../core/lever.ts'
import type { Block, Change, Outline } from '../../core/prompt.ts'
import { type Caching, cachingOf } from './caching.ts'
import { type Cut, choose, type Standing } from './netting.ts'
import { further, note, runsOf } from './runs.ts'

/** What a lever would like of a block: another text in its place, or (without `text`) that it be left out. */
export type Wish = Readonly<{ block: number; text?: string }>

/** A wish with the place that it was made for. `length` is that of the text it stands in for, `saved` what it takes off. */
type Edit = Wish & Readonly<{ part: number; length: number; saved: number }>

/** What a lever remembers of a conversation, so that its next turn gets the same edits at the same places. */
type Course = Readonly<{
  hashes: readonly string[]
  at_us: number
  /** Calls since the cache was last cold. */
  run: number
  observed: boolean
  made: readonly Edit[]
  /** Edits that did not pay so far. */
  waiting: readonly Edit[]
}>

/** How many boundaries two chains have in common. A boundary's hash covers all before it, so the common ones come first. */
const common = (left: readonly string[], right: readonly string[]): number => {
  let low = 0
  let high = Math.min(left.length, right.length)
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (left[middle - 1] === right[middle - 1]) low = middle
    else high = middle - 1
  }
  return low
}

/** A text whose tokens tell how many a character has. */
const SAMPLE = 'x'.repeat(4096)

/** Where the prompt ends that the provider has answered before: after the last block that the model itself wrote. */
const answered = (blocks: readonly Block[]): number => {
  let last = -1
  for (const block of blocks) if (block.role === 'assistant') last = Math.max(last, block.part)
  return last + 1
}

const lineage = ({ circle, fingerprints }: LiveCall): string =>
  `${circle.feature ?? ''} ${fingerprints.template ?? ''} ${circle.agent ?? ''}`

/** A conversation taken up again: what was done to it, and what an edit of it would meet. */
export type Resumed = Readonly<{
  /** Blocks of parts from here on were not seen before: their edits are new content's. */
  from: number
  made: readonly Edit[]
  /** No cached prefix stands in the way. */
  cold: boolean
  standing: Standing
  /** The gain of these wishes together, in the unit of the standing's prices. */
  worth(wishes: readonly Wish[]): number
  /** Undoes what was done to these blocks. */
  undo(blocks: readonly number[]): void
  /**
   * Decides: repeats what was made, makes what pays of the wishes (and of those that did not pay before), and remembers it.
   * `nothing` says why where there is nothing to do.
   */
  finish(wishes: readonly Wish[], nothing: string): Pulled
}>

const editOf = (wish: Wish, blocks: readonly Block[]): Edit | undefined => {
  const block = blocks[wish.block]
  if (!block || block.gone || block.part < 0) return undefined
  if (wish.text === undefined ? !block.removable : !block.replaceable) return undefined
  const length = block.text.length
  return { ...wish, part: block.part, length, saved: length - (wish.text?.length ?? 0) }
}

const holds = (edit: Edit, blocks: readonly Block[]): boolean => {
  const block = blocks[edit.block]
  return block?.part === edit.part && block.text.length === edit.length
}

const byPlace = (left: Edit, right: Edit) => left.part - right.part || left.block - right.block

type Situation = Readonly<{ call: LiveCall; outline: Outline; kit: Kit; partition: string; key: string }>

/** What is known of the conversation and still holds. */
const recall = ({ call, outline, kit, partition, key }: Situation, caching: Caching | undefined) => {
  const course = kit.memory.get<Course>(partition, key)
  const observing = kit.mode === 'observe'
  if (!course) {
    // A conversation that began elsewhere. Was the lever turned on within the cache's time, its prefix may lie there unedited.
    const recent = kit.on_since_us !== undefined && call.at_us - kit.on_since_us < (caching?.ttl_us ?? 0)
    const warm = recent && !observing ? answered(outline.blocks) : 0
    return { from: 0, warm, run: 0, made: [], waiting: [] }
  }
  const known = common(course.hashes, call.chain.hashes)
  const isWarm = caching !== undefined && call.at_us - course.at_us <= caching.ttl_us
  const state = { warm: isWarm ? known : 0, run: isWarm && known > 0 ? course.run : 0 }
  const made = course.made.filter(({ part }) => part < known)
  const waiting = course.waiting.filter(({ part }) => part < known)
  // Another lever changed the texts under these edits: they are looked at anew.
  if (![...made, ...waiting].every((edit) => holds(edit, outline.blocks)))
    return { ...state, from: 0, made: [], waiting: [] }
  // What was only observed was never sent.
  if (course.observed && !observing)
    return { ...state, from: known, made: [], waiting: [...waiting, ...made].sort(byPlace) }
  return { ...state, from: known, made, waiting }
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

const changeOf = ({ block, text }: Edit): Change =>
  text === undefined ? { do: 'remove', block } : { do: 'replace', block, text }

/** Takes up a conversation where the last call left it. Read `finish` for what comes of it. */
export const resume = (call: LiveCall, outline: Outline, kit: Kit): Resumed => {
  const { chain } = call
  const partition = `${call.tenant} ${call.account} ${call.provider} ${call.model}`
  const key = call.fingerprints.conversation ?? call.fingerprints.exact ?? call.call_id
  const caching = cachingOf(call, outline, kit)
  const past = recall({ call, outline, kit, partition, key }, caching)
  const warm = chain.tokens[past.warm - 1] ?? 0
  const runs = runsOf(kit.memory, lineage(call))
  const run = past.run + 1
  note(runs, run)
  const ratio = kit.tokens(SAMPLE, call.provider, call.model) / SAMPLE.length
  const standing: Standing = {
    warm: caching && warm >= caching.minimum ? warm : 0,
    readable: caching?.readable ?? (() => 0),
    read: caching?.read ?? 1,
    write: caching?.write ?? 1,
    further: further(runs, run),
  }
  let made = past.made
  const cutsOf = (edits: readonly Edit[]): Cut[] =>
    edits.map((edit) => {
      const before = made.find(({ block }) => block === edit.block)?.saved ?? 0
      return { at: chain.tokens[edit.part - 1] ?? 0, tokens: (edit.saved - before) * ratio }
    })
  const open = (wishes: readonly Wish[]): Edit[] => {
    const edits = wishes.flatMap((wish) => editOf(wish, outline.blocks) ?? [])
    const wished = new Set(edits.map(({ block }) => block))
    return [...past.waiting.filter(({ block }) => !wished.has(block)), ...edits].sort(byPlace)
  }
  const finish = (wishes: readonly Wish[], nothing: string): Pulled => {
    const edits = open(wishes)
    const choice = choose(cutsOf(edits), standing)
    const chosen = edits.slice(choice.from)
    const waiting = edits.slice(0, choice.from)
    const anew = new Set(chosen.map(({ block }) => block))
    made = [...made.filter(({ block }) => !anew.has(block)), ...chosen].sort(byPlace)
    const observed = kit.mode === 'observe'
    kit.memory.set(partition, key, {
      hashes: chain.hashes,
      at_us: call.at_us,
      run,
      observed,
      made,
      waiting,
    } satisfies Course)
    const left =
      waiting.length === 0 ? '' : `${waiting.length} edits wait: they would cost more cache reads than they save`
    if (made.length === 0) return { do: 'nothing', why: left === '' ? nothing : left }
    const removed = cumulative(chain.tokens, made, ratio)
    const why = `${made.length} blocks shorter by ${removed.at(-1) ?? 0} tokens`
    return { do: 'change', changes: made.map(changeOf), removed, why: left === '' ? why : `${why}; ${left}` }
  }
  return {
    from: past.from,
    made,
    cold: standing.warm === 0,
    standing,
    worth: (wishes) => choose(cutsOf(open(wishes)), standing).gain,
    undo: (blocks) => {
      made = made.filter(({ block }) => !blocks.includes(block))
    },
    finish,
  }
}
