import { type Glob, globCovers, globHolds, isGlob, parseGlob } from '../../../core/glob.ts'

/** A glob, several of which one must hold, `null` for "has no value", or the contrary of any of these. */
export type Values = string | readonly string[] | null
export type Condition = Values | Readonly<{ not: Values }>

/** Compiled: the value must be among `globs` (or absent, with `absent`), or must not be, with `negated`. */
export type Test = Readonly<{ globs: readonly Glob[]; exact: ReadonlySet<string>; absent: boolean; negated: boolean }>

export const compileCondition = (condition: Condition): Test => {
  const negated = condition !== null && typeof condition === 'object' && 'not' in condition
  const values = negated ? condition.not : (condition as Values)
  const list = values === null ? [] : typeof values === 'string' ? [values] : values
  return {
    globs: list.filter(isGlob).map(parseGlob),
    exact: new Set(list.filter((text) => !isGlob(text))),
    absent: values === null,
    negated,
  }
}

const among = (test: Test, value: string | undefined): boolean => {
  if (value === undefined) return test.absent
  return test.exact.has(value) || test.globs.some((glob) => globHolds(glob, value))
}

export const testHolds = (test: Test, value: string | undefined): boolean => among(test, value) !== test.negated

const accepts = (wide: Test, glob: Glob): boolean =>
  wide.globs.some((one) => globCovers(one, glob)) ||
  [...wide.exact].some((text) => globCovers(parseGlob(escaped(text)), glob))

const escaped = (text: string): string => text.replace(/[*?\\]/g, '\\$&')
const globsOf = (test: Test): readonly Glob[] => [
  ...test.globs,
  ...[...test.exact].map((text) => parseGlob(escaped(text))),
]

/** Whether the two accept no value in common, as far as exact values and absence show it. */
const disjoint = (one: Test, other: Test): boolean => {
  if (one.absent && other.absent) return false
  return ![...one.exact].some((text) => testHolds({ ...other, negated: false }, text)) && one.globs.length === 0
}

/** Whether every value that `narrow` accepts `wide` accepts too. Never true wrongly; a few odd pairs are missed. */
export const testCovers = (wide: Test, narrow: Test): boolean => {
  if (wide.negated && narrow.negated) return testCovers({ ...narrow, negated: false }, { ...wide, negated: false })
  if (wide.negated) return disjoint(narrow, { ...wide, negated: false })
  if (narrow.negated) return false
  return (!narrow.absent || wide.absent) && globsOf(narrow).every((glob) => accepts(wide, glob))
}
