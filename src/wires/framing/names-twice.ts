import { skipString } from './json-bytes.ts'

const QUOTE = 34
const COLON = 58
const BACKSLASH = 92

/** Members of all objects in a JSON text: each has one colon outside of strings. */
const membersWritten = (bytes: Uint8Array): number => {
  const { length } = bytes
  let count = 0
  let i = 0
  while (i < length) {
    const byte = bytes[i]
    if (byte === QUOTE) {
      i = skipString(bytes, i)
      continue
    }
    if (byte === COLON) count++
    i++
  }
  return count
}

const isBlank = (code: number): boolean => code === 32 || (code >= 9 && code <= 13)

/** Does a string end before the colon? A quote behind a backslash that is none itself stands within one. */
const followsString = (text: string, colon: number): boolean => {
  let i = colon - 1
  while (isBlank(text.charCodeAt(i))) i--
  if (text.charCodeAt(i) !== QUOTE) return false
  let escapes = 0
  while (text.charCodeAt(i - 1 - escapes) === BACKSLASH) escapes++
  return escapes % 2 === 0
}

/** So many members at the most, known in a tenth of the time: within a string, too, a colon may stand right behind a quote. */
const membersAtMost = (text: string): number => {
  let count = 0
  for (let i = text.indexOf(':'); i >= 0; i = text.indexOf(':', i + 1)) if (followsString(text, i)) count++
  return count
}

/** Members of all objects in a parsed value. What is open is kept in a list, so depth is no danger. */
const membersKept = (json: unknown): number => {
  const open: unknown[] = [json]
  const look = (inner: unknown): void => {
    if (typeof inner === 'object' && inner !== null) open.push(inner)
  }
  let count = 0
  while (open.length > 0) {
    const value = open.pop()
    if (Array.isArray(value)) {
      for (const inner of value) look(inner)
      continue
    }
    for (const name in value as Readonly<Record<string, unknown>>) {
      count++
      look((value as Readonly<Record<string, unknown>>)[name])
    }
  }
  return count
}

/**
 * Does an object of a JSON text name a member twice? `JSON.parse` keeps the last of them and does not tell, where another reader may
 * keep the first (RFC 8259 §4 leaves it open). `json` is what the text was parsed to.
 */
export const namesTwice = (bytes: Uint8Array, json: unknown): boolean => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1')
  const kept = membersKept(json)
  return membersAtMost(text) > kept && membersWritten(bytes) > kept
}
