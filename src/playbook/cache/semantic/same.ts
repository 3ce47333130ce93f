import { guardsOf } from './guards.ts'
import { lexicalVector } from './lexical.ts'
import { packVector, type Said, unpackVector } from './notes.ts'

const SPACE = /\s+/g

/** What an answer says, without its words. */
export const saidOf = (text: string, hash: (text: string) => string): Said => ({
  exact: hash(text.trim().replace(SPACE, ' ').toLowerCase()),
  guards: hash(guardsOf(text)),
  about: packVector(lexicalVector(text)),
})

const cosine = (a: Float32Array, b: Float32Array): number => {
  let sum = 0
  for (let index = 0; index < a.length; index++) sum += (a[index] ?? 0) * (b[index] ?? 0)
  return sum
}

/**
 * Do two answers say the same? Equal words do; otherwise all numbers, names and negations must be equal and the words nearly so.
 * A doubt counts as no: then the candidate was wrong, and less is served.
 */
export const saySame = (a: Said, b: Said, similarity: number): boolean =>
  a.exact === b.exact || (a.guards === b.guards && cosine(unpackVector(a.about), unpackVector(b.about)) >= similarity)
