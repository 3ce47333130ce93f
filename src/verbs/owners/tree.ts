import type { SpendRow } from '../../core/ledger.ts'
import { formatUsd, parseUsd, picodollars } from '../../core/money.ts'
import { ownerOf } from '../../playbook/allocate/statement/owners.ts'
import type { ShownKey } from '../keys/shown.ts'

/** Calls, and those of them whose cost nobody knows and the sum lacks. */
type Counts = Pick<SpendRow, 'calls' | 'unpriced_calls' | 'unmetered_calls'>

/** An owner with what it spent, and its share of all, 0 to 1. Money is decimal US dollars; the parts sum to the whole. */
export type Owner = Readonly<{ name: string; cost_usd: string; share: number | null }> & Counts
export type KeyOwner = Owner & Readonly<{ id: string | null; state: ShownKey['state'] | null }>
export type FeatureOwner = Owner & Readonly<{ keys: readonly KeyOwner[] }>
export type TeamOwner = Owner & Readonly<{ features: readonly FeatureOwner[] }>

type Leaf = Readonly<{ team: string; feature: string; key: string | null; cost: bigint }> & Counts

const countsOf = ({ calls, unpriced_calls, unmetered_calls }: Counts): Counts => ({
  calls,
  unpriced_calls,
  unmetered_calls,
})

const leafOf = ({ group, cost_usd, ...counts }: SpendRow): Leaf => ({
  team: ownerOf(group['team']),
  feature: group['feature'] ?? '(none)',
  key: group['key_id'] ?? null,
  cost: parseUsd(cost_usd),
  ...countsOf(counts),
})

/** A key that never spent stands in the tree too, under whom it charges. */
const unspent = (key: ShownKey): Leaf => ({
  team: ownerOf(key.team),
  feature: key.feature ?? '(none)',
  key: key.id,
  cost: 0n,
  calls: 0,
  unpriced_calls: 0,
  unmetered_calls: 0,
})

const ownerWith = (name: string, leaves: readonly Leaf[], all: bigint): Owner => {
  const cost = leaves.reduce((sum, leaf) => sum + leaf.cost, 0n)
  const total = (count: keyof Counts) => leaves.reduce((sum, leaf) => sum + leaf[count], 0)
  return {
    name,
    cost_usd: formatUsd(picodollars(cost)),
    share: all === 0n ? null : Number(cost) / Number(all),
    calls: total('calls'),
    unpriced_calls: total('unpriced_calls'),
    unmetered_calls: total('unmetered_calls'),
  }
}

const dearest = (one: Owner, other: Owner): number =>
  Number(parseUsd(other.cost_usd) - parseUsd(one.cost_usd)) || (one.name < other.name ? -1 : 1)

const grouped = <Of extends Owner>(
  leaves: readonly Leaf[],
  by: (leaf: Leaf) => string,
  made: (name: string, some: readonly Leaf[]) => Of,
): readonly Of[] => [...Map.groupBy(leaves, by)].map(([name, some]) => made(name, some)).sort(dearest)

/** Teams with their features and keys, dearest first. */
export const ownersTree = (
  rows: readonly SpendRow[],
  keys: readonly ShownKey[],
  all_usd: string,
): readonly TeamOwner[] => {
  const all = parseUsd(all_usd)
  const spent = rows.map(leafOf)
  const seen = new Set(spent.map(({ key }) => key))
  const leaves = [...spent, ...keys.filter(({ id, state }) => !seen.has(id) && state === 'active').map(unspent)]
  const keyOwner = (id: string, some: readonly Leaf[]): KeyOwner => {
    const known = keys.find((key) => key.id === id)
    const name = known?.name ?? (id === '' ? '(no key)' : id)
    return { ...ownerWith(name, some, all), id: id === '' ? null : id, state: known?.state ?? null }
  }
  const feature = (name: string, some: readonly Leaf[]): FeatureOwner => ({
    ...ownerWith(name, some, all),
    keys: grouped(some, ({ key }) => key ?? '', keyOwner),
  })
  return grouped(
    leaves,
    ({ team }) => team,
    (name, some) => ({
      ...ownerWith(name, some, all),
      features: grouped(some, (leaf) => leaf.feature, feature),
    }),
  )
}

/** Customers or users, beside the tree. */
export const ownersBeside = (rows: readonly SpendRow[], by: 'customer' | 'user', all_usd: string): readonly Owner[] =>
  rows.map(({ group, cost_usd, ...counts }) => ({
    name: ownerOf(group[by]),
    cost_usd,
    share: Number(all_usd) === 0 ? null : Number(cost_usd) / Number(all_usd),
    ...countsOf(counts),
  }))
