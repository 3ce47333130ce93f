import type { OwnedRow, VirtualTag } from '../../core/allocation.ts'
import type { Dimension } from '../../core/dimension.ts'
import { formatUsd, parseUsd, picodollars } from '../../core/money.ts'
import { ownerOf } from '../../playbook/allocate/statement/owners.ts'
import type { NamedWindow } from '../asking/window.ts'
import type { Asking } from '../verb.ts'

/** What an owner is charged under two lists of rules. Money is decimal US dollars. */
export type Moved = Readonly<{ owner: string; now_usd: string; then_usd: string; moved_usd: string }>

export type Preview = Readonly<{ by: Dimension; window: NamedWindow; total_usd: string; owners: readonly Moved[] }>

const costs = (rows: readonly OwnedRow[], by: string): ReadonlyMap<string, bigint> => {
  const found = new Map<string, bigint>()
  for (const { group, cost_usd } of rows) {
    const owner = ownerOf(group[by])
    found.set(owner, (found.get(owner) ?? 0n) + parseUsd(cost_usd))
  }
  return found
}

const usd = (amount: bigint): string => formatUsd(picodollars(amount))

type Lists = Readonly<{ now: readonly VirtualTag[]; then: readonly VirtualTag[] }>

/** Asks what would move if `then` were in force instead of `now`. */
export const askPreview = async (
  ledger: Asking,
  { by, window, now, then }: Lists & Readonly<{ by: Dimension; window: NamedWindow }>,
): Promise<Preview> => {
  const question = { ask: 'owned', window: window.window, group_by: [by], zone: window.zone } as const
  const before = await ledger.query({ ...question, tags: now })
  const after = await ledger.query({ ...question, tags: then })
  const [is, would] = [costs(before.rows, by), costs(after.rows, by)]
  const owners = [...new Set([...is.keys(), ...would.keys()])]
    .map((owner): Moved => {
      const [a, b] = [is.get(owner) ?? 0n, would.get(owner) ?? 0n]
      return { owner, now_usd: usd(a), then_usd: usd(b), moved_usd: usd(b - a) }
    })
    .sort((one, other) => Number(other.then_usd) - Number(one.then_usd) || (one.owner < other.owner ? -1 : 1))
  return { by, window, total_usd: after.total_usd, owners }
}
