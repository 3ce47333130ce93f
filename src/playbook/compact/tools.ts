import type { Chosen, Ended, Kit, Lever, LiveCall } from '../../core/lever.ts'
import type { Block } from '../../core/prompt.ts'
import type { Wish } from './course.ts'
import { replayRemoved, worthOfRemoved } from './removed.ts'
import { resume } from './resume.ts'

const settings = {
  most_missed: {
    type: 'number',
    default: 0.01,
    least: 0.0001,
    most: 0.2,
    about:
      'a tool is left out once it is 95 % sure that fewer than this share of a route’s conversations would have called it',
  },
  least_tokens: {
    type: 'number',
    default: 500,
    least: 0,
    unit: 'tokens',
    about: 'nothing is left out of a route whose unused tools together are shorter',
  },
  keep: { type: 'texts', default: [], about: 'names of tools that always stay' },
} as const

type Settings = Chosen<typeof settings>

/** What is known of a route's use of its tools. `left_out` is kept as it is between two decisions, so that prompts begin alike. */
type Use = {
  conversations: number
  decided_at: number
  readonly used: Set<string>
  left_out: ReadonlySet<string>
  /** Tools of which it is noted that they were called. */
  readonly noted: Set<string>
  /** How far the notes of conversations and of tools have been read. */
  readonly read: { met: number; used: number }
}

/** Conversations without a call of a tool after which it is 95 % sure that fewer than `share` of them call it: (1 − share)ⁿ = 5 %. */
const enough = (share: number): number => Math.ceil(Math.log(0.05) / Math.log(1 - share))

const MOST_TOOLS = 2048

/** So many conversations are kept over a restart. */
const MOST_NOTES = 4096

const routeOf = ({ circle, fingerprints }: LiveCall): string => `${circle.feature ?? ''} ${fingerprints.template ?? ''}`

const notesOf = (call: LiveCall, kit: Kit) => {
  const place = `compact/tools ${kit.hash(`${call.tenant} ${routeOf(call)}`)}`
  return { met: `${place} met`, used: `${place} used` }
}

const putBack = (use: Use, name: string): void => {
  if (use.used.size < MOST_TOOLS) use.used.add(name)
  if (use.left_out.has(name)) use.left_out = new Set([...use.left_out].filter((other) => other !== name))
}

/** Takes in what other threads, and runs before, have noted. */
const catchUp = (use: Use, call: LiveCall, kit: Kit): void => {
  const { notes } = kit
  if (!notes) return
  const place = notesOf(call, kit)
  const used = notes.after(place.used, use.read.used)
  for (const name of used.notes) {
    use.noted.add(name)
    putBack(use, name)
  }
  const met = notes.after(place.met, use.read.met)
  for (const key of met.notes) {
    if (kit.memory.get(`met ${call.tenant}`, key) === undefined) use.conversations += 1
    kit.memory.set(`met ${call.tenant}`, key, 'noted')
  }
  use.read.used = used.position
  use.read.met = met.position
}

const useOf = (call: LiveCall, kit: Kit): Use => {
  const known = kit.memory.get<Use>(`use ${call.tenant}`, routeOf(call))
  if (known) return known
  const use: Use = {
    conversations: 0,
    decided_at: 0,
    used: new Set(),
    left_out: new Set(),
    noted: new Set(),
    read: { met: 0, used: 0 },
  }
  kit.memory.set(`use ${call.tenant}`, routeOf(call), use)
  catchUp(use, call, kit)
  return use
}

/** Names of the tools that the prompt shows to have been called. */
const calledIn = (blocks: readonly Block[]): Set<string> => {
  const called = new Set<string>()
  for (const { form, name } of blocks) if (form === 'tool-call' && name !== undefined) called.add(name)
  return called
}

/** A conversation counts when it is seen with an answer: before that nothing can have been called. */
const learn = (use: Use, call: LiveCall, blocks: readonly Block[], kit: Kit): void => {
  for (const name of calledIn(blocks)) putBack(use, name)
  const key = call.fingerprints.conversation
  if (key === undefined || !blocks.some(({ role }) => role === 'assistant')) return
  if (kit.memory.get(`met ${call.tenant}`, key)) return
  kit.memory.set(`met ${call.tenant}`, key, 'met')
  use.conversations += 1
}

/**
 * Notes what this call has shown: the tools that were called for the first time, and a conversation that counts. The call that ends
 * a conversation (to hand in a result, to hand over) comes back in no prompt, so the answer tells, too.
 */
const keep = ({ call, called }: Pick<Ended, 'call' | 'called'>, blocks: readonly Block[], kit: Kit): void => {
  const { notes } = kit
  const use = useOf(call, kit)
  const answered = called?.() ?? []
  for (const name of answered) putBack(use, name)
  if (!notes) return
  const place = notesOf(call, kit)
  for (const name of [...calledIn(blocks), ...answered])
    if (!use.noted.has(name) && use.noted.size < MOST_TOOLS && notes.add(place.used, name, MOST_TOOLS))
      use.noted.add(name)
  const key = call.fingerprints.conversation
  if (key === undefined || kit.memory.get(`met ${call.tenant}`, key) !== 'met') return
  if (!notes.add(place.met, key, MOST_NOTES)) return
  kit.memory.set(`met ${call.tenant}`, key, 'noted')
  catchUp(use, call, kit)
}

/** Decides anew each time that twice as many conversations are known, never in between: every decision moves a prefix. */
const decide = (use: Use, blocks: readonly Block[], chosen: Settings, tokens: (text: string) => number): void => {
  if (use.conversations < enough(chosen.most_missed) || use.conversations < 2 * use.decided_at) return
  use.decided_at = use.conversations
  const unused = blocks.filter(
    ({ form, removable, name = '' }) =>
      form === 'tool' && removable && !use.used.has(name) && !chosen.keep.includes(name),
  )
  const sum = unused.reduce((all, { text }) => all + tokens(text), 0)
  use.left_out = new Set(sum < chosen.least_tokens ? [] : unused.map(({ name = '' }) => name))
}

/** Tools that the newest words name are wanted, whatever was learnt. */
const isNamed = (name: string, blocks: readonly Block[]): boolean =>
  blocks.some(({ role, form, text }) => role === 'user' && form === 'text' && text.includes(name))

export const lever = {
  name: 'compact/tools',
  play: 'compact',
  about: 'leaves out definitions of tools that a route has never called over enough conversations',
  settings,
  traits: {
    certainty: 'estimated',
    risk: 'bounded',
    effort: 'switch',
    wants_answer: 1_048_576,
    spread: {
      low: 0.7,
      high: 1.1,
      why: 'a tool that is put back moves a prefix, a route may yet call what it never called, and what a provider adds to each tool is not counted',
    },
    needs_observing: true,
  },
  pull(call, chosen, kit) {
    const outline = call.outline()
    if (!outline) return { do: 'nothing', why: 'the wire has no editor' }
    const { blocks } = outline
    if (!blocks.some(({ form }) => form === 'tool')) return { do: 'nothing', why: 'no tools' }
    const use = useOf(call, kit)
    learn(use, call, blocks, kit)
    decide(use, blocks, chosen, (text) => kit.tokens(text, call.provider, call.model))
    const course = resume(call, outline, kit)
    const called = calledIn(blocks)
    // A call for a tool that was left out puts it back, in this conversation and for the route.
    course.undo(({ block }) => called.has(blocks[block]?.name ?? ''))
    const isUnused = ({ form, name, removable }: Block) =>
      form === 'tool' &&
      removable &&
      name !== undefined &&
      use.left_out.has(name) &&
      !called.has(name) &&
      !isNamed(name, blocks)
    const wishes = blocks.flatMap((block, index): Wish[] =>
      block.part >= course.from && isUnused(block) ? [{ block: index }] : [],
    )
    const known = `${use.conversations} of ${enough(chosen.most_missed)} conversations seen`
    return course.finish(wishes, use.decided_at > 0 ? 'no long tool is unused' : known)
  },
  learn(ended, _, kit) {
    const blocks = ended.call.outline()?.blocks ?? []
    if (blocks.some(({ form }) => form === 'tool')) keep(ended, blocks, kit)
  },
  worth: worthOfRemoved,
  replay: (_, kit) => replayRemoved('compact/tools', kit),
} satisfies Lever<typeof settings>
