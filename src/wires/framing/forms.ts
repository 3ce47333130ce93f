import type { FormAsked, Formed, Forms } from '../../core/wire.ts'
import { asList, asRecord, decode, encode, type JsonRecord, parseJson, recordsOf } from './json.ts'
import { eventData } from './sse.ts'

/** Takes note of what the other form of an answer would lose or guess. The first that is found is said. */
export type Losses = { why: string | undefined; lose(why: string): void }

export const openLosses = (): Losses => ({
  why: undefined,
  lose(why) {
    this.why ??= why
  },
})

/** Says this value nothing? APIs fill members that they have no use for with null, an empty text or an empty list. */
export const isEmpty = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === '' ||
  (typeof value === 'object' && Object.keys(value).length === 0)

/** Only what is known has a place in the other form: a member of another name is lost, unless it says nothing. */
export const knownOnly = (record: JsonRecord, names: ReadonlySet<string>, losses: Losses): void => {
  for (const name in record)
    if (!names.has(name) && !isEmpty(record[name]))
      losses.lose(`it has a member that is not known${/^\w{1,40}$/.test(name) ? `, ${name}` : ''}`)
}

/** The values of each member that any of the records has, in the order in which they first come. */
const byMember = (records: readonly JsonRecord[]): ReadonlyMap<string, readonly unknown[]> => {
  const found = new Map<string, unknown[]>()
  for (const record of records)
    for (const [name, value] of Object.entries(record)) {
      const values = found.get(name)
      if (values) values.push(value)
      else found.set(name, [value])
    }
  return found
}

/** What several events say of one thing, where they say it alike; of records that goes for each of their members. */
export const saidAlike = (values: readonly unknown[], name: string, losses: Losses): unknown => {
  const said = values.filter((value) => !isEmpty(value))
  const records = recordsOf(said)
  if (records.length > 1 && records.length === said.length) return alike(records, losses)
  const [first] = said
  const text = JSON.stringify(first)
  if (said.some((value) => value !== first && JSON.stringify(value) !== text))
    losses.lose(`its events do not agree on ${name}`)
  return first ?? values.find((value) => value !== undefined)
}

/** All members of several records as one, where those that have a member say it alike. */
export const alike = (records: readonly JsonRecord[], losses: Losses): JsonRecord =>
  Object.fromEntries(Array.from(byMember(records), ([name, values]) => [name, saidAlike(values, name, losses)]))

/** Those members of a record that have these names. */
export const only = (record: JsonRecord, names: ReadonlySet<string>): JsonRecord => {
  const kept: Record<string, unknown> = {}
  for (const name of Object.keys(record)) if (names.has(name)) kept[name] = record[name]
  return kept
}

/** A piece of text is at least so long, and there are at most so many. */
const SHORTEST_PIECE = 400
const MOST_PIECES = 32

const isSecondHalf = (text: string, index: number): boolean => {
  const unit = text.charCodeAt(index)
  return unit >= 0xdc00 && unit <= 0xdfff
}

/** A text in the pieces in which it is streamed; none for an empty one. No piece ends within a character. */
export const piecesOf = (text: string): readonly string[] => {
  const length = Math.max(SHORTEST_PIECE, Math.ceil(text.length / MOST_PIECES))
  const pieces: string[] = []
  for (let from = 0; from < text.length; ) {
    let end = Math.min(text.length, from + length)
    if (isSecondHalf(text, end)) end += 1
    pieces.push(text.slice(from, end))
    from = end
  }
  return pieces
}

/** Whole numbers that JavaScript does not keep to the last digit. Texts that hold such are found too, which does no harm. */
const LONG_NUMBER = /[[:,\s]-?\d{16,}\s*[,}\]]/

const parsed = (text: string, losses: Losses): unknown => {
  if (LONG_NUMBER.test(text)) losses.lose('a number in it is too long to be copied')
  return parseJson(text)
}

/** The JSON object that a text is. */
export const recordIn = (text: string, losses: Losses): JsonRecord => {
  const record = asRecord(parsed(text, losses))
  if (!record) losses.lose('it cannot be read')
  return record ?? {}
}

/** The JSON of an answer that came whole. */
export const readWhole = ({ body }: Formed, losses: Losses): JsonRecord => recordIn(decode(body), losses)

/** The elements of an answer that is a list. */
export const readList = ({ body }: Formed, losses: Losses): readonly JsonRecord[] => {
  const list = asList(parsed(decode(body), losses))
  const records = recordsOf(list)
  if (list.length === 0 || records.length < list.length) losses.lose('it cannot be read')
  return records
}

/** The JSON of each event of a stream; `[DONE]` is none. */
export const readEvents = ({ body }: Formed, losses: Losses): readonly JsonRecord[] => {
  const events = eventData(body)
  if (events === undefined) losses.lose('it cannot be read')
  return (events ?? []).filter((data) => !data.startsWith('[DONE]')).map((data) => recordIn(data, losses))
}

export const asWhole = (json: JsonRecord): Formed => ({
  body: encode(JSON.stringify(json)),
  content_type: 'application/json',
})

/** A stream of events: with `named` each has its type as its name, `end` is the data of a last one. */
export const asEvents = (
  events: readonly JsonRecord[],
  more: Readonly<{ named?: true; end?: string }> = {},
): Formed => {
  const { named, end } = more
  const texts = events.map((event) => `${named ? `event: ${event['type']}\n` : ''}data: ${JSON.stringify(event)}\n\n`)
  if (end !== undefined) texts.push(`data: ${end}\n\n`)
  return { body: encode(texts.join('')), content_type: 'text/event-stream; charset=utf-8' }
}

export const isEvents = ({ content_type }: Formed): boolean => content_type.includes('event-stream')

/** How one form of a wire's answers is made of the other. What would get lost on the way is said to `losses`. */
type Ways = Readonly<{
  streamed(whole: JsonRecord, asked: FormAsked, losses: Losses): Formed
  whole(events: readonly JsonRecord[], losses: Losses): JsonRecord
  address?: Forms['address']
  /** Is it a stream, and what are its events? Those that are sent by the server where this is absent. */
  isStream?(answer: Formed): boolean
  read?(answer: Formed, losses: Losses): readonly JsonRecord[]
}>

const sameAddress: Forms['address'] = (path, query) => path + query

/** The forms of a wire that has two: whole, or streamed to who asks for a stream. */
export const eventForms = (ways: Ways): Forms => {
  const { streamed, whole, address = sameAddress, isStream = isEvents, read = readEvents } = ways
  return {
    address,
    as(answer, asked) {
      if (isStream(answer) === asked.reading.stream) return answer
      const losses = openLosses()
      const formed = asked.reading.stream
        ? streamed(readWhole(answer, losses), asked, losses)
        : asWhole(whole(read(answer, losses), losses))
      return losses.why ?? formed
    },
  }
}
