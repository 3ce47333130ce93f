import type { Block, PartKind } from '../../core/prompt.ts'
import type { Part } from '../../core/wire.ts'
import { asList, asRecord, type JsonRecord } from './json.ts'

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

/** Elements of a list that are objects, with their place in it. */
export const records = (list: unknown): readonly Readonly<{ record: JsonRecord; at: number }>[] => {
  const found: Readonly<{ record: JsonRecord; at: number }>[] = []
  for (const [index, value] of asList(list).entries()) {
    const record = asRecord(value)
    if (record) found.push({ record, at: index })
  }
  return found
}

/** What the spots of a message depend on besides the message: its index, its first part, and whether others lie before and behind it. */
export type Standing = Readonly<{ message: number; part: number; inside: boolean }>

/** The spots of a message, and how many parts of the reading they are. */
export type Stood = Readonly<{ spots: readonly Spot[]; parts: number }>

type Kept = Standing & Stood

/** The messages of a body that begins as one before it did: `old` holds those that are in both, `now` those of this one. */
export type Seen = Readonly<{ old: readonly (Kept | undefined)[]; now: (Kept | undefined)[]; parts: readonly Part[] }>

const fallback = (role: Block['role']) => (role === 'tools' || role === 'system' ? role : 'history')

/** What a block's part is for. */
export const kindOf = ({ part, role }: Spot['block'], parts: readonly Part[]): PartKind =>
  parts[part]?.kind ?? fallback(role)

/** The same spots; where the kind of a block is another one by now, with a block of that kind. */
const again = (spots: readonly Spot[], parts: readonly Part[]): readonly Spot[] => {
  if (spots.every(({ block }) => block.kind === kindOf(block, parts))) return spots
  return spots.map((spot) => {
    const kind = kindOf(spot.block, parts)
    return spot.block.kind === kind ? spot : { ...spot, block: { ...spot.block, kind } }
  })
}

/** Appends the spots of every message of a list; of those that were seen before, the same objects. */
export const addMessages = (
  found: Spot[],
  { list, part, seen }: Readonly<{ list: unknown; part: number; seen: Seen }>,
  spotsOf: (message: JsonRecord, standing: Standing) => Stood,
): void => {
  const messages = records(list)
  const last = messages.length - 1
  let next = part
  for (let nth = 0; nth <= last; nth++) {
    const one = messages[nth]
    if (!one) continue
    const inside = nth > 0 && nth < last
    const before = seen.old[one.at]
    const isSame = before?.part === next && before.inside === inside
    const standing = { message: one.at, part: next, inside }
    const { spots, parts } = isSame ? before : spotsOf(one.record, standing)
    const kept = { ...standing, spots: isSame ? again(spots, seen.parts) : spots, parts }
    seen.now[one.at] = kept
    for (const spot of kept.spots) found.push(spot)
    next += parts
  }
}
