import type { Bucket, NormalisedUsage, StatedCost, Unit, UnitCount, UsageLine, UsageQuality } from '../../core/usage.ts'

/** A count as a provider wrote it: a number that is finite and not negative. Anything else is no count. */
export const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined

/** The first of several fields that holds a count: duplicates of one number must never be added. */
export const firstCount = (...values: readonly unknown[]): number => {
  for (const value of values) {
    const count = countOf(value)
    if (count !== undefined) return count
  }
  return 0
}

/** Token classes without the empty ones. */
export type Tokens = Partial<Record<Bucket, number>>

/** Leaves out what is zero, so that a line names only what was consumed. */
export const present = (tokens: Readonly<Tokens>): Tokens =>
  Object.fromEntries(Object.entries(tokens).filter(([, count]) => count !== undefined && count > 0)) as Tokens

/** Units without the empty ones. */
export const presentUnits = (units: Readonly<Partial<Record<Unit, UnitCount>>>): Partial<Record<Unit, UnitCount>> =>
  Object.fromEntries(Object.entries(units).filter(([, count]) => count !== undefined && count.n > 0))

/**
 * Takes parts out of a total, in order, and returns what is left in `rest`. A part that is larger than what is left is
 * clamped and warned of: a bill must be recorded, however odd.
 */
export const takeFrom = (
  total: number,
  parts: readonly Readonly<{ name: string; count: number }>[],
  warnings: string[],
): Readonly<{ rest: number; taken: readonly number[] }> => {
  let rest = total
  const taken = parts.map(({ name, count }) => {
    const fits = Math.min(count, rest)
    if (fits < count) warnings.push(`${name} ${count} exceeds the ${rest} tokens it is part of`)
    rest -= fits
    return fits
  })
  return { rest, taken }
}

/** Is this line charged? A declined hop is on the record and costs nothing. */
const isBilled = (line: UsageLine): boolean => line.kind !== 'declined'

const inSide = (bucket: string): boolean => bucket.startsWith('in.')

/** Sums of the token classes of the billed lines. */
export const totalsOf = (lines: readonly UsageLine[]): { input: number; output: number } => {
  const totals = { input: 0, output: 0 }
  for (const line of lines.filter(isBilled)) {
    for (const [bucket, count] of Object.entries(line.tokens)) totals[inSide(bucket) ? 'input' : 'output'] += count
  }
  return totals
}

export type UsageDraft = Readonly<{
  lines: readonly UsageLine[]
  /** The provider's own total of the same tokens, where it states one. */
  provider_total?: number | undefined
  stated?: StatedCost | undefined
  quality?: UsageQuality
  warnings: readonly string[]
  raw: unknown
}>

/** Completes a usage: totals from the lines, and a warning where they disagree with the provider's own total. */
export const normalise = (draft: UsageDraft): NormalisedUsage => {
  const totals = totalsOf(draft.lines)
  const sum = totals.input + totals.output
  const { provider_total, stated } = draft
  const disagrees = provider_total !== undefined && provider_total !== sum
  const warning = `token classes sum to ${sum}, the provider states ${provider_total}`
  return {
    lines: draft.lines,
    totals: provider_total === undefined ? totals : { ...totals, provider_total },
    ...(stated ? { stated } : {}),
    quality: draft.quality ?? 'exact',
    warnings: disagrees ? [...draft.warnings, warning] : draft.warnings,
    raw: draft.raw,
  }
}

/** A decimal amount of US dollars as a provider's JSON number, as text without exponent; undefined when it is none. */
export const usdOf = (value: unknown): string | undefined => {
  if (typeof value === 'string') return /^-?\d+(\.\d+)?$/.test(value) ? value : undefined
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  const text = String(value)
  return text.includes('e') ? value.toFixed(18).replace(/\.?0+$/, '') : text
}
