import { openKinds } from '../../core/kinds.ts'
import type { Chosen, Kit, Lever, LiveCall, Pulled } from '../../core/lever.ts'
import type { Past } from '../../core/past.ts'
import type { BodyFields } from '../../core/prompt.ts'
import { openRecent } from '../../core/recent.ts'
import { capOf, type Lengths, noLengths, noteLength } from './lengths.ts'
import { statedSchema } from './stated-schema.ts'

const settings = {
  quantile: {
    type: 'number',
    default: 0.999,
    least: 0.9,
    most: 1,
    about: 'the share of a route’s answers that the cap must not touch, before the margin',
  },
  margin: { type: 'number', default: 1.5, least: 1, unit: 'times', about: 'the cap is so many times that length' },
  floor_tokens: { type: 'number', default: 256, least: 16, unit: 'tokens', about: 'no cap is lower than this' },
  least_answers: {
    type: 'number',
    default: 200,
    least: 20,
    unit: 'answers',
    about: 'a route is not capped before so many of its answers were seen',
  },
  structured: {
    type: 'flag',
    default: false,
    about: 'ask for structured output where the system prompt states a JSON schema that strict modes take as it is',
  },
} as const

type Settings = Chosen<typeof settings>

/** A route: calls of one feature, template and model answer alike. */
const routeOf = ({ circle, fingerprints, model }: Pick<LiveCall & Past, 'circle' | 'fingerprints' | 'model'>): string =>
  `${circle.feature ?? ''} ${fingerprints.template ?? ''} ${model}`

/** So many notes are kept over a restart; the oldest have faded by then. */
const MOST_NOTES = 4096

/** Answers are noted together: so many, or those of a second. What is not noted yet is lost at a restart, and nothing else. */
const TOGETHER = 64
const WAIT_US = 1_000_000

/** What is known of a route, how far its notes have been read, and what is learnt but not noted yet. */
type Known = { readonly lengths: Lengths; position: number; pending: string; count: number; noted_at_us: number }

const notesOf = (route: string, kit: Kit) => `compact/output ${kit.hash(route)}`

/** Who writes: what this memory has noted itself it has learnt already. */
const writerOf = (kit: Kit): string => {
  const known = kit.memory.get<string>('writer', '')
  if (known !== undefined) return known
  const writer = kit.hash(`${kit.now_us()} ${kit.random()}`)
  kit.memory.set('writer', '', writer)
  return writer
}

/** A note's answers: `300` was whole, `300c` was cut. */
const learnFrom = (lengths: Lengths, answers: readonly string[]): void => {
  for (const answer of answers) {
    const tokens = Number.parseInt(answer, 10)
    if (tokens >= 0) noteLength(lengths, tokens, answer.endsWith('c'))
  }
}

/** Takes in what other threads, and runs before, have noted. */
const catchUp = (known: Known, route: string, kit: Kit): void => {
  const read = kit.notes?.after(notesOf(route, kit), known.position)
  if (!read) return
  known.position = read.position
  const own = writerOf(kit)
  for (const text of read.notes) {
    const [writer, ...answers] = text.split(' ')
    if (writer !== own) learnFrom(known.lengths, answers)
  }
}

const knownOf = (route: string, kit: Kit): Known => {
  const found = kit.memory.get<Known>('lengths', route)
  if (found) return found
  const known = { lengths: noLengths(), position: 0, pending: '', count: 0, noted_at_us: kit.now_us() }
  kit.memory.set('lengths', route, known)
  catchUp(known, route, kit)
  return known
}

/** Notes what has been learnt, where it is enough or old enough, and takes in what others have noted meanwhile. */
const share = (known: Known, route: string, kit: Kit): void => {
  const now_us = kit.now_us()
  if (known.count < TOGETHER && now_us - known.noted_at_us < WAIT_US) return
  kit.notes?.add(notesOf(route, kit), `${writerOf(kit)}${known.pending}`, MOST_NOTES)
  known.pending = ''
  known.count = 0
  known.noted_at_us = now_us
  catchUp(known, route, kit)
}

type Length = Readonly<{ tokens: number; was_cut: boolean }>

/** How providers say that an answer came to the most that was allowed. */
const truncated = /^(length|max_tokens|max_output_tokens|model_length|incomplete)$/i

/**
 * An answer as it is learnt from: how long it was, or that the cap cut it. One that is only observed is cut in thought. One that the
 * client's own maximum cut tells nothing: nobody knows how long it would have been.
 */
const lengthOf = (output: number, cap: number | undefined, finish_reason = ''): Length | undefined => {
  if (cap !== undefined && output >= cap) return { tokens: cap, was_cut: true }
  return truncated.test(finish_reason) ? undefined : { tokens: output, was_cut: false }
}

/** The cap that stood in a decision. */
const capIn = (pulled: Pulled | undefined): number | undefined => {
  if (pulled?.do !== 'change') return undefined
  const set = pulled.changes.find((change) => change.do === 'set')
  return set?.do === 'set' ? set.fields.max_output_tokens : undefined
}

/** May the call's maximum be lowered? Of several choices each has it, while answers are counted together: that is left alone. */
const isLower = (cap: number, call: LiveCall): boolean => {
  const asked = call.max_output_tokens
  return asked === undefined || (cap < asked && call.outline()?.fields.max_output_tokens === asked)
}

/** The fields that this call is to have otherwise than asked. */
const fieldsOf = (call: LiveCall, lengths: Lengths, chosen: Settings): BodyFields => {
  const cap = capOf(lengths, chosen)
  const outline = chosen.structured && call.response_format === undefined ? call.outline() : undefined
  const schema = outline && outline.fields.response_schema === undefined ? statedSchema(outline.blocks) : undefined
  return {
    ...(cap === undefined || !isLower(cap, call) ? {} : { max_output_tokens: cap }),
    ...(schema === undefined ? {} : { response_schema: schema }),
  }
}

type Open = Readonly<{ ended_at_us: number; lengths: Lengths; length: Length }>

/** Puts an answer that is under way behind those that end no later: most calls end soon after the others. */
const place = (open: Open[], one: Open): void => {
  let at = open.push(one) - 1
  for (let before = open[at - 1]; before && before.ended_at_us > one.ended_at_us; before = open[at - 1]) {
    open[at] = before
    at -= 1
  }
  open[at] = one
}

/** Routes that are remembered at once, as of a live lever. */
const MOST_ROUTES = 20_000

const isBelow = (cap: number | undefined, asked = Number.POSITIVE_INFINITY): boolean => cap !== undefined && cap < asked

/** Replays answers in the order in which they ended, as they were learnt from when they were live. */
const replay = (chosen: Settings) => {
  let groups = 0
  const group = openKinds(
    ({ circle, model }) => [circle.feature, model],
    () => ++groups,
  )
  const routes = openRecent<Lengths>(MOST_ROUTES)
  const open: Open[] = []
  const learnUpTo = (at_us: number): void => {
    while ((open[0]?.ended_at_us ?? Number.POSITIVE_INFINITY) <= at_us) {
      const first = open.shift()
      if (!first) return
      noteLength(first.lengths, first.length.tokens, first.length.was_cut)
    }
  }
  return (past: Past): Past => {
    if (past.answered) return past
    learnUpTo(past.at_us)
    const route = `${group.of(past)} ${past.fingerprints.template ?? ''}`
    const lengths = routes.get(route) ?? noLengths()
    if (lengths.counted === 0) routes.set(route, lengths)
    const learnt = capOf(lengths, chosen)
    const cap = isBelow(learnt, past.max_output_tokens) ? learnt : undefined
    const { output } = past.usage
    const length = past.outcome === 'ok' ? lengthOf(output, cap, past.finish_reason) : undefined
    if (length) place(open, { ended_at_us: past.ended_at_us, lengths, length })
    if (cap === undefined || output <= cap) return past
    return { ...past, usage: { ...past.usage, output: cap }, finish_reason: 'length' }
  }
}

export const lever = {
  name: 'compact/output',
  play: 'compact',
  about:
    'caps answers at a length that its route all but never reaches, so that a runaway answer is not paid to its end',
  settings,
  traits: {
    certainty: 'exact',
    risk: 'bounded',
    effort: 'switch',
  },
  pull(call, chosen, kit) {
    const { lengths } = knownOf(routeOf(call), kit)
    const fields = fieldsOf(call, lengths, chosen)
    const { max_output_tokens: cap, response_schema } = fields
    const said = [
      ...(cap === undefined ? [] : [`capped at ${cap} tokens`]),
      ...(response_schema === undefined ? [] : ['structured output by the schema in the system prompt']),
    ]
    if (said.length > 0) return { do: 'change', changes: [{ do: 'set', fields }], why: said.join(', ') }
    const { counted } = lengths
    const isKnown = counted >= chosen.least_answers
    const seen = `${Math.round(counted)} of ${chosen.least_answers} answers of this route seen`
    return { do: 'nothing', why: isKnown ? 'the call asks for less than the cap' : seen }
  },
  learn({ call, receipt, pulled }, _, kit) {
    if (receipt.outcome !== 'ok' || receipt.output_tokens === undefined) return
    const length = lengthOf(receipt.output_tokens, capIn(pulled), receipt.finish_reason)
    if (!length) return
    const { tokens, was_cut } = length
    const route = routeOf(call)
    const known = knownOf(route, kit)
    noteLength(known.lengths, tokens, was_cut)
    known.pending += was_cut ? ` ${tokens}c` : ` ${tokens}`
    known.count += 1
    share(known, route, kit)
  },
  worth({ pulled, mode, usage, rates }) {
    const cap = capIn(pulled)
    return mode === 'on' || cap === undefined ? 0 : Math.max(0, usage.output - cap) * rates.output
  },
  replay,
} satisfies Lever<typeof settings>
