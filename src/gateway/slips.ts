/** What a client says to Weir in its headers and Weir cannot read, in words for the one who wrote it. It refuses no call, for none of it gates money. */
import { hint } from '../config/suggest.ts'
import { levers } from '../playbook/levers.ts'

const waivable = [...new Set(Object.keys(levers).flatMap((name) => [name, name.slice(0, name.indexOf('/'))]))]

/** Bounds on what a client can make Weir say. */
const LONGEST_NAME = 40
const MOST_WORDS = 64

/** One slip in `x-weir-levers`. The word itself is not repeated: what clients send stands in no answer and on no receipt. */
const wordSlip = (word: string, nth: number): string | undefined => {
  const name = word.replace(/^-/, '')
  const is = waivable.includes(name)
  if (is && name !== word) return undefined
  const where = `x-weir-levers: word ${nth + 1}`
  if (is) return `${where} waives nothing without a minus: -${name}`
  return `${where} is no lever or play: ${hint(name.slice(0, LONGEST_NAME), waivable) || 'weir levers lists them'}`
}

/** Of `x-weir-levers`, the words that waive nothing. */
export const leverSlips = (header: string): readonly string[] =>
  header
    .toLowerCase()
    .split(',', MOST_WORDS)
    .flatMap((text, nth) => {
      const word = text.trim()
      return word === '' || word === 'off' ? [] : (wordSlip(word, nth) ?? [])
    })

/** Of a header `x-weir-…` that is none of those that are known. */
export const nameSlip = (word: string, known: readonly string[]): string => {
  const short = word.slice(0, LONGEST_NAME)
  return `x-weir-${short} is no header of Weir's: ${hint(short, known)}`
}
