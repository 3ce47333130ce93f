/** Maps that forget the longest unseen first, and the one codec by which state becomes JSON and comes back. */

type Entry<T> = { readonly key: string; value: T; older: Entry<T> | undefined; newer: Entry<T> | undefined }

/**
 * A map in the order in which its entries were last seen. To see one again changes its neighbours' links and leaves the table
 * alone: the watch does so dozens of times for every receipt, and a table that entries leave and enter is built anew all the time.
 */
export class Recent<T> {
  readonly #entries = new Map<string, Entry<T>>()
  #oldest: Entry<T> | undefined
  #newest: Entry<T> | undefined

  /** Longest unseen first. */
  constructor(entries: Iterable<readonly [string, T]> = []) {
    for (const [key, value] of entries) this.set(key, value)
  }

  get size(): number {
    return this.#entries.size
  }

  get(key: string): T | undefined {
    return this.#entries.get(key)?.value
  }

  /** Writes an entry: one that is there stays in its place, a new one is the most recently seen. */
  set(key: string, value: T): void {
    const found = this.#entries.get(key)
    if (found) found.value = value
    else this.#add(key, value)
  }

  /** The entry of a key, made where there is none; it becomes the most recently seen, and the longest unseen goes beyond `most`. */
  touch(key: string, most: number, make: () => T, forgotten?: (value: T) => void): T {
    const found = this.#entries.get(key)
    if (found) {
      if (found !== this.#newest) {
        this.#unlink(found)
        this.#link(found)
      }
      return found.value
    }
    const value = make()
    this.#add(key, value)
    const oldest = this.#oldest
    if (this.#entries.size > most && oldest) {
      this.#unlink(oldest)
      this.#entries.delete(oldest.key)
      forgotten?.(oldest.value)
    }
    return value
  }

  /** Longest unseen first. */
  *[Symbol.iterator](): Generator<[string, T]> {
    for (let entry = this.#oldest; entry; entry = entry.newer) yield [entry.key, entry.value]
  }

  values(): T[] {
    const all: T[] = []
    for (let entry = this.#oldest; entry; entry = entry.newer) all.push(entry.value)
    return all
  }

  #add(key: string, value: T): void {
    const entry = { key, value, older: undefined, newer: undefined }
    this.#entries.set(key, entry)
    this.#link(entry)
  }

  #link(entry: Entry<T>): void {
    entry.older = this.#newest
    entry.newer = undefined
    if (this.#newest) this.#newest.newer = entry
    else this.#oldest = entry
    this.#newest = entry
  }

  #unlink({ older, newer }: Entry<T>): void {
    if (older) older.newer = newer
    else this.#oldest = newer
    if (newer) newer.older = older
    else this.#newest = older
  }
}

/** The name of something within an owner. Owners come from traffic: their length keeps two names from being one. */
export const within = (owner: string, name: string): string => `${owner.length} ${owner} ${name}`

/** Adds to the end of a list that holds at most `most`. */
export const push = <T>(list: T[], value: T, most: number): void => {
  list.push(value)
  if (list.length > most + 1) list.splice(0, list.length - most)
  else if (list.length > most) list.shift()
}

const encode = (_: string, value: unknown): unknown => {
  if (typeof value === 'bigint') return { $integer: value.toString() }
  if (value instanceof Recent) return { $recent: [...value] }
  if (value instanceof Map) return { $map: [...value] }
  return value
}

const decode = (_: string, value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if ('$integer' in value && typeof value.$integer === 'string') return BigInt(value.$integer)
  if ('$recent' in value && Array.isArray(value.$recent)) return new Recent(value.$recent as [string, unknown][])
  if ('$map' in value && Array.isArray(value.$map)) return new Map(value.$map as [unknown, unknown][])
  return value
}

/** State as JSON text. Names that come from traffic are only ever keys of maps, never of objects, so none can be mistaken. */
export const toJson = (state: unknown): string => JSON.stringify(state, encode)

/** State from the JSON text of `toJson`. Throws SyntaxError on anything that is not JSON. */
export const fromJson = (text: string): unknown => JSON.parse(text, decode)
