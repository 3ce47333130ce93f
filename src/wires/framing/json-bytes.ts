import type { Edit } from '../../core/wire.ts'
import { asBuffer, decode, encode, parseJson } from './json.ts'

/**
 * Where things lie in a JSON text, found without rebuilding it. Numbers are byte offsets, `end` exclusive. Text that is
 * not JSON is never an error here: what cannot be found is undefined.
 */

/** A member of an object or an element of an array, with the commas beside it (-1 where there is none). */
export type Place = Readonly<{
  /** Of the member's name (of the value itself in an array). */
  start: number
  /** The value, without whitespace around it. */
  value: number
  end: number
  comma_before: number
  comma_after: number
}>

const NOTHING = new Uint8Array(0)
const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_LIST = 91
const BACKSLASH = 92
const CLOSE_LIST = 93
const OPEN_RECORD = 123
const CLOSE_RECORD = 125

const isSpace = (byte: number | undefined): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9
const opens = (byte: number | undefined): boolean => byte === OPEN_RECORD || byte === OPEN_LIST
export const closes = (byte: number | undefined): boolean => byte === CLOSE_RECORD || byte === CLOSE_LIST

export const skipSpace = (bytes: Uint8Array, from: number): number => {
  let i = from
  while (isSpace(bytes[i])) i++
  return i
}

/** So many bytes without a quote are looked at one by one; beyond, the next quote is asked of the native search, whose call costs as much. */
const SHORT_BYTES = 256

/** Index after the string that goes on at `from`, of which no earlier byte is half an escape. */
const skipLong = (bytes: Uint8Array, from: number): number => {
  const quote = bytes.indexOf(QUOTE, from)
  if (quote < 0) return bytes.length
  let slashes = quote
  while (slashes > from && bytes[slashes - 1] === BACKSLASH) slashes--
  return (quote - slashes) % 2 === 0 ? quote + 1 : skipRest(bytes, quote + 1)
}

/** In JSON within a string the quotes stand close, so there every byte is looked at. */
const skipRest = (bytes: Uint8Array, from: number): number => {
  const { length } = bytes
  let far = from + SHORT_BYTES
  for (let i = from; i < length; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) return i + 1
    if (byte === BACKSLASH) {
      i++
      far = i + SHORT_BYTES
    } else if (i > far) return skipLong(bytes, i + 1)
  }
  return length
}

/** Index after the string whose opening quote is at `from`; the length of the bytes when it never closes. */
export const skipString = (bytes: Uint8Array, from: number): number => skipRest(bytes, from + 1)

const skipLiteral = (bytes: Uint8Array, from: number): number => {
  let i = from
  while (i < bytes.length && !isSpace(bytes[i]) && bytes[i] !== COMMA && !closes(bytes[i])) i++
  return i
}

/** Index after the value that begins at `from`. Nesting is counted, not recursed into, so depth is no danger. */
export const skipValue = (bytes: Uint8Array, from: number): number => {
  if (bytes[from] === QUOTE) return skipString(bytes, from)
  if (!opens(bytes[from])) return skipLiteral(bytes, from)
  const { length } = bytes
  let depth = 0
  let i = from
  while (i < length) {
    const byte = bytes[i]
    if (byte === QUOTE) {
      i = skipString(bytes, i)
      continue
    }
    i++
    if (byte === OPEN_RECORD || byte === OPEN_LIST) depth++
    else if ((byte === CLOSE_RECORD || byte === CLOSE_LIST) && --depth === 0) return i
  }
  return length
}

/** Calls `visit` for each member or element of the container at `from`, in order. Returns early on what is not JSON. */
const eachPlace = (bytes: Uint8Array, from: number, visit: (place: Place, index: number) => void): void => {
  const named = bytes[from] === OPEN_RECORD
  let comma_before = -1
  let i = skipSpace(bytes, from + 1)
  for (let index = 0; i < bytes.length && !closes(bytes[i]); index++) {
    const start = i
    const value = named ? afterName(bytes, start) : start
    if (value < 0) return
    const end = skipValue(bytes, value)
    if (end === value) return
    const next = skipSpace(bytes, end)
    const comma_after = bytes[next] === COMMA ? next : -1
    visit({ start, value, end, comma_before, comma_after }, index)
    if (comma_after < 0) return
    comma_before = comma_after
    i = skipSpace(bytes, comma_after + 1)
  }
}

/** Index of the value after the name at `from`, or -1 when there is no name and colon. */
const afterName = (bytes: Uint8Array, from: number): number => {
  if (bytes[from] !== QUOTE) return -1
  const colon = skipSpace(bytes, skipString(bytes, from))
  return bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : -1
}

/** The name at `from`; escapes in it are understood (`"\u0061"` is `a`). Undefined where it is broken. */
export const nameAt = (bytes: Uint8Array, from: number): string | undefined => {
  const end = skipString(bytes, from)
  const raw = bytes.subarray(from + 1, end - 1)
  if (!raw.includes(BACKSLASH)) return decode(raw)
  try {
    return JSON.parse(decode(bytes.subarray(from, end))) as string
  } catch {
    return undefined
  }
}

const child = (bytes: Uint8Array, from: number, step: string | number): Place | undefined => {
  let found: Place | undefined
  if (bytes[from] !== (typeof step === 'string' ? OPEN_RECORD : OPEN_LIST)) return undefined
  eachPlace(bytes, from, (place, index) => {
    if (typeof step === 'string' ? nameAt(bytes, place.start) === step : index === step) found = place
  })
  return found
}

/**
 * The place of a member by its path (names and indexes) in the JSON that begins at or after `start`. Of repeated names
 * the last counts, as for `JSON.parse`.
 */
export const locate = (bytes: Uint8Array, path: readonly (string | number)[], start = 0): Place | undefined => {
  let from = skipSpace(bytes, start)
  let place: Place | undefined
  for (const step of path) {
    place = child(bytes, from, step)
    if (!place) return undefined
    from = place.value
  }
  return place
}

/**
 * Edits that leave members out of the container at `from`, each with one comma, so that those that stay are JSON. `gone` is
 * asked with a member's name or an element's index; of a repeated name every one is asked for.
 */
export const leavingOut = (
  bytes: Uint8Array,
  from: number,
  gone: (step: string | number) => boolean,
): readonly Edit[] => {
  const edits: Edit[] = []
  const named = bytes[from] === OPEN_RECORD
  let stays = false
  eachPlace(bytes, from, (place, index) => {
    const { start, end, comma_before, comma_after } = place
    if (!gone(named ? (nameAt(bytes, start) ?? '') : index)) stays = true
    else if (stays) edits.push({ start: comma_before, end, bytes: NOTHING })
    else edits.push({ start, end: comma_after < 0 ? end : comma_after + 1, bytes: NOTHING })
  })
  return edits
}

/** A value, parsed alone; undefined when it is absent or broken. */
export const valueAt = (bytes: Uint8Array, place: Place | undefined): unknown =>
  place && parseJson(decode(bytes.subarray(place.value, place.end)))

/** An edit that takes a member out together with one comma. */
export const removing = (place: Place): Edit => {
  if (place.comma_before >= 0) return { start: place.comma_before, end: place.end, bytes: NOTHING }
  if (place.comma_after >= 0) return { start: place.start, end: place.comma_after + 1, bytes: NOTHING }
  return { start: place.start, end: place.end, bytes: NOTHING }
}

/** An edit that puts members first into the object that begins at or after `from`; undefined when none does. */
export const insertingAll = (
  bytes: Uint8Array,
  from: number,
  members: Readonly<Record<string, unknown>>,
): Edit | undefined => {
  const open = skipSpace(bytes, from)
  if (bytes[open] !== OPEN_RECORD) return undefined
  const empty = closes(bytes[skipSpace(bytes, open + 1)])
  const text = `${JSON.stringify(members).slice(1, -1)}${empty ? '' : ','}`
  return { start: open + 1, end: open + 1, bytes: encode(text) }
}

/** The same for one member. */
export const inserting = (bytes: Uint8Array, from: number, name: string, value: unknown): Edit | undefined =>
  insertingAll(bytes, from, { [name]: value })

/** An edit that replaces a value. */
export const replacing = (place: Place, value: unknown): Edit => ({
  start: place.value,
  end: place.end,
  bytes: encode(JSON.stringify(value)),
})

/** Edits by their places; most often they are in order as they come. */
const inOrder = (edits: readonly Edit[]): readonly Edit[] => {
  for (let at = 1, last = edits[0]; at < edits.length; last = edits[at++]) {
    const next = edits[at]
    if (last && next && last.end > next.start) return [...edits].sort((a, b) => a.start - b.start || a.end - b.end)
  }
  return edits
}

/** The bytes with edits made. Edits do not overlap; their order does not matter. */
export const applyEdits = (bytes: Uint8Array, edits: readonly Edit[]): Uint8Array => {
  if (edits.length === 0) return bytes
  const ordered = inOrder(edits)
  let size = bytes.length
  for (const edit of ordered) size += edit.bytes.length - (edit.end - edit.start)
  const whole = asBuffer(bytes)
  const made = Buffer.allocUnsafe(size)
  let [from, to] = [0, 0]
  for (const edit of ordered) {
    to += whole.copy(made, to, from, edit.start)
    made.set(edit.bytes, to)
    to += edit.bytes.length
    from = edit.end
  }
  whole.copy(made, to, from)
  return made
}
