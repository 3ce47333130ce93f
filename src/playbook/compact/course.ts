import type { Kit, LiveCall } from '../../core/lever.ts'
import type { Block, Change, Outline } from '../../core/prompt.ts'
import type { Caching } from './caching.ts'
import { type Runs, runsOf } from './runs.ts'

/** What a lever would like of a block: another text in its place, or (without `text`) that it be left out. */
export type Wish = Readonly<{ block: number; text?: string }>

/**
 * A wish with the place that it was made for. `length` is that of the text it stands in for, `saved` what it takes off. `change`
 * is the same object on every turn, so that who writes it into bodies can remember what it wrote.
 */
export type Edit = Wish & Readonly<{ part: number; length: number; saved: number; change: Change }>

/** What a lever remembers of a prompt that was sent, so that its next turn gets the same edits at the same places. */
export type Course = Readonly<{
  hashes: readonly string[]
  at_us: number
  /** Calls since the cache was last cold. */
  run: number
  observed: boolean
  /** In their places, as those that wait. */
  made: readonly Edit[]
  /** Edits that did not pay so far. */
  waiting: readonly Edit[]
}>

/** A conversation can go on from several of its prompts (an agent that tries again, two at once); so many are remembered. */
const MOST_BRANCHES = 4

/** How many boundaries two chains have in common. A boundary's hash covers all before it, so the common ones come first. */
const common = (left: readonly string[], right: readonly string[]): number => {
  let low = 0
  let high = Math.min(left.length, right.length)
  // Most often all: a conversation grows at its end.
  if (left[high - 1] === right[high - 1]) return high
  while (low < high) {
    const middle = (low + high + 1) >>> 1
    if (left[middle - 1] === right[middle - 1]) low = middle
    else high = middle - 1
  }
  return low
}

/** Where the prompt ends that the provider has answered before: after the last block that the model itself wrote. */
const answered = (blocks: readonly Block[]): number => {
  let last = -1
  for (const block of blocks) if (block.role === 'assistant') last = Math.max(last, block.part)
  return last + 1
}

export const byPlace = (left: Edit, right: Edit) => left.part - right.part || left.block - right.block

/** Edits in their places. Those that come second most often lie behind all others. */
export const inPlace = (first: readonly Edit[], second: readonly Edit[]): readonly Edit[] => {
  const [last] = first.slice(-1)
  if (!last || second.length === 0) return last ? first : second
  const all = [...first, ...second]
  return second[0] && byPlace(last, second[0]) < 0 ? all : all.sort(byPlace)
}

/** The index of the first block that a part from this one on may have: what was seen before is not looked at again. */
export const firstFrom = (blocks: readonly Block[], part: number): number =>
  part === 0 ? 0 : blocks.findLastIndex((block) => block.part >= 0 && block.part < part) + 1

const holds = (edit: Edit, blocks: readonly Block[]): boolean => {
  const block = blocks[edit.block]
  return block?.part === edit.part && block.text.length === edit.length
}

/** What is remembered of a conversation, by whoever takes it up: it is looked for once a call. */
export type Conversation = {
  branches: readonly Course[]
  /** The runs that it counts for: those of the route on which it began. */
  readonly runs: Runs
}

const lineage = ({ circle, fingerprints }: LiveCall): string =>
  `${circle.feature ?? ''} ${fingerprints.template ?? ''} ${circle.agent ?? ''}`

const NONE: readonly Course[] = []

export const conversationOf = (call: LiveCall, { memory }: Kit): Conversation => {
  const { tenant, account, provider, model, fingerprints, call_id } = call
  const partition = `${tenant} ${account} ${provider} ${model}`
  const key = fingerprints.conversation ?? fingerprints.exact ?? call_id
  const known = memory.get<Conversation>(partition, key)
  if (known) return known
  const conversation = { branches: NONE, runs: runsOf(memory, lineage(call)) }
  memory.set(partition, key, conversation)
  return conversation
}

export type Situation = Readonly<{
  call: LiveCall
  outline: Outline
  kit: Kit
  caching: Caching | undefined
  conversation: Conversation
}>

export type Recalled = Readonly<{
  /** Parts from here on were not seen before. */
  from: number
  /** So many parts may lie in the provider's cache. */
  warm: number
  run: number
  made: readonly Edit[]
  waiting: readonly Edit[]
}>

/** The branch with the longest common beginning; of those that are still warm, if any is. */
const nearest = ({ call, caching, conversation: { branches } }: Situation) => {
  let best: { course: Course; known: number; isWarm: boolean } | undefined
  for (const course of branches) {
    const known = common(course.hashes, call.chain.hashes)
    const isWarm = caching !== undefined && call.at_us - course.at_us <= caching.ttl_us && known > 0
    const isNearer = !best || (isWarm === best.isWarm ? known > best.known : isWarm)
    if (isNearer) best = { course, known, isWarm }
  }
  return best
}

/**
 * A conversation that began elsewhere, or before a restart. It is taken to have been edited from its start, unless the
 * lever was turned on within the cache's time: then the cache may hold what was sent without it.
 */
const unknown = ({ call, outline, kit, caching }: Situation): Recalled => {
  const isRecent = kit.on_since_us !== undefined && call.at_us - kit.on_since_us < (caching?.ttl_us ?? 0)
  return {
    from: 0,
    warm: isRecent && kit.mode !== 'observe' ? answered(outline.blocks) : 0,
    run: 0,
    made: [],
    waiting: [],
  }
}

/** So many of the known parts come before the first edit that does not hold any more. */
const unchanged = (edits: readonly Edit[], known: number, { blocks }: Outline): number => {
  for (const edit of edits) {
    if (edit.part >= known) break
    if (!holds(edit, blocks)) return edit.part
  }
  return known
}

/** The edits of parts before this one. */
const upTo = (part: number, edits: readonly Edit[]): readonly Edit[] => {
  const last = edits.at(-1)
  return last === undefined || last.part < part ? edits : edits.filter((edit) => edit.part < part)
}

/** What is known of the conversation and still holds. Where another lever has changed a text since, all behind is new again. */
export const recall = (situation: Situation): Recalled => {
  const { outline, kit } = situation
  const found = nearest(situation)
  if (!found) return unknown(situation)
  const { course, known, isWarm } = found
  const from = Math.min(unchanged(course.made, known, outline), unchanged(course.waiting, known, outline))
  const state = { from, warm: isWarm ? from : 0, run: isWarm ? course.run : 0 }
  const made = upTo(from, course.made)
  const waiting = upTo(from, course.waiting)
  // What was only observed, or came too late, was never sent.
  if (course.observed && kit.mode !== 'observe') return { ...state, made: [], waiting: inPlace(waiting, made) }
  return { ...state, made, waiting }
}

/** Remembers what is sent now, in the place of the prompt that it goes on from. */
export const remember = (conversation: Conversation, course: Course): void => {
  const others = conversation.branches.filter(({ hashes }) => common(hashes, course.hashes) < hashes.length)
  conversation.branches = others.length === 0 ? [course] : [course, ...others].slice(0, MOST_BRANCHES)
}
