import { ownFields } from '../../core/columns.ts'
import { valueMark } from '../../core/journal-line.ts'
import { parseUsd } from '../../core/money.ts'
import { type Cell, cellName, type Watched } from '../../playbook/allocate/detect/watched.ts'

/** The columns of a line up to the last that is wanted; those without a name are passed over. */
const wanted = [
  'receipt_id',
  'corrects',
  'ended_at_us',
  'origin',
  'key_id',
  'team',
  'feature',
  'customer',
  'user',
  'environment',
  'tags',
  'session',
  'agent',
  'wire',
  'endpoint',
  'model_asked',
  'provider',
  'model_served',
  'outcome',
  'input_tokens',
  'cache_read_tokens',
  'price_state',
  'cost_usd',
  'fingerprint_exact',
] as const satisfies readonly (typeof ownFields)[number][]
type Wanted = (typeof wanted)[number]

/** Texts that hardly any two receipts share. */
const unshared: readonly Wanted[] = ['receipt_id', 'corrects', 'cost_usd', 'fingerprint_exact', 'ended_at_us']

const places = ownFields.map((own) => {
  const at = (wanted as readonly string[]).indexOf(own)
  return { at, shared: at >= 0 && !(unshared as readonly string[]).includes(own) }
})

const MOST_KNOWN = 20_000

/** What was made of a text before, so that equal text is made of once. Forgotten when it is much. */
const memory = <T>(make: (text: string) => T) => {
  const known = new Map<string, T>()
  /** `text` may hang on a longer one; `own` gives it by itself. */
  return (text: string, own: () => string): T => {
    const found = known.get(text)
    if (found !== undefined) return found
    if (known.size >= MOST_KNOWN) known.clear()
    const alone = own()
    const made = make(alone)
    known.set(alone === text ? alone : Buffer.from(text, 'latin1').toString('latin1'), made)
    return made
  }
}

type Shown = Readonly<{ names: readonly string[]; price_rows: readonly string[] }>

const shownOf = (text: string): Shown => {
  const [, models = [], meters = [], , rows = []] = JSON.parse(text) as (string | null)[][]
  return {
    names: models.map((model, at) => cellName(model ?? '', meters[at] ?? '')),
    price_rows: [...new Set(rows.filter((row) => row !== null))],
  }
}

const cellsOf = ({ names }: Shown, counted: string): Cell[] => {
  const [quantities = [], costs = []] = JSON.parse(counted) as [number[], (string | null)[]]
  const cells: Cell[] = []
  for (const [at, key] of names.entries()) {
    const cost = costs[at]
    if (cost) cells.push({ key, quantity: quantities[at] ?? 0, cost: parseUsd(cost) })
  }
  return cells
}

type Texts = (string | undefined)[]

/** Text of the columns that are wanted, in their order; gives where the facts begin, below 0 where the line ends before. */
const columnReader = () => {
  const textOf = memory((text) => text)
  const last: string[] = places.map(() => '')
  /** The text of a shared column: mostly that of the line before. */
  const sharedText = (place: number, bytes: Buffer, text: string, begin: number, end: number): string => {
    const before = last[place] as string
    if (before.length === end - begin && text.startsWith(before, begin)) return before
    const found = textOf(text.slice(begin, end), () => bytes.toString('utf8', begin, end))
    // Only what is a byte a character can be compared with the line as it lies there.
    last[place] = found.length === end - begin ? found : ''
    return found
  }
  return (into: Texts, bytes: Buffer, text: string, start: number): number => {
    let begin = start
    for (const [place, { at, shared }] of places.entries()) {
      const end = text.indexOf('\t', begin)
      if (end < 0) return -1
      if (end === begin) into[at] = undefined
      else if (shared) into[at] = sharedText(place, bytes, text, begin, end)
      else if (at >= 0) into[at] = bytes.toString('utf8', begin, end)
      begin = end + 1
    }
    return begin
  }
}

const count = (text: string | undefined): number | undefined => (text === undefined ? undefined : Number(text))

/** By its positions, so that every receipt has the same shape and none is built name by name. */
const fieldsOf = (texts: Texts, tagsOf: (text: string) => Watched['tags']) => ({
  receipt_id: texts[0],
  corrects: texts[1],
  ended_at_us: count(texts[2]),
  origin: texts[3],
  key_id: texts[4],
  team: texts[5],
  feature: texts[6],
  customer: texts[7],
  user: texts[8],
  environment: texts[9],
  tags: texts[10] === undefined ? undefined : tagsOf(texts[10]),
  session: texts[11],
  agent: texts[12],
  wire: texts[13],
  endpoint: texts[14],
  model_asked: texts[15],
  provider: texts[16],
  model_served: texts[17],
  outcome: texts[18],
  input_tokens: count(texts[19]),
  cache_read_tokens: count(texts[20]),
  price_state: texts[21],
  cost_usd: texts[22],
  fingerprint_exact: texts[23],
})

/**
 * Reads of a line by position what the watch looks at, and nothing else. The line lies in `bytes`, and in `text`, which has a
 * character a byte. Undefined for a line that must be read whole: one without a price, or that is not as it should be.
 */
export const lineReader = () => {
  const columns = columnReader()
  const tagsIn = memory((text) => JSON.parse(text) as Watched['tags'])
  const tagsOf = (text: string) => tagsIn(text, () => text)
  const shownIn = memory(shownOf)
  const regionOf = memory((text) => text)
  const texts: Texts = wanted.map(() => undefined)

  return (bytes: Buffer, text: string, start: number, end: number): Watched | undefined => {
    const from = columns(texts, bytes, text, start + 3)
    if (from < 0) return undefined
    const facts_end = text.indexOf('\t', from)
    const shown_end = text.indexOf('\t', facts_end + 1)
    const counted_end = text.indexOf(valueMark, shown_end + 1)
    if (facts_end < 0 || shown_end < 0 || counted_end < 0 || counted_end > end) return undefined
    const fields = fieldsOf(texts, tagsOf)
    if (fields.cost_usd === undefined && fields.price_state === 'unpriced') return undefined
    const begin = text.indexOf(valueMark, from) + 1
    const region = text.slice(begin, text.indexOf(valueMark, begin))
    const utf8 = (one: number, other: number) => () => bytes.toString('utf8', one, other)
    const has_lines = shown_end > facts_end + 1
    const shown = has_lines ? shownIn(text.slice(facts_end + 1, shown_end), utf8(facts_end + 1, shown_end)) : undefined
    return {
      ...fields,
      region: region === '' ? undefined : regionOf(region, utf8(begin, begin + region.length)),
      cells: shown === undefined ? [] : cellsOf(shown, text.slice(shown_end + 1, counted_end)),
      price_rows: shown?.price_rows ?? [],
    } as unknown as Watched
  }
}
