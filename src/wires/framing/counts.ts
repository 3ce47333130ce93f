import type { Bucket, NormalisedUsage, StatedCost, Unit, UnitCount, UsageLine, UsageQuality } from '../../core/usage.ts'
import { asRecord, type JsonRecord } from './json.ts'

/** A million times what any model reads. What is beyond is no count: no sum of some would be a whole number that a ledger keeps. */
const LARGEST_COUNT = 1e12

/** A count as somebody wrote it: a number from 0 to `LARGEST_COUNT`. Anything else is no count. */
export const countOf = (value: unknown): number | undefined =>
  typeof value === 'number' && value >= 0 && value <= LARGEST_COUNT ? value : undefined

/** A usage object. One that counts nothing, because it is empty or holds only nulls, is none: what is not said is not zero. */
export const usageIn = (value: unknown): JsonRecord | undefined => {
  const usage = asRecord(value)
  for (const name in usage) if (countOf(usage[name]) !== undefined) return usage
  return undefined
}

/** The first of several fields that holds a count: duplicates of one number must never be added. */
export const firstCount = (...values: readonly unknown[]): number => {
  for (const value of values) {
    const count = countOf(value)
    if (count !== undefined) return count
  }
  return 0
}

/** The largest of several fields that may each bound one number: which of them the server goes by is not known. Undefined where none counts. */
export const largestCount = (...values: readonly unknown[]): number | undefined => {
  let largest: number | undefined
  for (const value of values) {
    const count = countOf(value)
    if (count !== undefined && (largest === undefined || count > largest)) largest = count
  }
  return largest
}

/** Token classes without the empty ones. */
export type Tokens = Partial<Record<Bucket, number>>

/** Leaves out what is zero, so that a line names only what was consumed. */
export const present = (tokens: Readonly<Tokens>): Tokens => {
  const found: Tokens = {}
  for (const name in tokens) {
    const count = tokens[name as Bucket]
    if (count !== undefined && count > 0) found[name as Bucket] = count
  }
  return found
}

/** Units without the empty ones. */
export const presentUnits = (units: Readonly<Partial<Record<Unit, UnitCount>>>): Partial<Record<Unit, UnitCount>> => {
  const found: Partial<Record<Unit, UnitCount>> = {}
  for (const name in units) {
    const count = units[name as Unit]
    if (count !== undefined && count.n > 0) found[name as Unit] = count
  }
  return found
}

/** A total out of which parts are taken, one after the other; `rest` is what is left. */
export type Taking = { rest: number; readonly warnings: string[] }

/** Takes a part out. One that is larger than what is left is clamped and warned of: a bill must be recorded, however odd. */
export const take = (from: Taking, name: string, count: number): number => {
  const fits = Math.min(count, from.rest)
  if (fits < count) from.warnings.push(`${name} ${count} exceeds the ${from.rest} tokens it is part of`)
  from.rest -= fits
  return fits
}

const inSide = (bucket: string): boolean => bucket.startsWith('in.')

/** Sums of the token classes of the billed lines. A declined hop is on the record and costs nothing. */
export const totalsOf = (lines: readonly UsageLine[]): { input: number; output: number } => {
  let input = 0
  let output = 0
  for (const { kind, tokens } of lines) {
    if (kind === 'declined') continue
    for (const bucket in tokens) {
      const count = tokens[bucket as Bucket] ?? 0
      if (inSide(bucket)) input += count
      else output += count
    }
  }
  return { input, output }
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
  const usage: { -readonly [Name in keyof NormalisedUsage]: NormalisedUsage[Name] } = {
    lines: draft.lines,
    totals: provider_total === undefined ? totals : { input: totals.input, output: totals.output, provider_total },
    quality: draft.quality ?? 'exact',
    warnings: disagrees
      ? [...draft.warnings, `token classes sum to ${sum}, the provider states ${provider_total}`]
      : draft.warnings,
    raw: draft.raw,
  }
  if (stated) usage.stated = stated
  return usage
}

/** A decimal amount of US dollars as a provider's JSON number, as text without exponent; undefined when it is none. */
export const usdOf = (value: unknown): string | undefined => {
  if (typeof value === 'string') return /^-?\d+(\.\d+)?$/.test(value) ? value : undefined
  if (typeof value !== 'number' || !Number.isFinite(value)) return undefined
  const text = String(value)
  return text.includes('e') ? value.toFixed(18).replace(/\.?0+$/, '') : text
}
