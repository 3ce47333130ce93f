import { closes, nameAt, type Place, skipSpace, skipString, skipValue } from './json-bytes.ts'

type Path = readonly (string | number)[]

/** A list that is a member of the body, where it begins and ends, and where its elements do. */
export type Elements = Readonly<{
  name: string
  start: number
  end: number
  starts: readonly number[]
  ends: readonly number[]
}>

const BACKSLASH = 92
const COLON = 58
const COMMA = 44
const OPEN_LIST = 91
const OPEN_RECORD = 123

/** A place that is looked for, and those inside of it. */
type Wanted = { place: Place | undefined; readonly inner: Map<string | number, Wanted> }

const wanted = (): Wanted => ({ place: undefined, inner: new Map() })

/** Is the name between these bytes this one, written without escapes? */
const isWritten = (bytes: Uint8Array, start: number, end: number, name: string): boolean => {
  if (end - start !== name.length) return false
  for (let i = 0; i < name.length; i++) if (bytes[start + i] !== name.charCodeAt(i)) return false
  return true
}

const isPlain = (bytes: Uint8Array, start: number, end: number): boolean => {
  for (let i = start; i < end; i++) {
    const byte = bytes[i] ?? 0
    if (byte === BACKSLASH || byte > 126) return false
  }
  return true
}

/** The wanted member whose name begins with the quote at `start` and ends before `end`. */
const named = (bytes: Uint8Array, start: number, end: number, { inner }: Wanted): Wanted | undefined => {
  for (const [step, child] of inner)
    if (typeof step === 'string' && isWritten(bytes, start + 1, end - 1, step)) return child
  return isPlain(bytes, start + 1, end - 1) ? undefined : inner.get(nameAt(bytes, start) ?? '')
}

/** Of a repeated name the last counts, so what was found inside of an earlier one is forgotten. */
const forget = (one: Wanted): void => {
  one.place = undefined
  for (const child of one.inner.values()) forget(child)
}

/** Index of the value behind a name that ends before `end`; the length of the bytes where no colon follows. */
const valueAfter = (bytes: Uint8Array, end: number): number => {
  const colon = skipSpace(bytes, end)
  return bytes[colon] === COLON ? skipSpace(bytes, colon + 1) : bytes.length
}

type Member = Readonly<{ child: Wanted | undefined; value: number }>

/** A member or element of what is at `start`: is it wanted, and where is its value? */
const memberAt = (bytes: Uint8Array, start: number, one: Wanted, index: number, isRecord: boolean): Member => {
  if (!isRecord) return { child: one.inner.get(index), value: start }
  const end = skipString(bytes, start)
  return { child: named(bytes, start, end, one), value: valueAfter(bytes, end) }
}

/** The same as `fill` for a list whose elements are known: nobody walks to them. */
const fillKnown = (bytes: Uint8Array, { starts, ends, end }: Elements, one: Wanted): number => {
  for (const [index, child] of one.inner) {
    const start = starts[Number(index)]
    if (start === undefined) continue
    const behind = fill(bytes, start, child)
    const next = skipSpace(bytes, behind)
    const before = ends[Number(index) - 1]
    child.place = {
      start,
      value: start,
      end: behind,
      comma_before: before === undefined ? -1 : skipSpace(bytes, before),
      comma_after: bytes[next] === COMMA ? next : -1,
    }
  }
  return end
}

const skipOrFill = (bytes: Uint8Array, value: number, child: Wanted | undefined, list?: Elements): number => {
  const known = value === list?.start ? list : undefined
  if (child?.place) forget(child)
  if (known) return child ? fillKnown(bytes, known, child) : known.end
  return child ? fill(bytes, value, child, list) : skipValue(bytes, value)
}

/** Fills in the places inside of the value at `from`, in one walk; the index after the value. */
const fill = (bytes: Uint8Array, from: number, one: Wanted, list?: Elements): number => {
  const isRecord = bytes[from] === OPEN_RECORD
  if (one.inner.size === 0 || !(isRecord || bytes[from] === OPEN_LIST)) return skipValue(bytes, from)
  let comma_before = -1
  let start = skipSpace(bytes, from + 1)
  for (let index = 0; start < bytes.length && !closes(bytes[start]); index++) {
    const { child, value } = memberAt(bytes, start, one, index, isRecord)
    const end = skipOrFill(bytes, value, child, list)
    if (end === value) return bytes.length
    const next = skipSpace(bytes, end)
    const comma_after = bytes[next] === COMMA ? next : -1
    if (child) child.place = { start, value, end, comma_before, comma_after }
    if (comma_after < 0) return next + 1
    comma_before = comma_after
    start = skipSpace(bytes, comma_after + 1)
  }
  return start + 1
}

/**
 * Finds many places in one walk; what it returns gives the place of each path that was asked for, and of those above it. Where a
 * list of the body is known, the walk leaps over it, and there is none where all that is asked for is inside of it.
 */
export const locateAll = (
  bytes: Uint8Array,
  paths: Iterable<Path>,
  list?: Elements,
): ((path: Path) => Place | undefined) => {
  const root = wanted()
  let isInside = list !== undefined
  for (const path of paths) {
    isInside &&= path.length > 1 && path[0] === list?.name
    let here = root
    for (const step of path) {
      const next = here.inner.get(step) ?? wanted()
      here.inner.set(step, next)
      here = next
    }
  }
  const inner = isInside && list ? root.inner.get(list.name) : undefined
  if (list && inner) fillKnown(bytes, list, inner)
  else if (root.inner.size > 0) fill(bytes, skipSpace(bytes, 0), root, list)
  return (path) => {
    let here: Wanted | undefined = root
    for (const step of path) here = here?.inner.get(step)
    return here?.place
  }
}
