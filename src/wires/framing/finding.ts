import type { Block, Change, PartKind } from '../../core/prompt.ts'
import type { Edit, KnownBody, Part } from '../../core/wire.ts'
import { beginningOf, NOTHING } from './beginnings.ts'
import { asList, asRecord } from './json.ts'
import type { Place } from './json-bytes.ts'
import type { Elements } from './json-places.ts'
import type { Anatomy, Spot } from './spots.ts'

/** A change, and the edit that makes it in a body. */
type Made = Readonly<{ change: Change; edit: Edit }>

/** What was found in a body. */
export type Found = Readonly<{
  spots: readonly Spot[]
  blocks: readonly Block[]
  /** As the outline has them. */
  definitions: readonly number[]
  marked: readonly number[]
  kinds: readonly PartKind[]
  /** Of each message of the list: its first spot, and its first part. */
  first_spots: readonly number[]
  first_parts: readonly number[]
  /** The last message. */
  last: number
  /** What was made of a spot that lies in a message. */
  made: (Made | undefined)[]
  /** Where members of the body were found, by name. */
  places: Map<string, Place>
  /** The bytes, where they are known. */
  body: Uint8Array | undefined
}> & { elements?: Elements | undefined }

const fallback = (role: Block['role']) => (role === 'tools' || role === 'system' ? role : 'history')

/** The spots were made for this alone, so their blocks are finished rather than copied. */
const finish = (block: Spot['block'], parts: readonly Part[]): Block => {
  const finished = block as { -readonly [name in keyof Block]: Block[name] }
  finished.kind = parts[block.part]?.kind ?? fallback(block.role)
  return finished
}

const firstRecord = (list: readonly unknown[]): number => list.findIndex((one) => asRecord(one) !== undefined)
const lastRecord = (list: readonly unknown[]): number => list.findLastIndex((one) => asRecord(one) !== undefined)

/** So many messages of the body before stand as they stood: the same bytes, with the same kinds of parts, and others behind them. */
const standing = (before: Found, count: number, last: number, parts: readonly Part[]): number => {
  const { first_parts, kinds } = before
  let most = Math.min(count, before.last, last)
  const end = first_parts[most] ?? 0
  let same = 0
  while (same < end && kinds[same] === parts[same]?.kind) same += 1
  while (most > 0 && (first_parts[most] ?? 0) > same) most -= 1
  return most
}

/** What is found so far, up to the message and the part that come next. */
type Begun = Pick<Found, 'made' | 'places'> &
  Readonly<{
    spots: Spot[]
    blocks: Block[]
    definitions: number[]
    marked: number[]
    first_spots: number[]
    first_parts: number[]
    message: number
    part: number
  }>

const add = (begun: Begun, own: readonly Spot[], parts: readonly Part[]): void => {
  const { spots, blocks, made, definitions, marked } = begun
  for (const spot of own) {
    if (spot.block.message < 0) definitions.push(spots.length)
    if (spot.block.mark !== undefined) marked.push(spots.length)
    spots.push(spot)
    blocks.push(finish(spot.block, parts))
    made.push(undefined)
  }
}

const begin = (anatomy: Anatomy, parts: readonly Part[]): Begun => {
  const head = anatomy.head()
  const begun: Begun = {
    spots: [],
    blocks: [],
    definitions: [],
    marked: [],
    made: [],
    places: new Map(),
    first_spots: [],
    first_parts: [],
    message: 0,
    part: head.parts,
  }
  add(begun, head.spots, parts)
  return begun
}

const takeUp = (before: Found, message: number): Begun => {
  const end = before.first_spots[message] ?? 0
  const isBefore = (index: number) => index < end
  return {
    spots: before.spots.slice(0, end),
    blocks: before.blocks.slice(0, end),
    definitions: before.definitions.filter(isBefore),
    marked: before.marked.filter(isBefore),
    made: before.made.slice(0, end),
    places: before.places,
    first_spots: before.first_spots.slice(0, message),
    first_parts: before.first_parts.slice(0, message),
    message,
    part: before.first_parts[message] ?? 0,
  }
}

/** What is found in a body, message by message; of those that the conversation's last body had, what was found then. */
export const find = (anatomy: Anatomy, parts: readonly Part[], name: string, known?: KnownBody): Found => {
  const list = asList(anatomy.list)
  const [first, last] = [firstRecord(list), lastRecord(list)]
  const before = known?.memory.get(known.name) as Found | undefined
  const { count, elements } = known && before ? beginningOf(known.body, before, name) : NOTHING
  const taken = before && elements?.starts.length === list.length ? standing(before, count, last, parts) : 0
  const begun = before && taken > 0 ? takeUp(before, taken) : begin(anatomy, parts)
  const { first_spots, first_parts } = begun
  let { message, part } = begun
  for (; message < list.length; message++) {
    first_spots.push(begun.spots.length)
    first_parts.push(part)
    const record = asRecord(list[message])
    if (!record) continue
    const own = anatomy.message(record, { message, part, inside: message > first && message < last })
    add(begun, own.spots, parts)
    part += own.parts
  }
  const { spots, blocks, definitions, marked, made, places } = begun
  const found: Found = {
    spots,
    blocks,
    definitions,
    marked,
    made,
    places,
    first_spots,
    first_parts,
    last,
    kinds: parts.map(({ kind }) => kind),
    elements,
    body: known?.body,
  }
  known?.memory.set(known.name, found as Found & Readonly<{ body: Uint8Array }>)
  return found
}
