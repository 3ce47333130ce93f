import { isBucket } from '../../core/usage.ts'
import type { Compiled } from './conditions.ts'

/** Two rows of one model and layer that can both hold with none the more specific, and nothing that decides. */
export type Tie = Readonly<{ a: Compiled; b: Compiled }>

/** The conditions of two rows together; null when they can never hold at once. */
type Meet = Readonly<{ key: string; from_us: number; to_us: number }>

const minutesOverlap = (a: Compiled, b: Compiled): boolean =>
  (a.window?.minutes ?? []).some(([from, to]) =>
    (b.window?.minutes ?? []).some(([low, high]) => from < high && low < to),
  )

const daysOverlap = (a: Compiled, b: Compiled): boolean => {
  const theirs = b.window?.weekdays
  return theirs === undefined || (a.window?.weekdays ?? theirs).some((day) => theirs.includes(day))
}

/** Windows of different zones are taken to overlap: nobody can see from two rows that they do not. */
const windowsOverlap = (a: Compiled, b: Compiled): boolean =>
  a.window === undefined ||
  b.window === undefined ||
  a.windowKey === b.windowKey ||
  a.window.zone !== b.window.zone ||
  (daysOverlap(a, b) && minutesOverlap(a, b))

const agree = (a: string | undefined, b: string | undefined) => a === undefined || b === undefined || a === b

const attrsAgree = (a: Compiled, b: Compiled): boolean =>
  a.attrs.every(([name, value]) => agree(value, b.row.attrs?.[name]))

const keyOf = (
  region: string | undefined,
  geo: string | undefined,
  low: number,
  high: number,
  window: string,
  attrs: readonly (readonly [string, string])[],
): string => JSON.stringify([region ?? '', geo ?? '', low, String(high), window, [...attrs].sort()])

const ownKey = (row: Compiled): string => keyOf(row.region, row.geo, row.low, row.high, row.windowKey, row.attrs)

const meetOf = (a: Compiled, b: Compiled): Meet | null => {
  const from_us = Math.max(a.from_us, b.from_us)
  const to_us = Math.min(a.to_us, b.to_us)
  const low = Math.max(a.low, b.low)
  const high = Math.min(a.high, b.high)
  if (from_us >= to_us || low > high) return null
  if (!agree(a.region, b.region) || !agree(a.geo, b.geo)) return null
  if (!attrsAgree(a, b) || !windowsOverlap(a, b)) return null
  const attrs = new Map([...a.attrs, ...b.attrs])
  // No row can state two different windows, so nothing can decide between them.
  const differ = a.windowKey !== '' && b.windowKey !== '' && a.windowKey !== b.windowKey
  const window = differ ? 'both' : a.windowKey || b.windowKey
  return { key: keyOf(a.region ?? b.region, a.geo ?? b.geo, low, high, window, [...attrs]), from_us, to_us }
}

/** Is every moment at which b's other conditions hold also one of a's? Then a is at least as specific. */
const within = (a: Compiled, b: Compiled): boolean =>
  (b.region === undefined || a.region === b.region) &&
  (b.geo === undefined || a.geo === b.geo) &&
  a.low >= b.low &&
  a.high <= b.high &&
  (b.windowKey === '' || a.windowKey === b.windowKey) &&
  b.attrs.every(([name, value]) => a.row.attrs?.[name] === value)

const shareUnit = (a: Compiled, b: Compiled): boolean =>
  Object.keys(a.row.rates).some((meter) => !isBucket(meter) && meter in b.row.rates)

/** Rows compete when both price tokens, or both price the same unit. */
const compete = (a: Compiled, b: Compiled) => (a.pricesTokens && b.pricesTokens) || shareUnit(a, b)

/** Do rows with exactly the joint conditions hold at every moment of the overlap? They decide it then. */
const covered = (meet: Meet, rows: readonly Compiled[] | undefined): boolean => {
  let reached = meet.from_us
  const inOrder = [...(rows ?? [])].sort((x, y) => x.from_us - y.from_us)
  for (const row of inOrder) if (row.from_us <= reached) reached = Math.max(reached, row.to_us)
  return reached >= meet.to_us
}

/**
 * Ties among the rows of one model, layer, tier, speed and batch. Specificity is inclusion: a row is more specific when
 * it holds only where the other holds. Two rows of which neither is, and which can hold at once, tie, unless a row with
 * the conditions of both decides.
 */
export const findTies = (rows: readonly Compiled[]): Tie[] => {
  const byKey = new Map<string, Compiled[]>()
  for (const row of rows) {
    const key = ownKey(row)
    const same = byKey.get(key)
    if (same) same.push(row)
    else byKey.set(key, [row])
  }
  const tied = (a: Compiled, b: Compiled): boolean => {
    const [inside, outside] = [within(a, b), within(b, a)]
    if (inside !== outside || !compete(a, b)) return false
    const meet = meetOf(a, b)
    return meet !== null && (inside || !covered(meet, byKey.get(meet.key)))
  }
  return rows.flatMap((a, index) =>
    rows
      .slice(index + 1)
      .filter((b) => tied(a, b))
      .map((b) => ({ a, b })),
  )
}
