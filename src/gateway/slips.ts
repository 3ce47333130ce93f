import { hint } from '../config/suggest.ts'
import type { Headers } from '../core/wire.ts'
import { levers } from '../playbook/levers.ts'
import { fields } from './tags.ts'

/** Headers by which a client speaks to Weir, without `x-weir-`; besides them `tag-NAME`, and what calls of Weir's own carry. */
const ASKED = [...fields, 'tag-NAME', 'step', 'deadline', 'deferrable', 'levers']
const known: ReadonlySet<string> = new Set([...ASKED, 'errand'])

const waivable = [...new Set(Object.keys(levers).flatMap((name) => [name, name.slice(0, name.indexOf('/'))]))]

/** Bounds on what a client can make Weir say. */
const LONGEST_NAME = 40
const MOST = 5

/** One slip in `x-weir-levers`. The word itself is not repeated: what clients send stands in no answer and on no receipt. */
const wordSlip = (word: string, nth: number): string | undefined => {
  const name = word.replace(/^-/, '')
  const is = waivable.includes(name)
  if (is && name !== word) return undefined
  const where = `x-weir-levers: word ${nth + 1}`
  if (is) return `${where} waives nothing without a minus: -${name}`
  return `${where} is no lever or play: ${hint(name.slice(0, LONGEST_NAME), waivable) || 'weir levers lists them'}`
}

const leverSlips = (header: string): string[] => {
  const words = header.toLowerCase().split(',', 64)
  return words.flatMap((text, nth) => {
    const word = text.trim()
    return word === '' || word === 'off' ? [] : (wordSlip(word, nth) ?? [])
  })
}

const valueSlips = (word: string, value: string): readonly string[] => {
  if (word === 'levers') return leverSlips(value)
  if (word === 'step' && !/^\d{1,9}$/.test(value)) return ['x-weir-step is no whole number']
  if (word === 'deferrable' && !/^(true|false|0|1)$/.test(value)) return ['x-weir-deferrable is neither true nor false']
  return []
}

const nameSlip = (word: string): string =>
  `x-weir-${word.slice(0, LONGEST_NAME)} is no header of Weir's: ${hint(word.slice(0, LONGEST_NAME), ASKED)}`

/**
 * What a client says to Weir in its headers and Weir cannot read, in words for the one who wrote it: on the receipt as warnings and on
 * the answer as `x-weir-warning`. It refuses no call, for none of it gates money.
 */
export const slipsIn = (headers: Headers): readonly string[] | undefined => {
  let slips: string[] | undefined
  for (const name in headers) {
    if (!name.startsWith('x-weir-')) continue
    const word = name.slice('x-weir-'.length)
    const found = known.has(word) || /^tag-./.test(word) ? valueSlips(word, headers[name] ?? '') : [nameSlip(word)]
    if (found.length > 0) slips = [...(slips ?? []), ...found].slice(0, MOST)
  }
  return slips
}
