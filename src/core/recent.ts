/** Bounded memory: what was not used for long is forgotten. */
export type Recent<T> = Readonly<{
  get(name: string): T | undefined
  /** Nothing takes it out. */
  set(name: string, value: T | undefined): void
}>

/**
 * When half of it is new, what was not used since the half before goes: no entry is moved at each use, which a map pays for
 * dearly. With `weigh` so much weight is kept at most, and one value more; without, so many values.
 */
export const openRecent = <T>(most: number, weigh?: (value: T) => number): Recent<T> => {
  let young = new Map<string, T>()
  let old = new Map<string, T>()
  let weight = 0
  const weightOf = (value: T | undefined): number => (value === undefined || !weigh ? 0 : weigh(value))
  const put = (name: string, value: T): void => {
    if (weigh) weight += weigh(value) - weightOf(young.get(name))
    young.set(name, value)
    if ((weigh ? weight : young.size) * 2 < most) return
    old = young
    young = new Map()
    weight = 0
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
      if (weigh) weight -= weightOf(young.get(name))
      young.delete(name)
      old.delete(name)
    },
  }
}
