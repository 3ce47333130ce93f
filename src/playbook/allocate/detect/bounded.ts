/** Maps that forget the longest unseen first, and the one codec by which state becomes JSON and comes back. */

/** The entry of a key, made where there is none; it becomes the most recently seen, and the longest unseen goes beyond `most`. */
export const touch = <T>(map: Map<string, T>, key: string, most: number, make: () => T): T => {
  const found = map.get(key)
  const value = found ?? make()
  if (found !== undefined) map.delete(key)
  map.set(key, value)
  if (map.size > most) {
    const [oldest] = map.keys()
    if (oldest !== undefined) map.delete(oldest)
  }
  return value
}

/** Adds to the end of a list that holds at most `most`. */
export const push = <T>(list: T[], value: T, most: number): void => {
  list.push(value)
  if (list.length > most) list.splice(0, list.length - most)
}

const encode = (_: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return { $integer: value.toString() }
  if (value instanceof Map) return { $map: [...value] }
  if (value instanceof Set) return { $set: [...value] }
  return value
}

const decode = (_: string, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if ('$integer' in value && typeof value.$integer === 'string') return BigInt(value.$integer)
  if ('$map' in value && Array.isArray(value.$map)) return new Map(value.$map as [unknown, unknown][])
  if ('$set' in value && Array.isArray(value.$set)) return new Set(value.$set)
  return value
}

/** State as JSON text. Names that come from traffic are only ever keys of maps, never of objects, so none can be mistaken. */
export const toJson = (state: unknown): string => JSON.stringify(state, encode)

/** State from the JSON text of `toJson`. Throws SyntaxError on anything that is not JSON. */
export const fromJson = (text: string): unknown => JSON.parse(text, decode)
