/** Bounded memory: what was not used for long is forgotten. */
export type Recent<T> = Readonly<{
  get(name: string): T | undefined
  /** Nothing takes it out. */
  set(name: string, value: T | undefined): void
}>

/**
 * When half of it is new, what was not used since the half before goes: no entry is moved at each use, which a map pays for
 * dearly.
 */
export const openRecent = <T>(most: number): Recent<T> => {
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  const put = (name: string, value: T): void => {
    young.set(name, value)
    if (young.size * 2 < most) return
    old = young
    young = new Map()
  }
  return {
    get(name) {
      const value = young.get(name)
      if (value !== undefined) return value
      const kept = old.get(name)
      if (kept !== undefined) put(name, kept)
      return kept
    },
    set(name, value) {
      if (value !== undefined) return put(name, value)
      young.delete(name)
      old.delete(name)
    },
  }
}
