import type { Past } from './past.ts'

/** What a replay keeps for each kind of call: a thing for calls that are alike in some parts. */
export type Kinds<T> = Readonly<{
  /** What is kept for calls like this one; made where there is nothing yet. */
  of(past: Past): T
}>

/** The parts are asked for once for each `kind` that a reader has told apart, and by every call that has none. */
export const openKinds = <T>(partsOf: (past: Past) => readonly unknown[], make: () => T): Kinds<T> => {
  const by_kind: T[] = []
  const by_parts = new Map<string, T>()
  const inParts = (past: Past): T => {
    const name = JSON.stringify(partsOf(past))
    const found = by_parts.get(name)
    if (found !== undefined) return found
    const made = make()
    by_parts.set(name, made)
    return made
  }
  return {
    of(past) {
      const { kind } = past
      if (kind === undefined) return inParts(past)
      const known = by_kind[kind] ?? inParts(past)
      by_kind[kind] = known
      return known
    },
  }
}
