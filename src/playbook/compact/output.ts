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

/** So many answers are kept over a restart; the oldest have faded by then. */
const MOST_NOTES = 4096

/** What is known of a route, and how far its notes have been read. */
type Known = { readonly lengths: Lengths; position: number }

const notesOf = (route: string, kit: Kit) => `compact/output ${kit.hash(route)}`

/** Takes in what other threads, and runs before, have noted; says whether there was anything. */
const catchUp = (known: Known, route: string, kit: Kit): boolean => {
  const read = kit.notes?.after(notesOf(route, kit), known.position)
  if (!read) return false
  known.position = read.position
  for (const text of read.notes) {
    const [tokens = 0, was_cut] = text.split(' ').map(Number)
    if (tokens >= 0) noteLength(known.lengths, tokens, was_cut === 1)
  }
  return read.notes.length > 0
}

const knownOf = (route: string, kit: Kit): Known => {
  const found = kit.memory.get<Known>('lengths', route)
  if (found) return found
  const known = { lengths: noLengths(), position: 0 }
  kit.memory.set('lengths', route, known)
  catchUp(known, route, kit)
  return known
}

const lengthsOf = (route: string, kit: Kit): Lengths => knownOf(route, kit).lengths

type Length = Readonly<{ tokens: number; was_cut: boolean }>

/** An answer as it is learnt from: how long it was, or that the cap cut it. One that is only observed is cut in thought. */
const lengthOf = (output: number, cap: number | undefined): Length => {
  const was_cut = cap !== undefined && output >= cap
  return { tokens: was_cut ? cap : output, was_cut }
}

/** The cap that stood in a decision. */
const capIn = (pulled: Pulled | undefined): number | undefined => {
  if (pulled?.do !== 'change') return undefined
  const set = pulled.changes.find((change) => change.do === 'set')
  return set?.do === 'set' ? set.fields.max_output_tokens : undefined
}

/** The fields that this call is to have otherwise than asked. */
const fieldsOf = (call: LiveCall, chosen: Settings, kit: Kit): BodyFields => {
  const cap = capOf(lengthsOf(routeOf(call), kit), chosen)
  const asked = call.max_output_tokens
  const outline = chosen.structured && call.response_format === undefined ? call.outline() : undefined
  const schema = outline && outline.fields.response_schema === undefined ? statedSchema(outline.blocks) : undefined
  return {
    ...(cap === undefined || (asked !== undefined && asked <= cap) ? {} : { max_output_tokens: cap }),
    ...(schema === undefined ? {} : { response_schema: schema }),
  }
}

type Open = Readonly<{ ended_at_us: number; lengths: Lengths; output: number; cap: number | undefined }>

/** Puts an answer that is under way behind those that end no later: most calls end soon after the others. */
const place = (open: Open[], one: Open): void => {
  let at = open.length
  while (at > 0 && (open[at - 1]?.ended_at_us ?? 0) > one.ended_at_us) at -= 1
  open.splice(at, 0, one)
}

/** Routes that are remembered at once, as of a live lever. */
const MOST_ROUTES = 20_000

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
      const { tokens, was_cut } = lengthOf(first.output, first.cap)
      noteLength(first.lengths, tokens, was_cut)
    }
  }
  return (past: Past): Past => {
    if (past.answered) return past
    learnUpTo(past.at_us)
    const route = `${group.of(past)} ${past.fingerprints.template ?? ''}`
    const lengths = routes.get(route) ?? noLengths()
    if (lengths.counted === 0) routes.set(route, lengths)
    const learnt = capOf(lengths, chosen)
    const cap =
      learnt !== undefined && learnt < (past.max_output_tokens ?? Number.POSITIVE_INFINITY) ? learnt : undefined
    const { output } = past.usage
    if (past.outcome === 'ok') place(open, { ended_at_us: past.ended_at_us, lengths, output, cap })
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
    next_test: 'none: lengths are on the receipts',
  },
  pull(call, chosen, kit) {
    const fields = fieldsOf(call, chosen, kit)
    const { max_output_tokens: cap, response_schema } = fields
    const said = [
      ...(cap === undefined ? [] : [`capped at ${cap} tokens`]),
      ...(response_schema === undefined ? [] : ['structured output by the schema in the system prompt']),
    ]
    if (said.length > 0) return { do: 'change', changes: [{ do: 'set', fields }], why: said.join(', ') }
    const { counted } = lengthsOf(routeOf(call), kit)
    const isKnown = counted >= chosen.least_answers
    return {
      do: 'nothing',
      why: isKnown ? 'the call asks for less than the cap' : `${Math.round(counted)} answers seen of this route`,
    }
  },
  learn({ call, receipt, pulled }, _, kit) {
    if (receipt.outcome !== 'ok' || receipt.output_tokens === undefined) return
    const route = routeOf(call)
    const known = knownOf(route, kit)
    const { tokens, was_cut } = lengthOf(receipt.output_tokens, capIn(pulled))
    const isNoted = kit.notes?.add(notesOf(route, kit), `${tokens} ${was_cut ? 1 : 0}`, MOST_NOTES) ?? false
    if (!isNoted || !catchUp(known, route, kit)) noteLength(known.lengths, tokens, was_cut)
  },
  worth({ pulled, mode, usage, rates }) {
    const cap = capIn(pulled)
    return mode === 'on' || cap === undefined ? 0 : Math.max(0, usage.output - cap) * rates.output
  },
  replay,
} satisfies Lever<typeof settings>
