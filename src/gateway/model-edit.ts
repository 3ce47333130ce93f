import type { Edit } from '../core/wire.ts'

const QUOTE = 34
const BACKSLASH = 92

/** The index after the string that begins with the quote at `at`. */
const skipString = (bytes: Uint8Array, at: number): number => {
  for (let i = at + 1; i < bytes.length; i++) {
    const byte = bytes[i]
    if (byte === BACKSLASH) i += 1
    else if (byte === QUOTE) return i + 1
  }
  return bytes.length
}

const skipBlanks = (bytes: Uint8Array, at: number): number => {
  let i = at
  while (i < bytes.length && (bytes[i] ?? 0) <= 32) i += 1
  return i
}

const deeper = (byte: number): number => {
  if (byte === 123 || byte === 91) return 1
  return byte === 125 || byte === 93 ? -1 : 0
}

const textOf = (bytes: Uint8Array, start: number, end: number): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('utf8')

/** Where the value of a key of the outer object begins, when the string at [start, end) is that key. */
const valueAfter = (bytes: Uint8Array, start: number, end: number): number | undefined => {
  if (textOf(bytes, start, end) !== '"model"') return undefined
  const colon = skipBlanks(bytes, end)
  return bytes[colon] === 58 ? skipBlanks(bytes, colon + 1) : undefined
}

/**
 * The edit that puts another model into a JSON body's own `model` field. The rest of the body stays byte for byte.
 * Undefined where the outer object has none, because then the model stands in the URL. The last of several fields counts, as it does for
 * JSON parsers.
 */
export const modelEdit = (body: Uint8Array, model: string): Edit | undefined => {
  let depth = 0
  let edit: Edit | undefined
  let i = 0
  while (i < body.length) {
    const byte = body[i] ?? 0
    if (byte !== QUOTE) {
      depth += deeper(byte)
      i += 1
      continue
    }
    const end = skipString(body, i)
    const value = depth === 1 ? valueAfter(body, i, end) : undefined
    i = value ?? end
    if (value === undefined || body[value] !== QUOTE) continue
    i = skipString(body, value)
    edit = { start: value, end: i, bytes: Buffer.from(JSON.stringify(model)) }
  }
  return edit
}
