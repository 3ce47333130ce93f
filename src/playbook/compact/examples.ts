import type { Chosen, Lever } from '../../core/lever.ts'
import type { Block } from '../../core/prompt.ts'
import { type Chunk, without } from './chunks.ts'
import type { Wish } from './course.ts'
import { replayRemoved, worthOfRemoved } from './removed.ts'
import { resume } from './resume.ts'

const settings = {
  verdict: {
    type: 'text',
    default: '',
    about:
      'the evaluation that showed the route to answer as well with fewer examples, by any name; without one nothing is left out',
  },
  templates: {
    type: 'texts',
    default: [],
    about:
      'template fingerprints (as on the receipts) that the verdict holds for; a changed prompt needs a new verdict',
  },
  keep: { type: 'number', default: 0, least: 0, unit: 'examples', about: 'how many examples stay, from the first on' },
} as const

type Settings = Chosen<typeof settings>

const element = /<example\b[^<>]*>/gi
const END = '</example>'

/** Examples in a text; the tags around them (`<examples>`) and what is between them are no part of any. */
const examplesIn = (text: string): Chunk[] => {
  const found: Chunk[] = []
  const lower = text.toLowerCase()
  element.lastIndex = 0
  for (let match = element.exec(text); match; match = element.exec(text)) {
    const close = lower.indexOf(END, element.lastIndex)
    if (close < 0) break
    found.push({ start: match.index, end: close + END.length })
    element.lastIndex = close + END.length
  }
  return found
}

/** Examples in a text of tags; those that are messages of their own have none. */
const tagged = ({ form, role, text }: Block): readonly Chunk[] =>
  form !== 'text' || role === 'assistant' ? [] : examplesIn(text)

const isMessage = (block: Block): boolean =>
  block.kind === 'examples' && block.role !== 'system' && tagged(block).length === 0

/** May all examples that are messages be left out? */
const areFree = (blocks: readonly Block[]): boolean =>
  blocks.every((block) => !isMessage(block) || (block.removable && block.mark === undefined) || block.gone)

/**
 * Examples from the first prompt on: in tags inside of a text, or as messages of their own. A message leaves only together
 * with those that belong to it: they all leave, or none where some are to be kept or cannot go (a call, its result, a cache mark).
 */
const wishes = (blocks: readonly Block[], from: number, keep: number): Wish[] => {
  let seen = 0
  const isFree = keep === 0 && areFree(blocks)
  return blocks.flatMap((block, index): Wish[] => {
    const examples = tagged(block)
    if (examples.length === 0) return isFree && isMessage(block) && block.part >= from ? [{ block: index }] : []
    const out = examples.slice(Math.max(0, keep - seen))
    seen += examples.length
    if (out.length === 0 || block.part < from || !block.replaceable) return []
    const text = without(block.text, out)
    return text.trim() === '' ? (block.removable ? [{ block: index }] : []) : [{ block: index, text }]
  })
}

const permitted = (template: string | undefined, { verdict, templates }: Settings): string | undefined => {
  if (verdict === '') return 'no verdict of an evaluation is configured'
  return template !== undefined && templates.includes(template) ? undefined : 'the verdict is not of this template'
}

export const lever = {
  name: 'compact/examples',
  play: 'compact',
  about: 'leaves out worked examples that a route no longer needs, as an evaluation of its prompt has shown',
  settings,
  traits: {
    certainty: 'estimated',
    risk: 'needs-eval',
    effort: 'project',
    spread: { low: 0.8, high: 1, why: 'answers without examples may get longer' },
    needs_observing: true,
    next_test: 'replay 50 calls with and without examples and compare their answers',
  },
  pull(call, chosen, kit) {
    const outline = call.outline()
    if (!outline) return { do: 'nothing', why: 'the wire has no editor' }
    const refused = kit.mode === 'observe' ? undefined : permitted(call.fingerprints.template, chosen)
    if (refused !== undefined) return { do: 'nothing', why: refused }
    const course = resume(call, outline, kit)
    return course.finish(wishes(outline.blocks, course.from, chosen.keep), 'no examples to leave out')
  },
  worth: worthOfRemoved,
  replay: (_, kit) => replayRemoved('compact/examples', kit),
} satisfies Lever<typeof settings>
