/** A map whose keys have several parts: quicker than one long text, because parts are often the very same text as before. */
export type Nest<T> = Readonly<{
  /** What stands under these parts; made where there is nothing. Every key of a nest has the same number of parts. */
  at(parts: readonly (string | undefined)[], make: () => T): T
}>

export const openNest = <T>(): Nest<T> => {
  const root = new Map<string | undefined, unknown>()
  return {
    at(parts, make) {
      let level = root
      const last = parts.length - 1
      for (let index = 0; index < last; index++) {
        const next = (level.get(parts[index]) as typeof root | undefined) ?? new Map()
        if (next.size === 0) level.set(parts[index], next)
        level = next
      }
      const found = level.get(parts[last]) as T | undefined
      if (found !== undefined) return found
      const made = make()
      level.set(parts[last], made)
      return made
    },
  }
}
