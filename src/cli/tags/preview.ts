import type { OwnedRow, VirtualTag } from '../../core/allocation.ts'
import type { Dimension, Ledger } from '../../core/ledger.ts'
import { formatUsd, parseUsd, picodollars } from '../../core/money.ts'
import { ownerOf, UNALLOCATED } from '../../playbook/allocate/statement/owners.ts'
import { type NamedWindow, windowTitle } from '../asking.ts'
import { money, moneyColumn, percent, shareOf } from '../show/format.ts'
import { type Look, paint } from '../show/look.ts'
import { table } from '../show/table.ts'

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
  ledger: Ledger,
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

/** What would move, owner by owner; the total cannot. */
export const renderPreview = ({ by, window, total_usd, owners }: Preview, look: Look): string => {
  const colours = paint(look)
  const cost = moneyColumn(owners.flatMap(({ now_usd, then_usd }) => [now_usd, then_usd]))
  const nobody = owners.find(({ owner }) => owner === UNALLOCATED)
  const share = (text: string | undefined) => percent(shareOf(text ?? '0', total_usd) ?? 0)
  const moved = ({ moved_usd }: Moved) =>
    moved_usd === '0' ? '=' : `${moved_usd.startsWith('-') ? '' : '+'}${money(moved_usd)}`
  const lines = table(
    owners,
    [
      { head: by, cell: ({ owner }) => owner, shrink: 10 },
      { head: 'now', cell: ({ now_usd }) => cost(now_usd), align: 'right' },
      { head: 'with the file', cell: ({ then_usd }) => cost(then_usd), align: 'right' },
      { head: 'moved', cell: moved, align: 'right' },
    ],
    look,
    { indent: 2 },
  )
  return [
    `${colours.title('Preview')} ${colours.dim(windowTitle(window))}`,
    `  Unallocated ${share(nobody?.now_usd)} now, ${share(nobody?.then_usd)} with the file, of ${money(total_usd)} either way.`,
    lines,
  ].join('\n\n')
}
