import type { BodyFields, CacheTtl, Change, Outline } from '../../core/prompt.ts'
import type { Edit, Editor, KnownBody, Part } from '../../core/wire.ts'
import { answerText } from './answer-text.ts'
import { type Found, find } from './finding.ts'
import { asRecord, decode, encode } from './json.ts'
import { insertingAll, leavingOut, type Place, replacing } from './json-bytes.ts'
import { locateAll } from './json-places.ts'
import { Outlined } from './outlined.ts'
import type { Anatomy, Path, Spot } from './spots.ts'

/** What a wire calls things. A mark is a member of the block that it closes, or an element after it. */
export type Dialect = Readonly<{
  /** The list of the body whose elements are messages. */
  list: string
  anatomy(json: unknown): Anatomy
  fields(json: unknown): BodyFields
  temperature(json: unknown): number | undefined
  most_marks: number
  mark?(ttl: CacheTtl): Readonly<{ name: string; value: unknown; after?: true }>
  /** The list that stands for a bare text, with `%` in place of its JSON. */
  listed?: string
  /** Where fields are written, by path; those that the wire does not have are left out. */
  set(json: unknown, fields: BodyFields): readonly Readonly<{ path: Path; value: unknown }>[]
  /** What a whole answer, or an event of a streamed one, says to the user. */
  said(json: unknown): string
  /** What is left out instead when a list has lost all its elements. */
  emptied(list: Path): readonly Path[]
}>

const outlineOf = (dialect: Dialect, json: unknown, parts: readonly Part[], known?: KnownBody): Outline => {
  const found = find(dialect.anatomy(json), parts, dialect.list, asRecord(json) ? known : undefined)
  const { fields, temperature, most_marks } = dialect
  return new Outlined(found, { fields: fields(json), temperature: temperature(json), most_marks })
}

/** What is wanted of a block in the end. `plain` is the change, where nothing is wanted but another text. */
type Wish = { text?: string; plain?: Change | undefined; gone?: true; mark?: CacheTtl }

const gather = (changes: readonly Change[]) => {
  const wishes = new Map<number, Wish>()
  let fields: BodyFields = {}
  for (const change of changes) {
    if (change.do === 'set') {
      fields = { ...fields, ...change.fields }
      continue
    }
    const wish = wishes.get(change.block) ?? {}
    wishes.set(change.block, wish)
    if (change.do === 'replace') wish.text = change.text
    else if (change.do === 'remove') wish.gone = true
    else wish.mark = change.ttl
    wish.plain = wish.gone || wish.mark !== undefined ? undefined : change
  }
  return { wishes, fields }
}

const keyOf = (path: Path): string => JSON.stringify(path)

const at = (json: unknown, path: Path): unknown =>
  path.reduce<unknown>(
    (here, step) =>
      typeof here === 'object' && here !== null ? (here as Record<string | number, unknown>)[step] : undefined,
    json,
  )

/** Every element and member that goes, by the container that it is in; a list that would be left empty goes itself. */
const removals = (json: unknown, homes: readonly Path[], dialect: Dialect): Map<string, Set<string | number>> => {
  const byContainer = new Map<string, Set<string | number>>()
  const open: Path[] = [...homes]
  for (let path = open.pop(); path; path = open.pop()) {
    const container = path.slice(0, -1)
    const last = path.at(-1)
    if (last === undefined) continue
    const gone = byContainer.get(keyOf(container)) ?? new Set()
    byContainer.set(keyOf(container), gone)
    if (gone.has(last)) continue
    gone.add(last)
    const list = at(json, container)
    if (!Array.isArray(list) || gone.size < list.length) continue
    const instead = dialect.emptied(container)
    if (instead.length === 0) continue
    byContainer.delete(keyOf(container))
    open.push(...instead.filter((one) => at(json, one) !== undefined))
  }
  return byContainer
}

const isWithin = (path: Path, gone: ReadonlyMap<string, ReadonlySet<string | number>>): boolean => {
  if (gone.size === 0) return false
  for (let depth = 0; depth < path.length; depth++) {
    const step = path[depth]
    if (step !== undefined && gone.get(keyOf(path.slice(0, depth)))?.has(step)) return true
  }
  return false
}

type Find = (path: Path) => Place | undefined
type Body = Readonly<{ body: Uint8Array; json: unknown; find: Find; dialect: Dialect }>

const writtenOf = (text: string): Uint8Array => encode(JSON.stringify(text))

/** A bare text with its mark, or with another text: one edit, because both lie in the same place. */
const bareEdit = ({ body, dialect }: Body, place: Place, wish: Wish): Edit => {
  const bytes = wish.text === undefined ? body.subarray(place.value, place.end) : writtenOf(wish.text)
  const mark = wish.mark === undefined ? undefined : dialect.mark?.(wish.mark)
  if (!mark || dialect.listed === undefined) return { start: place.value, end: place.end, bytes }
  const text = decode(bytes)
  const [before = '', after = ''] = dialect.listed.split('%')
  const own = `${JSON.stringify(mark.name)}:${JSON.stringify(mark.value)}`
  const marked = mark.after ? `${before}${text}${after},{${own}}` : `${before}${text},${own}${after}`
  return { start: place.value, end: place.end, bytes: encode(`[${marked}]`) }
}

const markEdit = ({ body, json, find, dialect }: Body, home: Path, ttl: CacheTtl): Edit | undefined => {
  const mark = dialect.mark?.(ttl)
  const place = find(home)
  if (!mark || !place) return undefined
  if (mark.after)
    return { start: place.end, end: place.end, bytes: encode(`,${JSON.stringify({ [mark.name]: mark.value })}`) }
  const there = mark.name in (asRecord(at(json, home)) ?? {}) ? find([...home, mark.name]) : undefined
  return there ? replacing(there, mark.value) : insertingAll(body, place.value, { [mark.name]: mark.value })
}

const wishEdits = (given: Body, spot: Spot, wish: Wish): (Edit | undefined)[] => {
  const place = spot.text && spot.block.replaceable ? given.find(spot.text) : undefined
  const bytes = place && wish.text !== undefined ? writtenOf(wish.text) : undefined
  const mark = spot.block.markable && wish.text !== '' ? wish.mark : undefined
  if (spot.bare) return place && (bytes !== undefined || mark !== undefined) ? [bareEdit(given, place, wish)] : []
  return [
    place && bytes ? { start: place.value, end: place.end, bytes } : undefined,
    mark === undefined ? undefined : markEdit(given, spot.home, mark),
  ]
}

type Setting = ReturnType<Dialect['set']>[number]
type Added = Map<string, { path: Path; members: Record<string, unknown> }>

/** A member that is not there yet goes into the nearest object above; what is there and is none gives way to one. */
const addMember = ({ json, find }: Body, { path, value }: Setting, added: Added): Edit | undefined => {
  let depth = path.length - 1
  while (depth > 0 && !asRecord(at(json, path.slice(0, depth)))) depth--
  const nested = path.slice(depth + 1).reduceRight<unknown>((inner, step) => ({ [step]: inner }), value)
  const other = find(path.slice(0, depth + 1))
  if (other) return replacing(other, nested)
  const above = path.slice(0, depth)
  const members: Record<string, unknown> = added.get(keyOf(above))?.members ?? {}
  added.set(keyOf(above), { path: above, members })
  const name = String(path[depth])
  const inner = depth === path.length - 1 ? undefined : asRecord(nested)
  members[name] = inner ? { ...asRecord(members[name]), ...inner } : nested
  return undefined
}

/** Members that are set: replaced where they are, added where they are not. */
const fieldEdits = (given: Body, settings: readonly Setting[]): (Edit | undefined)[] => {
  const added: Added = new Map()
  const edits = settings.map((setting) => {
    const place = given.find(setting.path)
    return place ? replacing(place, setting.value) : addMember(given, setting, added)
  })
  const additions = [...added.values()].map(({ path, members }) => {
    const from = path.length === 0 ? 0 : (given.find(path)?.value ?? given.body.length)
    return insertingAll(given.body, from, members)
  })
  return [...edits, ...additions]
}

type Removals = ReturnType<typeof removals>

const removalEdits = ({ body, find }: Body, gone: Removals): readonly Edit[] =>
  [...gone].flatMap(([container, steps]) => {
    const path = JSON.parse(container) as Path
    const from = path.length === 0 ? body.indexOf(123) : find(path)?.value
    return from === undefined || isWithin(path, gone) ? [] : leavingOut(body, from, (step) => steps.has(step))
  })

type Wished = Readonly<{ index: number; spot: Spot; wish: Wish }>

/** How much of a path there is in the body: what is not there need not be looked for. */
const present = (json: unknown, path: Path): Path => {
  let here = json
  for (const [depth, step] of path.entries()) {
    here = at(here, [step])
    if (here === undefined) return path.slice(0, depth)
  }
  return path
}

/** Every place that is asked for. */
const placesFor = (
  json: unknown,
  wished: readonly Wished[],
  settings: readonly Setting[],
  gone: Removals,
  dialect: Dialect,
): Path[] => {
  const paths: Path[] = settings.map(({ path }) => present(json, path)).filter(({ length }) => length > 0)
  for (const container of gone.keys()) paths.push(JSON.parse(container) as Path)
  for (const { spot, wish } of wished) {
    paths.push(spot.home)
    if (spot.text) paths.push(spot.text)
    if (wish.mark !== undefined && dialect.mark) paths.push([...spot.home, dialect.mark(wish.mark).name])
  }
  return paths
}

type Asked = Readonly<{ body: Uint8Array; json: unknown; changes: readonly Change[]; of: Outline | undefined }>

/** What was found in the body, or is found now: edits are also made of bodies that nobody has outlined. */
const foundBefore = (dialect: Dialect, { body, json, of }: Asked): Found => {
  const found = Outlined.foundFor(of)
  if (found && (found.body === undefined || found.body === body)) return found
  return find(dialect.anatomy(json), [], dialect.list)
}

/** The edits of wishes. Of a known body they are remembered with what was found in it, where nothing is wanted but another text. */
const wishedEdits = (given: Body, wished: readonly Wished[], gone: Removals, found: Found): (Edit | undefined)[] => {
  const { made, first_spots, body } = found
  const head = first_spots[0] ?? Number.POSITIVE_INFINITY
  return wished.flatMap(({ index, spot, wish }) => {
    if (isWithin(spot.home, gone)) return []
    const edits = wishEdits(given, spot, wish)
    const [edit] = edits
    if (body && wish.plain && edit && index >= head) made[index] = { change: wish.plain, edit }
    return edits
  })
}

/** Finds places. Those of members before a list that is known are where they were in the conversation's last body. */
const finder = ({ places, elements, body: known }: Found, body: Uint8Array, paths: readonly Path[]): Find => {
  const before = ([name, inner]: Path): Place | undefined => {
    const place = inner === undefined ? places.get(String(name)) : undefined
    return place && elements && place.end < elements.start ? place : undefined
  }
  const locate = locateAll(
    body,
    paths.filter((path) => !before(path)),
    elements,
  )
  return (path) => {
    const place = before(path) ?? locate(path)
    if (known && place && path.length === 1) places.set(String(path[0]), place)
    return place
  }
}

const editsOf = (dialect: Dialect, asked: Asked): readonly Edit[] => {
  const { body, json, changes } = asked
  const { wishes, fields } = gather(changes)
  const found = foundBefore(dialect, asked)
  const isWhole = !changes.some((change) => change.do === 'remove')
  const wished: Wished[] = []
  const before: Edit[] = []
  for (const [index, wish] of wishes) {
    const made = isWhole ? found.made[index] : undefined
    const spot = found.spots[index]
    if (made && made.change === wish.plain) before.push(made.edit)
    else if (spot) wished.push({ index, spot, wish })
  }
  const leaving = wished.filter(({ spot, wish }) => wish.gone && spot.block.removable)
  const gone = removals(
    json,
    leaving.map(({ spot }) => spot.home),
    dialect,
  )
  const settings = dialect.set(json, fields).filter(({ path }) => !isWithin(path, gone))
  const places = placesFor(json, wished, settings, gone, dialect)
  const given: Body = { body, json, find: finder(found, body, places), dialect }
  // Most bodies have their fields before the messages, and what is new behind what was there before.
  return [
    ...fieldEdits(given, settings),
    ...before,
    ...removalEdits(given, gone),
    ...wishedEdits(given, wished, gone, found),
  ].filter((edit) => edit !== undefined)
}

/** An editor of a wire from what the wire calls things. */
export const editorOf = (dialect: Dialect): Editor => ({
  outline: (json, parts, known) => outlineOf(dialect, json, parts, known),
  edits: (body, json, changes, of) => (changes.length === 0 ? [] : editsOf(dialect, { body, json, changes, of })),
  said: (body, content_type) => answerText(body, content_type, dialect.said),
})
