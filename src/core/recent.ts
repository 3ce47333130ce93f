/** Bounded memory: what was not used for long is forgotten. */
export type Recent<T> = Readonly<{
  get(name: string): T | undefined
  /** Nothing takes it out. */
  set(name: string, value: T | undefined): void
}>

/**
 * The younger and the older half of what was used: when the younger is half of `most`, the older is forgotten and a new one
 * begun. No entry is moved at each use, which a map pays for dearly; what is found in the older half is put into the younger.
 */
export const openHalves = <Half>(most: number, open: () => Half) => {
  let [young, old, size] = [open(), open(), 0]
  return {
    young: (): Half => young,
    old: (): Half => old,
    /** Told of what was put into the younger half, or taken out of it (below zero). */
    grew(by: number): void {
      size += by
      if (size * 2 < most) return
      old = young
      young = open()
      size = 0
    },
  }
}

/** With `weigh` so much weight is kept at most, and one value more; without, so many values. */
export const openRecent = <T>(most: number, weigh: (value: T) => number = () => 1): Recent<T> => {
  const halves = openHalves(most, () => new Map<string, T>())
  const weightOf = (value: T | undefined): number => (value === undefined ? 0 : weigh(value))
  const put = (name: string, value: T): void => {
    const young = halves.young()
    const before = weightOf(young.get(name))
    young.set(name, value)
    halves.grew(weigh(value) - before)
  }
  return {
    get(name) {
      const value = halves.young().get(name)
      if (value !== undefined) return value
      const kept = halves.old().get(name)
      if (kept !== undefined) put(name, kept)
      return kept
    },
    set(name, value) {
      if (value !== undefined) return put(name, value)
      halves.grew(-weightOf(halves.young().get(name)))
      halves.young().delete(name)
      halves.old().delete(name)
    },
  }
}
