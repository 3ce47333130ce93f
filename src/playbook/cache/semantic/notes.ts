import type { Features } from './learner.ts'
import type { Note } from './partition.ts'

/** A note as text: vectors in eight bits a dimension, since that is how they are compared. */
type Written = Readonly<{
  v: string
  g: string
  at: number
  group: string
  /** What the answer says, for telling whether another one says the same. */
  says?: Said
  x?: Features
  xg?: string
  ok?: boolean
}>

/** What an answer says: exactly, by its guards, and about. */
export type Said = Readonly<{ exact: string; guards: string; about: string }>

const LETTERS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** Two letters a dimension: 4,096 steps from -1 to 1. */
export const packVector = (vector: Float32Array): string => {
  let text = ''
  for (const value of vector) {
    const step = Math.max(0, Math.min(4095, Math.round((value + 1) * 2047.5)))
    text += (LETTERS[step >> 6] ?? 'A') + (LETTERS[step & 63] ?? 'A')
  }
  return text
}

const values = new Map([...LETTERS].map((letter, value) => [letter, value]))

export const unpackVector = (text: string): Float32Array => {
  const vector = new Float32Array(text.length >> 1)
  for (let index = 0; index < vector.length; index++) {
    const step = (values.get(text[2 * index] ?? '') ?? 0) * 64 + (values.get(text[2 * index + 1] ?? '') ?? 0)
    vector[index] = step / 2047.5 - 1
  }
  return vector
}

/** A note that is kept: of a question, and of what its answer says where it is a new one. */
export type Kept = Note & Readonly<{ says?: Said }>

export const writeNote = ({ question, at_us, group, verified, says }: Kept): string => {
  const written: Written = {
    v: packVector(question.vector),
    g: question.guards,
    at: at_us,
    group,
    ...(says ? { says } : {}),
    ...(verified ? { x: verified.features, xg: verified.group, ok: verified.right } : {}),
  }
  return JSON.stringify(written)
}

/** Reads a note; undefined for one that is none: a broken file loses what it had learnt and nothing else. */
export const readNote = (text: string): Kept | undefined => {
  try {
    const { v, g, at, group, says, x, xg, ok } = JSON.parse(text) as Written
    if (typeof v !== 'string' || typeof g !== 'string' || typeof group !== 'string') return undefined
    const note = { question: { vector: unpackVector(v), guards: g }, at_us: at, group, ...(says ? { says } : {}) }
    if (!Array.isArray(x) || typeof xg !== 'string' || typeof ok !== 'boolean') return note
    return { ...note, verified: { features: x, group: xg, right: ok } }
  } catch {
    return undefined
  }
}
