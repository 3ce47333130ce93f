import type { Chosen, Lever } from '../../core/lever.ts'
import type { Block } from '../../core/prompt.ts'
import { firstFrom, type Wish } from './course.ts'
import { replayRemoved, worthOfRemoved } from './removed.ts'
import { resume } from './resume.ts'

const settings = {
  duplicates: {
    type: 'flag',
    default: true,
    about: 'put a short reference in place of a tool result that an earlier result of the prompt says word for word',
  },
  mask_after_turns: {
    type: 'number',
    default: 0,
    least: 0,
    unit: 'turns',
    about:
      'leave tool results out once the model has answered so often since; 0 never does, and what it leaves out is lost, so evaluate it first',
  },
  least_characters: {
    type: 'number',
    default: 120,
    least: 80,
    unit: 'characters',
    about: 'shorter results are left as they are',
  },
} as const

type Settings = Chosen<typeof settings>

type Result = Readonly<{ index: number; block: Block; twin?: number }>

const isBeside = (block: Block, other: Block | undefined): boolean =>
  other !== undefined &&
  other.role === block.role &&
  other.message === block.message &&
  other.tool_call === block.tool_call

/** Is the block all that the tool has answered? Pieces of one result lie side by side, pictures among them. */
const isWhole = (blocks: readonly Block[], index: number, block: Block): boolean =>
  !isBeside(block, blocks[index - 1]) && !isBeside(block, blocks[index + 1])

/** Tool results that are long enough, each with the earliest whole one of the same text before it. */
const resultsOf = (blocks: readonly Block[], least: number): Result[] => {
  const results: Result[] = []
  const byLength = new Map<number, Result[]>()
  for (let index = 0; index < blocks.length; index++) {
    const block = blocks[index]
    if (block?.form !== 'tool-result' || block.gone || block.text.length < least) continue
    const { text } = block
    const alike = byLength.get(text.length)
    const twin = alike?.find((other) => other.block.text === text)
    const result: Result = twin ? { index, block, twin: twin.index } : { index, block }
    results.push(result)
    if (twin || !isWhole(blocks, index, block)) continue
    if (alike) alike.push(result)
    else byLength.set(text.length, [result])
  }
  return results
}

/** Has the prompt a result that was not seen before? */
const hasFurther = (blocks: readonly Block[], from: number): boolean =>
  blocks.slice(firstFrom(blocks, from)).some(({ form }) => form === 'tool-result')

/** How often the model has answered since each block. Blocks of one message are one answer. */
const agesOf = (blocks: readonly Block[]): number[] => {
  const ages: number[] = new Array(blocks.length).fill(0)
  let answers = 0
  let message = Number.POSITIVE_INFINITY
  for (let index = blocks.length - 1; index >= 0; index--) {
    const block = blocks[index]
    if (!block) continue
    if (block.role === 'assistant' && block.message < message) {
      answers += 1
      message = block.message
    }
    ages[index] = answers
  }
  return ages
}

/** Names of the tools that were called, by the id of the call. */
const namesOf = (blocks: readonly Block[]): ReadonlyMap<string, string> => {
  const names = new Map<string, string>()
  for (const { form, name, tool_call } of blocks)
    if (form === 'tool-call' && name !== undefined && tool_call !== undefined) names.set(tool_call, name)
  return names
}

const NONE = 'no result is repeated'
const REFERENCE = '[The same output as above'

const reference = ({ tool_call }: Block): string =>
  `${REFERENCE}${tool_call === undefined ? '' : `, of tool call ${tool_call}`}.]`

const mask = ({ tool_call }: Block, names: ReadonlyMap<string, string>): string => {
  const name = names.get(tool_call ?? '')
  return `[This output${name === undefined ? '' : ` of ${name}`} was left out because it is old. Call the tool again if it is needed.]`
}

const duplicates = (results: readonly Result[], blocks: readonly Block[], from: number): Wish[] => {
  const wishes: Wish[] = []
  for (const { index, block, twin } of results) {
    const first = twin === undefined ? undefined : blocks[twin]
    if (!first || !block.replaceable || block.part < from) continue
    const text = reference(first)
    if (text.length < block.text.length) wishes.push({ block: index, text })
  }
  return wishes
}

/** References to results that do not stand there any more as they did, since another lever has cut them. */
const dangling = (results: readonly Result[]): ((edit: Wish) => boolean) => {
  const referring = new Set(results.flatMap(({ index, twin }) => (twin === undefined ? [] : [index])))
  return ({ block, text }) => text?.startsWith(REFERENCE) === true && !referring.has(block)
}

/** Results that have grown old. One that a younger result refers to is kept until that one is old, too. */
const stale = (
  results: readonly Result[],
  blocks: readonly Block[],
  { duplicates: refers, mask_after_turns }: Settings,
): Wish[] => {
  const ages = agesOf(blocks)
  const isOld = (index: number) => (ages[index] ?? 0) >= mask_after_turns
  const needed = new Set(
    results.flatMap(({ twin, index }) => (refers && twin !== undefined && !isOld(index) ? [twin] : [])),
  )
  const names = namesOf(blocks)
  return results.flatMap(({ index, block, twin }) => {
    if (!block.replaceable || !isOld(index) || needed.has(index) || (refers && twin !== undefined)) return []
    const text = mask(block, names)
    return text.length < block.text.length ? [{ block: index, text }] : []
  })
}

export const lever = {
  name: 'compact/tool-results',
  play: 'compact',
  about: 'refers to an earlier tool result instead of repeating it, and leaves old ones out where that pays',
  settings,
  traits: {
    certainty: 'exact',
    risk: 'bounded',
    effort: 'switch',
    needs_observing: true,
  },
  pull(call, chosen, kit) {
    const outline = call.outline()
    if (!outline) return { do: 'nothing', why: 'the wire has no editor' }
    const { blocks } = outline
    const course = resume(call, outline, kit)
    if (chosen.mask_after_turns === 0 && course.untouched && !hasFurther(blocks, course.from))
      return course.finish([], NONE)
    const results = resultsOf(blocks, chosen.least_characters)
    if (!course.untouched) course.undo(dangling(results))
    const wishes = chosen.duplicates ? duplicates(results, blocks, course.from) : []
    if (chosen.mask_after_turns === 0) return course.finish(wishes, NONE)
    const done = new Set(course.made.map(({ block }) => block))
    const old = stale(results, blocks, chosen).filter(({ block }) => !done.has(block))
    return course.finish([...wishes, ...old], 'no result is repeated, and none is old')
  },
  worth: worthOfRemoved,
  replay: (_, kit) => replayRemoved('compact/tool-results', kit),
} satisfies Lever<typeof settings>
