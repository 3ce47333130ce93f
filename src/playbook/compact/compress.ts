import type { Chosen, Kit, Lever } from '../../core/lever.ts'
import type { Block } from '../../core/prompt.ts'
import type { Wish } from './course.ts'
import { documentAt } from './json-text.ts'
import { replayRemoved, worthOfRemoved } from './removed.ts'
import { resume } from './resume.ts'

const settings = {
  share: {
    type: 'number',
    default: 0.5,
    least: 0.1,
    most: 0.95,
    about: 'the share of a text’s tokens that is kept',
  },
  least_tokens: {
    type: 'number',
    default: 1000,
    least: 50,
    unit: 'tokens',
    about: 'shorter texts are left as they are',
  },
  contexts_only: { type: 'flag', default: true, about: 'compress tool results only, not users’ texts, too' },
} as const

type Settings = Chosen<typeof settings>

/** The longest text that is compressed, in characters: a compressor reads some thousand tokens a second. */
const LONGEST = 100_000

/** A word as prose has it, with what stands around it; a piece of a script that writes words without blanks between them. */
const word = /^[("'“‘«[]*\p{L}[\p{L}\p{M}'’-]*[.,;:!?)"'”’»\]…]*$/u
const unspaced = /^[\p{L}\p{M}\p{N}\p{P}]*[\p{sc=Han}\p{sc=Hira}\p{sc=Kana}\p{sc=Thai}]{4}[\p{L}\p{M}\p{N}\p{P}]*$/u
/** A line of prose has at least so many words, and they are this share of what stands in it. */
const LEAST_WORDS = 5
const MOSTLY = 0.7

const isSentence = (line: string): boolean => {
  const pieces = line.split(/\s+/).filter((piece) => piece !== '')
  if (pieces.some((piece) => unspaced.test(piece))) return true
  const words = pieces.filter((piece) => word.test(piece)).length
  return words >= LEAST_WORDS && words >= MOSTLY * pieces.length
}

/** Structure does not survive compression: JSON, code, tables and lists of short lines are left alone, fenced or not. */
const isProse = (text: string): boolean => {
  if (text.includes('```')) return false
  const start = text.length - text.trimStart().length
  if (documentAt(text, start) !== undefined) return false
  let all = 0
  let prose = 0
  for (const line of text.split('\n')) {
    const { length } = line.trim()
    all += length
    if (isSentence(line)) prose += length
  }
  return prose >= MOSTLY * all
}

const owns = ({ form, role, replaceable, text }: Block, { contexts_only }: Settings): boolean =>
  replaceable &&
  text.length <= LONGEST &&
  (form === 'tool-result' || (!contexts_only && form === 'text' && role === 'user'))

/** Compressed texts by their hash, so that a conversation that is seen anew costs no second run. */
const compressed = async (text: string, { share }: Settings, kit: Kit, tenant: string): Promise<string> => {
  const key = `${share} ${kit.hash(text)}`
  const known = kit.memory.get<string>(`compressed ${tenant}`, key)
  if (known !== undefined) return known
  const made = (await kit.compress?.(text, share)) ?? text
  kit.memory.set(`compressed ${tenant}`, key, made)
  return made
}

export const lever = {
  name: 'compact/compress',
  play: 'compact',
  about: 'shortens long prose in tool results word by word with LLMLingua-2, where its model is on disk',
  settings,
  traits: {
    certainty: 'estimated',
    risk: 'needs-eval',
    effort: 'project',
    spread: { low: 0.7, high: 1.1, why: 'answers from compressed texts may ask for more turns' },
    patience_ms: 3000,
    needs_observing: true,
    next_test: 'compare answers on 50 calls with and without',
  },
  async pull(call, chosen, kit) {
    if (!kit.compress) return { do: 'nothing', why: 'services.compressor names no model' }
    const outline = call.outline()
    if (!outline) return { do: 'nothing', why: 'the wire has no editor' }
    const course = resume(call, outline, kit)
    const { provider, model, tenant } = call
    const long = outline.blocks.flatMap((block, index) => {
      const isLong = block.part >= course.from && owns(block, chosen)
      return isLong && kit.tokens(block.text, provider, model) >= chosen.least_tokens && isProse(block.text)
        ? [index]
        : []
    })
    const wishes: Wish[] = []
    for (const block of long) {
      const text = outline.blocks[block]?.text ?? ''
      const made = await compressed(text, chosen, kit, tenant)
      if (made.trim() !== '' && made.length < text.length) wishes.push({ block, text: made })
    }
    return course.finish(wishes, long.length === 0 ? 'no long prose' : 'nothing got shorter')
  },
  worth: worthOfRemoved,
  replay: (_, kit) => replayRemoved('compact/compress', kit),
} satisfies Lever<typeof settings>
