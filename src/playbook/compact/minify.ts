import { globMatches } from '../../core/glob.ts'
import type { Chosen, Lever } from '../../core/lever.ts'
import type { Block } from '../../core/prompt.ts'
import { firstFrom, type Wish } from './course.ts'
import { tidied } from './plain-text.ts'
import { replayRemoved, worthOfRemoved } from './removed.ts'
import { resume } from './resume.ts'

const settings = {
  json: {
    type: 'flag',
    default: true,
    about: 'take the blanks out of JSON; numbers, key order and strings stay as written',
  },
  blanks: {
    type: 'flag',
    default: true,
    about: 'take out spaces at the ends of lines, and all but one of several blank lines',
  },
  verbatim: {
    type: 'texts',
    default: ['*read*file*', 'view', 'Edit', 'str_replace*', '*text_editor*', '*get_file_contents*'],
    about:
      'names of tools (with *) whose results are left as they are, because the model quotes them to the letter: it edits a file by the text that it has read',
  },
  system: { type: 'flag', default: false, about: 'tidy the system prompt and examples, too' },
  least_characters: {
    type: 'number',
    default: 2,
    least: 1,
    unit: 'characters',
    about: 'a text that would get shorter by less is left as it is',
  },
} as const

type Settings = Chosen<typeof settings>

const owns = (block: Block, { system }: Settings): boolean => {
  if (!block.replaceable) return false
  if (block.form === 'tool-result') return true
  if (block.form !== 'text') return false
  if (block.role === 'system' || block.kind === 'examples') return system
  return block.role === 'user' || block.role === 'tool'
}

/** Is the block the result of a tool that is quoted to the letter? */
const isQuoted = ({ form, tool_call }: Block, blocks: readonly Block[], { verbatim }: Settings): boolean => {
  if (form !== 'tool-result' || tool_call === undefined) return false
  const call = blocks.find((other) => other.form === 'tool-call' && other.tool_call === tool_call)
  return verbatim.some((glob) => globMatches(glob, call?.name ?? ''))
}

/** A text's tidy form depends on nothing else, so it is the same on every turn. */
const wishes = (blocks: readonly Block[], from: number, chosen: Settings): Wish[] => {
  const found: Wish[] = []
  for (let index = firstFrom(blocks, from); index < blocks.length; index++) {
    const block = blocks[index]
    if (!block || block.part < from || !owns(block, chosen)) continue
    const text = tidied(block.text, chosen)
    const isShorter = block.text.length - text.length >= chosen.least_characters && text !== ''
    if (isShorter && !isQuoted(block, blocks, chosen)) found.push({ block: index, text })
  }
  return found
}

export const lever = {
  name: 'compact/minify',
  play: 'compact',
  about: 'takes blanks that mean nothing out of JSON and text in tool results and user messages',
  settings,
  traits: {
    certainty: 'exact',
    risk: 'none',
    effort: 'switch',
    needs_observing: true,
  },
  pull(call, chosen, kit) {
    const outline = call.outline()
    if (!outline) return { do: 'nothing', why: 'the wire has no editor' }
    const course = resume(call, outline, kit)
    return course.finish(wishes(outline.blocks, course.from, chosen), 'nothing to take out')
  },
  worth: worthOfRemoved,
  replay: (_, kit) => replayRemoved('compact/minify', kit),
} satisfies Lever<typeof settings>
