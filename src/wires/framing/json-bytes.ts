import type { Edit } from '../../core/wire.ts'
import { decode, encode } from './json.ts'

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

const QUOTE = 34
const COMMA = 44
const COLON = 58
const OPEN_LIST = 91
const BACKSLASH = 92
const OPEN_RECORD = 123

const isSpace = (byte: number | undefined): boolean => byte === 32 || byte === 10 || byte === 13 || byte === 9
const opens = (byte: number | undefined): boolean => byte === OPEN_RECORD || byte === OPEN_LIST
const closes = (byte: number | undefined): boolean => byte === 125 || byte === 93

const skipSpace = (bytes: Uint8Array, from: number): number => {
  let i = from
  while (isSpace(bytes[i])) i++
  return i
}

/** Index after the string whose opening quote is at `from`; the length of the bytes when it never closes. */
const skipString = (bytes: Uint8Array, from: number): number => {
  for (let i = from + 1; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === QUOTE) return i + 1
    if (byte === BACKSLASH) i++
  }
  return bytes.length
}

const skipLiteral = (bytes: Uint8Array, from: number): number => {
  let i = from
  while (i < bytes.length && !isSpace(bytes[i]) && bytes[i] !== COMMA && !closes(bytes[i])) i++
  return i
}

/** Index after the value that begins at `from`. Nesting is counted, not recursed into, so depth is no danger. */
const skipValue = (bytes: Uint8Array, from: number): number => {
  if (bytes[from] === QUOTE) return skipString(bytes, from)
  if (!opens(bytes[from])) return skipLiteral(bytes, from)
  let depth = 0
  let i = from
  while (i < bytes.length) {
    const byte = bytes[i]
    if (byte === QUOTE) {
      i = skipString(bytes, i)
      continue
    }
    i++
    if (opens(byte)) depth++
    else if (closes(byte) && --depth === 0) return i
  }
  return bytes.length
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

/** Is the JSON string at `from` this name? Escapes in the name are understood (`"\u0061"` is `a`). */
const isNamed = (bytes: Uint8Array, from: number, name: string): boolean => {
  const end = skipString(bytes, from)
  const raw = bytes.subarray(from + 1, end - 1)
  if (!raw.includes(BACKSLASH)) return decode(raw) === name
  try {
    return JSON.parse(decode(bytes.subarray(from, end))) === name
  } catch {
    return false
  }
}

const child = (bytes: Uint8Array, from: number, step: string | number): Place | undefined => {
  let found: Place | undefined
  if (bytes[from] !== (typeof step === 'string' ? OPEN_RECORD : OPEN_LIST)) return undefined
  eachPlace(bytes, from, (place, index) => {
    if (typeof step === 'string' ? isNamed(bytes, place.start, step) : index === step) found = place
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

/** The value at a path, parsed alone; undefined when it is absent or broken. For bodies too large to parse in whole. */
export const pick = (bytes: Uint8Array, path: readonly (string | number)[]): unknown => {
  const place = locate(bytes, path)
  if (!place) return undefined
  try {
    return JSON.parse(decode(bytes.subarray(place.value, place.end)))
  } catch {
    return undefined
  }
}

const NOTHING = new Uint8Array(0)

/** An edit that takes a member out together with one comma. */
export const removing = (place: Place): Edit => {
  if (place.comma_before >= 0) return { start: place.comma_before, end: place.end, bytes: NOTHING }
  if (place.comma_after >= 0) return { start: place.start, end: place.comma_after + 1, bytes: NOTHING }
  return { start: place.start, end: place.end, bytes: NOTHING }
}

/** An edit that puts a member first into the object that begins at or after `from`; undefined when none does. */
export const inserting = (bytes: Uint8Array, from: number, name: string, value: unknown): Edit | undefined => {
  const open = skipSpace(bytes, from)
  if (bytes[open] !== OPEN_RECORD) return undefined
  const empty = closes(bytes[skipSpace(bytes, open + 1)])
  const member = `${JSON.stringify(name)}:${JSON.stringify(value)}${empty ? '' : ','}`
  return { start: open + 1, end: open + 1, bytes: encode(member) }
}

/** An edit that replaces a value. */
export const replacing = (place: Place, value: unknown): Edit => ({
  start: place.value,
  end: place.end,
  bytes: encode(JSON.stringify(value)),
})

/** The bytes with edits made. Edits do not overlap; their order does not matter. */
export const applyEdits = (bytes: Uint8Array, edits: readonly Edit[]): Uint8Array => {
  if (edits.length === 0) return bytes
  const pieces: Uint8Array[] = []
  let from = 0
  for (const edit of [...edits].sort((a, b) => a.start - b.start)) {
    pieces.push(bytes.subarray(from, edit.start), edit.bytes)
    from = edit.end
  }
  return Buffer.concat([...pieces, bytes.subarray(from)])
}
