import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { hash } from './random.ts'

/** A longer run without a break makes any BPE library quadratic, so it is cut before it is encoded. */
const LONGEST_RUN = 1_000
const REMEMBERED = 3_000_000

const memory = new Map<string, Uint32Array>()
let remembered = 0

const encodePlainly = (text: string): number[] => encode(text, { disallowedSpecial: new Set() })

/** The text as it is, but for runs that are too long: those are cut. */
const piecesOf = (text: string): string[] => {
  const pieces: string[] = []
  let from = 0
  for (const { 0: run, index } of text.matchAll(/\S{1001,}|\s{1001,}/gu)) {
    pieces.push(text.slice(from, index), ...(run.match(/[\s\S]{1,1000}/gu) ?? []))
    from = index + run.length
  }
  return [...pieces, text.slice(from)]
}

const encodeInPieces = (text: string): Uint32Array => {
  if (text.length <= LONGEST_RUN) return Uint32Array.from(encodePlainly(text))
  const ids: number[] = []
  for (const piece of piecesOf(text)) for (const id of encodePlainly(piece)) ids.push(id)
  return Uint32Array.from(ids)
}

/** Token ids (o200k) of a text; remembered, because prompts repeat themselves. */
export const tokenize = (text: string): Uint32Array => {
  const known = memory.get(text)
  if (known) return known
  const ids = encodeInPieces(text)
  if (remembered > REMEMBERED) {
    memory.clear()
    remembered = 0
  }
  memory.set(text, ids)
  remembered += ids.length
  return ids
}

/** `count` stand-in tokens for content that is not text, such as an image: equal content, equal tokens. */
export const standIn = (content: string, count: number): Uint32Array => new Uint32Array(count).fill(hash(content))
