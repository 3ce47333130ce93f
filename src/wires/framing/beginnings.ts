import { asBuffer } from './json.ts'
import { locate, skipSpace, skipValue } from './json-bytes.ts'
import type { Elements } from './json-places.ts'

const COMMA = 44
const OPEN_LIST = 91
const CLOSE_LIST = 93

/** A body, and where its messages lie once that was asked. */
type Before = Readonly<{ body: Uint8Array | undefined }> & { elements?: Elements | undefined }

/** How many messages lie as in the body before, with all else the same; and where all messages lie, if that is known. */
type Beginning = Readonly<{ count: number; elements: Elements | undefined }>

/** Where elements begin and end, as far as that is known. */
type Known = Readonly<{ starts: number[]; ends: number[] }>

/** Where the elements of the list at `start` lie, the known ones with those behind them, which are added; undefined where it is no list. */
const walk = (bytes: Uint8Array, name: string, start: number, { starts, ends }: Known): Elements | undefined => {
  let next = skipSpace(bytes, ends.at(-1) ?? start + 1)
  while (bytes[next] !== CLOSE_LIST) {
    if (ends.length > 0 && bytes[next] !== COMMA) return undefined
    const from = ends.length > 0 ? skipSpace(bytes, next + 1) : next
    const end = skipValue(bytes, from)
    if (end === from) return undefined
    starts.push(from)
    ends.push(end)
    next = skipSpace(bytes, end)
  }
  return { name, start, starts, ends, end: next + 1 }
}

const walkWhole = (bytes: Uint8Array, name: string): Elements | undefined => {
  const start = locate(bytes, [name])?.value
  return start === undefined || bytes[start] !== OPEN_LIST
    ? undefined
    : walk(bytes, name, start, { starts: [], ends: [] })
}

const same = (left: Uint8Array, right: Uint8Array, from: number, to: number): boolean =>
  to <= left.length && to <= right.length && asBuffer(left).compare(right, from, to, from, to) === 0

/** How many elements the other body has in the same bytes, with the same bytes before them. */
const common = (body: Uint8Array, other: Uint8Array, ends: readonly number[]): number => {
  let low = 0
  let high = ends.length
  // Most often all: a conversation grows at its end.
  for (let middle = high; low < high; middle = (low + high + 1) >>> 1) {
    if (same(body, other, low === 0 ? 0 : (ends[low - 1] ?? 0), ends[middle - 1] ?? 0)) low = middle
    else high = middle - 1
  }
  return low
}

export const NOTHING: Beginning = { count: 0, elements: undefined }

/**
 * What a body has in common with the one before it. What is compared are bytes: those up to a message, and those behind the list,
 * where members may stand that say what the messages mean, or name the list anew.
 */
export const beginningOf = (body: Uint8Array, before: Before, list: string): Beginning => {
  if (!before.body) return NOTHING
  before.elements ??= walkWhole(before.body, list)
  if (!before.elements) return NOTHING
  const { name, start, starts, ends, end } = before.elements
  const count = common(body, before.body, ends)
  if (count === 0 || name !== list) return NOTHING
  const elements = walk(body, name, start, { starts: starts.slice(0, count), ends: ends.slice(0, count) })
  if (!elements || !asBuffer(body.subarray(elements.end)).equals(before.body.subarray(end))) return NOTHING
  return { count, elements }
}
