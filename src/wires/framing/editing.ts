import type { Block, BodyFields, CacheTtl, Change, Outline } from '../../core/prompt.ts'
import type { Edit, Editor, Part } from '../../core/wire.ts'
import { answerText } from './answer-text.ts'
import { asList, asRecord, decode, encode } from './json.ts'
import { insertingAll, leavingOut, type Place, replacing } from './json-bytes.ts'
import { locateAll } from './json-places.ts'

export type Path = readonly (string | number)[]

/** A block, and where it lies in the body. */
export type Spot = Readonly<{
  block: Omit<Block, 'kind'> & Partial<Pick<Block, 'kind'>>
  /** Of the string that is the block's text; only where it is replaceable. */
  text?: Path
  /** Of the element of a list that is the block: left out with it, and marked. */
  home: Path
  /** The text is a plain string where a list of blocks may stand, so a mark makes a list of it. */
  bare?: true
}>

/** What a wire calls things. A mark is a member of the block that it closes, or an element after it. */
export type Dialect = Readonly<{
  spots(json: unknown): readonly Spot[]
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

const fallback = (role: Block['role']) => (role === 'tools' || role === 'system' ? role : 'history')

/** Spots of the bodies that are on their way: outline and edits of a call look at the same ones. */
const spotsOf = new WeakMap<object, readonly Spot[]>()

const outlineOf = (dialect: Dialect, json: unknown, parts: readonly Part[]): Outline => {
  const spots = dialect.spots(json)
  if (typeof json === 'object' && json !== null) spotsOf.set(json, spots)
  const blocks = spots.map(({ block }): Block => {
    // The spots were made for this outline alone, so their blocks are finished rather than copied.
    const finished = block as { -readonly [name in keyof Block]: Block[name] }
    finished.kind = parts[block.part]?.kind ?? fallback(block.role)
    return finished
  })
  const temperature = dialect.temperature(json)
  return {
    blocks,
    fields: dialect.fields(json),
    ...(temperature === undefined ? {} : { temperature }),
    most_marks: dialect.most_marks,
  }
}

/** What is wanted of a block in the end. `written` is the text as bytes of a body. */
type Wish = { text?: string; written?: Uint8Array; gone?: true; mark?: CacheTtl }

/** Levers repeat the same change on every turn of a conversation, so what it was written as is kept as long as they keep it. */
const written = new WeakMap<Change, Uint8Array>()

const writtenOf = (change: Extract<Change, { do: 'replace' }>): Uint8Array => {
  const known = written.get(change)
  if (known) return known
  const bytes = encode(JSON.stringify(change.text))
  written.set(change, bytes)
  return bytes
}

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
    if (change.do === 'replace') {
      wish.text = change.text
      wish.written = writtenOf(change)
    } else if (change.do === 'remove') wish.gone = true
    else wish.mark = change.ttl
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
  for (let depth = 0; depth < path.length; depth++) {
    const step = path[depth]
    if (step !== undefined && gone.get(keyOf(path.slice(0, depth)))?.has(step)) return true
  }
  return false
}

type Find = (path: Path) => Place | undefined
type Body = Readonly<{ body: Uint8Array; json: unknown; find: Find; dialect: Dialect }>

/** A bare text with its mark, or with another text: one edit, because both lie in the same place. */
const bareEdit = ({ body, dialect }: Body, place: Place, wish: Wish): Edit => {
  const bytes = wish.written ?? body.subarray(place.value, place.end)
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
  const bytes = place ? wish.written : undefined
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

type Wished = Readonly<{ spot: Spot; wish: Wish }>

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

const editsOf = (dialect: Dialect, body: Uint8Array, json: unknown, changes: readonly Change[]): readonly Edit[] => {
  const { wishes, fields } = gather(changes)
  const spots = wishes.size === 0 ? [] : (spotsOf.get(json as object) ?? dialect.spots(json))
  const wished = [...wishes].flatMap(([index, wish]): Wished[] => {
    const spot = spots[index]
    return spot ? [{ spot, wish }] : []
  })
  const leaving = wished.filter(({ spot, wish }) => wish.gone && spot.block.removable)
  const gone = removals(
    json,
    leaving.map(({ spot }) => spot.home),
    dialect,
  )
  const settings = dialect.set(json, fields).filter(({ path }) => !isWithin(path, gone))
  const given: Body = { body, json, find: locateAll(body, placesFor(json, wished, settings, gone, dialect)), dialect }
  const staying = wished.filter(({ spot }) => !isWithin(spot.home, gone))
  const edits = [
    ...fieldEdits(given, settings),
    ...removalEdits(given, gone),
    ...staying.flatMap(({ spot, wish }) => wishEdits(given, spot, wish)),
  ]
  return edits.filter((edit) => edit !== undefined)
}

/** An editor of a wire from what the wire calls things. */
export const editorOf = (dialect: Dialect): Editor => ({
  outline: (json, parts) => outlineOf(dialect, json, parts),
  edits: (body, json, changes) => (changes.length === 0 ? [] : editsOf(dialect, body, json, changes)),
  said: (body, content_type) => answerText(body, content_type, dialect.said),
})

/** Elements of a list that are objects, with their place in it. */
export const records = (
  list: unknown,
): readonly Readonly<{ record: Readonly<Record<string, unknown>>; at: number }>[] => {
  const found: Readonly<{ record: Readonly<Record<string, unknown>>; at: number }>[] = []
  for (const [index, value] of asList(list).entries()) {
    const record = asRecord(value)
    if (record) found.push({ record, at: index })
  }
  return found
}
