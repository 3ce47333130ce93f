/** What the saving is broken down by: a row a group, largest saving first. */
import { formatUsd, picodollars, type Usd } from '../../core/money.ts'
import type { Group, Replayed } from './replay.ts'

export type GroupRow = Readonly<{
  name: string
  calls: number
  cost_usd: Usd
  saving_usd: Usd
  share: number
  /** The lever that saves most there, and what it saves. */
  best: string | null
  best_usd: Usd
}>

export const usd = (amount: number): Usd => formatUsd(picodollars(BigInt(Math.round(amount))))

export const shareOf = (part: number, whole: number): number => (whole === 0 ? 0 : part / whole)

/** What comes before the name of a template in the name of a route. */
const TEMPLATE = ' · template '

const joined = (groups: readonly Group[]): Group => {
  const all: Group = { calls: 0, cost: 0, after: 0, saved: new Float64Array(groups[0]?.saved.length ?? 0) }
  for (const { calls, cost, after, saved } of groups) {
    all.calls += calls
    all.cost += cost
    all.after += after
    for (const [at, amount] of saved.entries()) all.saved[at] = (all.saved[at] ?? 0) + amount
  }
  return all
}

/** A prompt that changes from its beginning with every call has as many templates as calls: they are one row that says so. */
const withoutSingles = (groups: Replayed['groups']): readonly (readonly [string, Group])[] => {
  const featureOf = ([name, { calls }]: readonly [string, Group]): string | undefined =>
    calls === 1 && name.includes(TEMPLATE) ? name.slice(0, name.lastIndexOf(TEMPLATE)) : undefined
  const singles = Map.groupBy(groups, featureOf)
  const kept: (readonly [string, Group])[] = singles.get(undefined) ?? []
  for (const [feature, alike] of singles) {
    if (feature === undefined) continue
    const count = alike.length === 1 ? 'a template' : `${alike.length.toLocaleString('en-US')} templates`
    kept.push([
      `${feature} · ${count} of one call${alike.length === 1 ? '' : ' each'}`,
      joined(alike.map(([, group]) => group)),
    ])
  }
  return kept
}

export const rowsOf = ({ groups, lines }: Replayed): readonly GroupRow[] =>
  withoutSingles(groups)
    .map(([name, { calls, cost, saved, after }]): GroupRow => {
      const best = saved.reduce((at, value, index) => (value > (saved[at] ?? 0) ? index : at), 0)
      const most = saved[best] ?? 0
      return {
        name,
        calls,
        cost_usd: usd(cost),
        saving_usd: usd(cost - after),
        share: shareOf(cost - after, cost),
        best: most > 0 ? (lines[best]?.candidate.lever.name ?? null) : null,
        best_usd: usd(Math.max(0, most)),
      }
    })
    .toSorted(
      (one, two) => Number(two.saving_usd) - Number(one.saving_usd) || Number(two.cost_usd) - Number(one.cost_usd),
    )
