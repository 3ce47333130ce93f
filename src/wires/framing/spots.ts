import type { Block } from '../../core/prompt.ts'
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

/** Spots, and how many parts of the reading they are. */
export type Stood = Readonly<{ spots: readonly Spot[]; parts: number }>

/** The spots of a body: those before its messages, the list of its messages, and the spots of each. */
export type Anatomy = Readonly<{
  head(): Stood
  list: unknown
  message(message: JsonRecord, standing: Standing): Stood
}>
