import type { Chosen, Kit, Lever, LiveCall } from '../../core/lever.ts'
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
type Use = { conversations: number; decided_at: number; readonly used: Set<string>; left_out: ReadonlySet<string> }

/** Conversations without a call of a tool after which it is 95 % sure that fewer than `share` of them call it: (1 − share)ⁿ = 5 %. */
const enough = (share: number): number => Math.ceil(Math.log(0.05) / Math.log(1 - share))

const MOST_TOOLS = 2048

const useOf = ({ circle, fingerprints, tenant }: LiveCall, kit: Kit): Use => {
  const route = `${circle.feature ?? ''} ${fingerprints.template ?? ''}`
  const known = kit.memory.get<Use>(`use ${tenant}`, route)
  if (known) return known
  const use: Use = { conversations: 0, decided_at: 0, used: new Set(), left_out: new Set() }
  kit.memory.set(`use ${tenant}`, route, use)
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
  for (const name of calledIn(blocks)) {
    if (use.used.size < MOST_TOOLS) use.used.add(name)
    if (use.left_out.has(name)) use.left_out = new Set([...use.left_out].filter((other) => other !== name))
  }
  const key = call.fingerprints.conversation
  if (key === undefined || !blocks.some(({ role }) => role === 'assistant')) return
  if (kit.memory.get(`met ${call.tenant}`, key)) return
  kit.memory.set(`met ${call.tenant}`, key, true)
  use.conversations += 1
}

/** Decides anew each time that twice as many conversations are known, never in between: every decision moves a prefix. */
const decide = (use: Use, blocks: readonly Block[], chosen: Settings, tokens: (text: string) => number): void => {
  if (use.conversations < enough(chosen.most_missed) || use.conversations < 2 * use.decided_at) return
  use.decided_at = use.conversations
  const unused = blocks.filter(
    ({ form, name = '' }) => form === 'tool' && !use.used.has(name) && !chosen.keep.includes(name),
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
    spread: {
      low: 0.7,
      high: 1,
      why: 'a tool that is put back moves a prefix, and a route may yet call what it never called',
    },
    next_test: 'observe it until every route has had 300 conversations',
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
    course.undo(course.made.flatMap(({ block }) => (called.has(blocks[block]?.name ?? '') ? [block] : [])))
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
  worth: worthOfRemoved,
  replay: (_, kit) => replayRemoved('compact/tools', kit),
} satisfies Lever<typeof settings>
