/** Reading of values whose shape nobody has checked: a body from outside is `unknown` until it is looked at. */

export type JsonRecord = Readonly<Record<string, unknown>>

/** The value as a record, or undefined when it is not an object. */
export const asRecord = (value: unknown): JsonRecord | undefined =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonRecord) : undefined

/** The value as a list; empty when it is none. */
export const asList = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

/** A string that is not empty, or undefined. */
export const asText = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' ? value : undefined

/** The records of a list; anything else in it is left out. */
export const recordsOf = (value: unknown): readonly JsonRecord[] => {
  const list = asList(value)
  const records: JsonRecord[] = []
  for (const item of list) {
    const found = asRecord(item)
    if (found) records.push(found)
  }
  return records
}

/** Walks into nested records: `at(body, 'usage', 'cost')`. Undefined where the way ends early. */
export const at = (value: unknown, ...path: readonly string[]): unknown => {
  let here: unknown = value
  for (const name of path) here = asRecord(here)?.[name]
  return here
}

/** What a table has under a name that came from outside; nothing that every object has (`constructor`). */
export const named = <T>(table: Readonly<Record<string, T>>, name: unknown): T | undefined =>
  typeof name === 'string' && Object.hasOwn(table, name) ? table[name] : undefined

/** Leaves out what is undefined: a reading names only what the request says. */
export const given = <T extends object>(record: T) => {
  const found: Partial<T> = {}
  for (const name in record) if (record[name] !== undefined) found[name] = record[name]
  return found as { [name in keyof T]?: Exclude<T[name], undefined> }
}

/** `later` over `earlier`, member by member; null says nothing. */
export const over = (earlier: JsonRecord, later: unknown): JsonRecord => {
  const whole: Record<string, unknown> = { ...earlier }
  for (const [name, value] of Object.entries(asRecord(later) ?? {}))
    if (value !== null && value !== undefined) whole[name] = value
  return whole
}

/** Parses JSON; undefined when it is none. A meter never throws because of what passes by. */
export const parseJson = (text: string): unknown => {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** Names, texts and numbers of a value one after the other, without the structure around them. */
const bare = (value: unknown): string => {
  const open: unknown[] = [value]
  const words: string[] = []
  while (open.length > 0) {
    const inner = open.pop()
    if (typeof inner !== 'object' || inner === null) words.push(String(inner))
    // Pushed one by one: a call with a million arguments would be an error of its own.
    else
      for (const [name, member] of Object.entries(inner).reverse())
        open.push(member, ...(Array.isArray(inner) ? [] : [name]))
  }
  return words.join(' ')
}

/** A value as JSON; what is nested too deep for that is the text in it. Empty for undefined. Never throws. */
export const jsonText = (value: unknown): string => {
  try {
    return JSON.stringify(value) ?? ''
  } catch {
    return bare(value)
  }
}

/** A name as it stands in a path, without its escapes; as it is where they are broken. */
export const unescaped = (name: string): string => {
  try {
    return decodeURIComponent(name)
  } catch {
    return name
  }
}

/** The same bytes as a Buffer; they are not copied. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Decodes bytes as UTF-8 without copying them first. Wrong sequences become U+FFFD. */
export const decode = (bytes: Uint8Array): string => asBuffer(bytes).toString('utf8')

/** Encodes text as UTF-8. */
export const encode = (text: string): Uint8Array => Buffer.from(text, 'utf8')

/** Joins pieces; the piece itself when there is only one. */
export const join = (pieces: readonly Uint8Array[]): Uint8Array => {
  const [first] = pieces
  return pieces.length === 1 && first ? first : Buffer.concat(pieces)
}
