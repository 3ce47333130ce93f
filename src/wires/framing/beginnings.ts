import type { KnownBody } from '../../core/wire.ts'
import { asBuffer } from './json.ts'
import { locate, skipSpace, skipValue } from './json-bytes.ts'
import type { Elements } from './json-places.ts'
import type { Seen } from './spots.ts'

const COMMA = 44
const OPEN_LIST = 91
const CLOSE_LIST = 93

/** The last body of a conversation: where its messages lie, and what was found in them. */
type Beginning = Readonly<{ body: Uint8Array; messages: Seen['now'] }> & { elements?: Elements | undefined }

/** A body beside the one before it: the messages that are in both, and where all of them lie, if that is known. */
export type Recalled = Readonly<{ old: Seen['old']; elements: Elements | undefined }>

/** Where the elements of the list at `start` lie, given those before `from`, where the walk goes on; undefined where it is no list. */
const walk = (bytes: Uint8Array, name: string, start: number, known: Pick<Elements, 'starts' | 'ends'>) => {
  const starts = [...known.starts]
  const ends = [...known.ends]
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
  return { name, start, starts, ends, end: next + 1 } satisfies Elements
}

const NONE = { starts: [], ends: [] }

const walkWhole = (bytes: Uint8Array, name: string): Elements | undefined => {
  const start = locate(bytes, [name])?.value
  return start === undefined || bytes[start] !== OPEN_LIST ? undefined : walk(bytes, name, start, NONE)
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

/** The elements of a body whose first ones lie as they did. Behind the list nothing may name it anew, so that is told to be the same. */
const walkOn = (body: Uint8Array, before: Beginning, elements: Elements, count: number): Elements | undefined => {
  const { name, start, starts, ends } = elements
  const found = walk(body, name, start, { starts: starts.slice(0, count), ends: ends.slice(0, count) })
  if (!found) return undefined
  const isSame = asBuffer(body.subarray(found.end)).equals(before.body.subarray(elements.end))
  return isSame || locate(body, [name])?.value === start ? found : undefined
}

/** What is still true of what was found in the conversation's last body. What is compared are its bytes, and nothing else. */
export const recallBody = ({ body, name, memory }: KnownBody, list: string): Recalled => {
  const before = memory.get(name) as Beginning | undefined
  if (before) before.elements ??= walkWhole(before.body, list)
  const count = before?.elements ? common(body, before.body, before.elements.ends) : 0
  if (!before?.elements || count === 0) return { old: [], elements: undefined }
  const elements = walkOn(body, before, before.elements, count)
  return { old: elements ? before.messages.slice(0, count) : [], elements }
}

/** Remembers a body and what was found in it, in the place of the one before it. */
export const rememberBody = (
  { body, name, memory }: KnownBody,
  messages: Seen['now'],
  elements: Elements | undefined,
): void => {
  const beginning: Beginning = { body, messages, elements }
  memory.set(name, beginning)
}
