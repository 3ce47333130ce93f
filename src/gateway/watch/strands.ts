import { type layout, packs } from '../../core/columns.ts'
import { fieldMark, lineMark } from '../../core/line-marks.ts'
import { openStrand, type Strand } from '../../playbook/allocate/detect/strand.ts'
import { cellName, type Watched } from '../../playbook/allocate/detect/watched.ts'

/** Entries of a memory before it is forgotten as a whole. */
const MOST_KNOWN = 4096
/** Callers are many and their calls come close together: those of long ago would only be in the way. */
const MOST_CALLERS = 512
/** Strands of one caller. */
const MOST_TARGETS = 16

/** A text by itself, of its bytes: part of a longer one would hold on to all of it. */
const own = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('latin1')
const utf8 = (latin1: string): string => Buffer.from(latin1, 'latin1').toString('utf8')

/** What was made of a text, by the text: mostly it is that of the line before. Texts have a character a byte. */
const memory = <T>(make: (text: string) => T, most = MOST_KNOWN) => {
  const known = new Map<string, T>()
  let last_text = ''
  let last: T | undefined
  return (text: string, begin: number, end: number): T => {
    const part = text.slice(begin, end)
    // Equality is seen several times as fast as a hash is made.
    if (last !== undefined && part === last_text) return last
    let found = known.get(part)
    if (found === undefined) {
      if (known.size >= most) known.clear()
      const alone = own(part)
      found = make(alone)
      known.set(alone, found)
      last_text = alone
    } else last_text = own(part)
    last = found
    return found
  }
}

type Packed = 'payer' | 'what' | 'ended'
type Fields<P extends Packed> = Readonly<Partial<Record<(typeof packs)[P][number], string>>>

/** The fields of a pack, as text. */
const fieldsOf = <P extends Packed>(pack: P, text: string): Fields<P> => {
  const values = utf8(text).split(fieldMark)
  const names: readonly string[] = packs[pack]
  return Object.fromEntries(names.map((name, at) => [name, values[at] || undefined])) as Fields<P>
}

type Meters = Readonly<{ cell_names: readonly string[]; price_rows: readonly string[] }>

const metersOf = (text: string): Meters => {
  const lines = text === '' ? [] : utf8(text).split(lineMark)
  const read = lines.map((line) => line.split(fieldMark))
  return {
    cell_names: read.map(([, model = '', meter = '']) => cellName(model, meter)),
    price_rows: [...new Set(read.flatMap(([, , , , row = '']) => (row === '' ? [] : row)))],
  }
}

let named = 0
/** A number for each text that is made something of, so that several name a strand together. */
const numbered = <T extends object>(value: T): Readonly<{ value: T; number: number }> => {
  named += 1
  return { value, number: named }
}

/** Who called, with the strands of their calls by target; mostly there is one. */
type Caller = Readonly<{ payer: Payer; strands: [target: number, strand: Strand][] }>

const strandTo = ({ strands }: Caller, wanted: number): Strand | undefined => {
  for (const [target, strand] of strands) if (target === wanted) return strand
  return undefined
}

type Payer = Pick<Watched, 'key_id' | 'team' | 'feature' | 'environment' | 'origin' | 'agent' | 'customer' | 'user'> &
  Pick<Watched, 'tags' | 'session'>

/** The columns of a line that lie side by side and say who called. */
export const payerColumns = [
  'payer',
  'customer',
  'user',
  'tags',
  'session',
] as const satisfies readonly (typeof layout)[number][]

const payerReader = () => {
  const packIn = memory((text) => fieldsOf('payer', text))
  const tagsIn = memory((text) => (text === '' ? {} : { tags: JSON.parse(utf8(text)) as Watched['tags'] }))
  return (text: string): Payer => {
    const ends: number[] = []
    for (let end = text.indexOf('\t'); end >= 0; end = text.indexOf('\t', end + 1)) ends.push(end)
    const [pack = 0, customer = 0, user = 0, tags = 0] = ends
    const { key_id, team, feature, environment, origin, agent } = packIn(text, 0, pack)
    const part = (from: number, to: number) => (to > from + 1 ? utf8(text.slice(from + 1, to)) : undefined)
    return {
      key_id,
      team,
      feature,
      environment,
      origin,
      agent,
      customer: part(pack, customer),
      user: part(customer, user),
      session: part(tags, text.length),
      ...tagsIn(text, user + 1, tags),
    } as Payer
  }
}

/** Where the columns that say what calls have in common begin and end in the text of a line. */
export type Places = {
  payer: number
  payer_end: number
  what: number
  what_end: number
  ended: number
  ended_end: number
  meters: number
  meters_end: number
}

/**
 * The strand of a line by its text: the same text gives the same strand, as long as it is known. Undefined for a line that
 * must be read whole: one that corrects another, or costs what nobody knows.
 */
export const strandsByText = () => {
  const payerOf = payerReader()
  const callerIn = memory((text): Caller => ({ payer: payerOf(text), strands: [] }), MOST_CALLERS)
  const whatIn = memory((text) => numbered(fieldsOf('what', text)))
  const endedIn = memory((text) => numbered(fieldsOf('ended', text)))
  const metersIn = memory((text) => numbered(metersOf(text)))
  /** Numbers of what, end and meters are one for a strand. */
  const targets = new Map<string, number>()
  let last = { what: 0, ended: 0, meters: 0, number: 0 }
  const targetOf = (what: number, ended: number, meters: number): number => {
    if (last.what === what && last.ended === ended && last.meters === meters) return last.number
    const name = `${what} ${ended} ${meters}`
    let number = targets.get(name)
    if (number === undefined) {
      if (targets.size >= MOST_KNOWN) targets.clear()
      named += 1
      number = named
      targets.set(name, number)
    }
    last = { what, ended, meters, number }
    return number
  }
  return (text: string, places: Places): Strand | undefined => {
    const ended = endedIn(text, places.ended, places.ended_end)
    if (ended.value.price_state === 'unpriced') return undefined
    const caller = callerIn(text, places.payer, places.payer_end)
    const what = whatIn(text, places.what, places.what_end)
    const meters = metersIn(text, places.meters, places.meters_end)
    const target = targetOf(what.number, ended.number, meters.number)
    const found = strandTo(caller, target)
    if (found) return found
    const { wire, endpoint, region, model_asked, provider, model_served } = what.value
    const { cell_names, price_rows } = meters.value
    const strand = openStrand({
      ...caller.payer,
      corrects: undefined,
      wire,
      endpoint,
      region,
      model_asked,
      provider,
      model_served,
      outcome: ended.value.outcome,
      cell_names,
      price_rows,
      unpriced: false,
    } as unknown as Strand['alike'])
    if (caller.strands.length === MOST_TARGETS) caller.strands.length = 0
    caller.strands.push([target, strand])
    return strand
  }
}
