import { hexadecimal, runningHash } from '../../measure/digest.ts'
import { type Condition, compileCondition, type Test, testCovers, testHolds } from './condition.ts'
import { fieldOf, type Payer, type Readable, type Settable } from './fields.ts'

/** A value as it is, or copied from another field of the receipt; where that has none the rule does not set it. */
export type Source = string | Readonly<{ from: Readable }>

/** All conditions must hold. A rule without conditions holds for everything. */
export type TagRule = Readonly<{
  name?: string
  when: Readonly<Partial<Record<Readable, Condition>>>
  set: Readonly<Partial<Record<Settable, Source>>>
}>

/** What the rules say of one receipt: the new value of each field that is set, and the rule (from 1) that set it. */
export type Tagged = Readonly<{
  values: Readonly<Partial<Record<Settable, string>>>
  rules: Readonly<Partial<Record<Settable, number>>>
}>

export type TagRules = Readonly<{
  /** 16 hexadecimal digits of the rules and their order; it changes whenever they do. Names do not count. */
  version: string
  /**
   * The values of the first rule that holds, field by field: a later rule sets only what no earlier one has. Conditions
   * read the receipt as it was written, never what another rule has set.
   */
  apply(payer: Payer): Tagged
}>

type Compiled = Readonly<{
  tests: readonly (readonly [field: Readable, test: Test])[]
  set: readonly (readonly [field: Settable, source: Source])[]
}>

const sorted = <T>(record: Readonly<Record<string, T>>): [string, T][] =>
  Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1))

const compile = ({ when, set }: TagRule): Compiled => ({
  tests: sorted(when as Record<string, Condition>).map(([field, condition]) => [
    field as Readable,
    compileCondition(condition),
  ]),
  set: sorted(set as Record<string, Source>) as [Settable, Source][],
})

const versionOf = (rules: readonly TagRule[]): string => {
  const hash = runningHash()
  for (const { when, set } of rules) hash.add(JSON.stringify([sorted(when), sorted(set)]))
  return hexadecimal(hash.state())
}

const applyTo = (rules: readonly Compiled[], payer: Payer): Tagged => {
  const values: Partial<Record<Settable, string>> = {}
  const by: Partial<Record<Settable, number>> = {}
  rules.forEach(({ tests, set }, at) => {
    if (set.every(([field]) => Object.hasOwn(values, field))) return
    if (!tests.every(([field, test]) => testHolds(test, fieldOf(payer, field)))) return
    for (const [field, source] of set) {
      const value = typeof source === 'string' ? source : fieldOf(payer, source.from)
      if (value === undefined || Object.hasOwn(values, field)) continue
      values[field] = value
      by[field] = at + 1
    }
  })
  return { values, rules: by }
}

/** Compiles rules that `readTagRules` has accepted. */
export const compileTagRules = (rules: readonly TagRule[]): TagRules => {
  const compiled = rules.map(compile)
  return { version: versionOf(rules), apply: (payer) => applyTo(compiled, payer) }
}

const always = ([, source]: readonly [Settable, Source]): boolean => typeof source === 'string'

const shadows = (earlier: Compiled, later: Compiled): boolean =>
  later.set.every(([field]) => earlier.set.some((one) => one[0] === field && always(one))) &&
  earlier.tests.every(([field, wide]) =>
    later.tests.some(([other, narrow]) => other === field && testCovers(wide, narrow)),
  )

/** For each rule (from 0) that never sets anything because an earlier one always holds where it does: that earlier rule. */
export const unreachable = (rules: readonly TagRule[]): ReadonlyMap<number, number> => {
  const compiled = rules.map(compile)
  const found = new Map<number, number>()
  compiled.forEach((later, at) => {
    const earlier = compiled.slice(0, at).findIndex((one) => shadows(one, later))
    if (earlier >= 0) found.set(at, earlier)
  })
  return found
}
