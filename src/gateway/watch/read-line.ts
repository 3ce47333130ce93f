import { layout } from '../../core/columns.ts'
import { endMark, receiptMark } from '../../core/line-marks.ts'
import type { Sighting, Strand } from '../../playbook/allocate/detect/strand.ts'
import { type Places, payerColumns, strandsByText } from './strands.ts'

/** A line in a piece of a segment: `text` has a character for each of the bytes. Its end of line is at `end`. */
export type Line = Readonly<{ bytes: Buffer; text: string; begin: number; end: number }>

type Column = (typeof layout)[number]

const [TAB, FIELD, COMMA, SEMICOLON, POINT, ZERO] = [9, 31, 44, 59, 46, 48]
const HEAD = `${receiptMark}\t`
const TAIL = `\t${endMark}`
const HASH_DIGITS = 16

/** How many columns lie between two. */
const between = (one: Column, other: Column): number => layout.indexOf(other) - layout.indexOf(one) - 1

const to_id = layout.indexOf('receipt_id')
const id_corrects = between('receipt_id', 'corrects')
const PAYER_COLUMNS = payerColumns.length
const [corrects_started, started_ended] = [
  between('corrects', 'started_at_us'),
  between('started_at_us', 'ended_at_us'),
]
const [session_what, ended_input] = [between('session', 'what'), between('ended', 'input_tokens')]
const [read_cost, cost_fingerprint] = [
  between('cache_read_tokens', 'cost_usd'),
  between('cost_usd', 'fingerprint_exact'),
]

/** 10 to the power of 12 less so many decimals. */
const scales = Float64Array.from({ length: 13 }, (_, decimals) => 10 ** (12 - decimals))

/** A place in a line that moves on as it is read. It never leaves the line: beyond its end there is nothing but emptiness. */
const cursor = () => {
  let bytes: Uint8Array = new Uint8Array()
  let at = 0
  let end = 0
  return {
    begin(line: Line, from: number): void {
      bytes = line.bytes
      at = from
      end = line.end
    },
    at: (): number => at,
    to(place: number): void {
      at = place
    },
    /** Passes over columns. */
    skip(columns: number): void {
      for (let left = columns; left > 0 && at < end; at += 1) if (bytes[at] === TAB) left -= 1
    },
    /** A whole number without a sign; NaN where something else stands. */
    count(until: number): number {
      let value = 0
      for (; at < end; at += 1) {
        const byte = bytes[at] as number
        if (byte === until) break
        const digit = byte - ZERO
        if (digit < 0 || digit > 9) return Number.NaN
        value = value * 10 + digit
      }
      at += 1
      return value
    },
    /** Dollars as picodollars; NaN where nothing stands. Ends behind what is neither digit nor point. */
    money(): number {
      const from = at
      let value = 0
      let point = -1
      for (; at < end; at += 1) {
        const byte = bytes[at] as number
        if (byte === POINT) point = at
        else if (byte < ZERO || byte > ZERO + 9) break
        else value = value * 10 + byte - ZERO
      }
      const decimals = point < 0 ? 0 : at - point - 1
      const empty = at === from
      at += 1
      return empty ? Number.NaN : value * (scales[decimals] ?? Number.NaN)
    },
    /** What the last that was read ended with. */
    ended: (): number | undefined => bytes[at - 1],
  }
}

const openPlaces = (): Places => ({
  payer: 0,
  payer_end: 0,
  what: 0,
  what_end: 0,
  ended: 0,
  ended_end: 0,
  meters: 0,
  meters_end: 0,
})

/**
 * Reads of a line by position what the watch looks at, and nothing else, into `one`; gives its strand. Undefined for a line
 * that must be read whole: one that corrects another, has no price, is not by position, or is not as it should be.
 */
export const lineReader = () => {
  const strandOf = strandsByText()
  const places = openPlaces()
  const place = cursor()
  const { skip, count, money, at, ended } = place

  /** Amounts of the lines: `quantity,cost;quantity,cost`. False where one is not as expected. */
  const amounts = (one: Sighting, lines: number): boolean => {
    for (let nth = 0; nth < lines; nth += 1) {
      one.quantities[nth] = count(COMMA)
      one.costs[nth] = money()
      if (Number.isNaN(one.quantities[nth])) return false
      if (ended() !== (nth === lines - 1 ? FIELD : SEMICOLON)) return false
    }
    return true
  }
  /** From the payer to the cost; false where something is not as expected. */
  const common = ({ text, end }: Line, one: Sighting): boolean => {
    places.payer = at()
    skip(PAYER_COLUMNS)
    places.payer_end = at() - 1
    skip(session_what)
    places.what = at()
    places.what_end = text.indexOf('\t', places.what)
    places.ended = places.what_end + 1
    places.ended_end = text.indexOf('\t', places.ended)
    if (places.what_end < 0 || places.ended_end < 0 || places.ended_end > end) return false
    place.to(places.ended_end + 1)
    skip(ended_input)
    one.input_tokens = count(TAB)
    one.cache_read_tokens = count(TAB)
    skip(read_cost)
    const cost = money()
    one.cost = Number.isNaN(cost) ? 0 : cost
    return ended() === TAB && !Number.isNaN(one.input_tokens + one.cache_read_tokens)
  }
  return (line: Line, one: Sighting): Strand | undefined => {
    const { bytes, text, begin, end } = line
    if (!text.startsWith(HEAD, begin) || !text.startsWith(TAIL, end - TAIL.length)) return undefined
    place.begin(line, begin + HEAD.length)
    skip(to_id)
    const id = at()
    place.to(text.indexOf('\t', id) + 1)
    one.id = bytes.toString('utf8', id, at() - 1)
    skip(id_corrects)
    if (bytes[at()] !== TAB) return undefined
    skip(1 + corrects_started)
    const started_at_us = count(TAB)
    skip(started_ended)
    one.at_us = started_at_us + count(TAB)
    if (Number.isNaN(one.at_us) || !common(line, one)) return undefined
    skip(cost_fingerprint)
    const fingerprint = at()
    skip(1)
    places.meters = at()
    places.meters_end = text.indexOf('\t', places.meters)
    place.to(places.meters_end + 1)
    const strand = at() < end ? strandOf(text, places) : undefined
    if (!strand || !amounts(one, strand.alike.cell_names.length)) return undefined
    one.fingerprint = fingerprintOf(line, strand, fingerprint, places.meters - 1)
    one.ceiling = 0
    return strand
  }
}

/** Equal requests mostly follow one another: equal text is made once. */
const fingerprintOf = ({ bytes, text }: Line, strand: Strand, begin: number, end: number): string | undefined => {
  if (end === begin) return undefined
  const before = strand.fingerprint
  if (before.length === HASH_DIGITS && end - begin === HASH_DIGITS && text.startsWith(before, begin)) return before
  strand.fingerprint = bytes.toString('utf8', begin, end)
  return strand.fingerprint
}
