import { WeirError } from '../../../core/errors.ts'
import type { Split } from '../../../core/exporter.ts'
import type { ChargeDimension } from '../../../core/ledger.ts'
import { formatUsd, picodollars } from '../../../core/money.ts'
import type { OwnerShare } from '../split/reallocate.ts'
import { UNALLOCATED } from '../statement/owners.ts'
import type { Splits } from '../statement/splits.ts'

/** Who a charge may be borne by, as receipts name them. */
export const payerFields = [
  'team',
  'feature',
  'customer',
  'user',
  'environment',
  'key_id',
  'agent',
  'session',
] as const satisfies readonly ChargeDimension[]

/** What a file must keep apart for splits among the owners of a dimension. Throws WeirError `bad-input` for what is no payer's. */
export const neededFor = (dimension: string): ChargeDimension => {
  if (dimension.startsWith('tag:')) return 'tags'
  const found = payerFields.find((field) => field === dimension)
  if (found) return found
  throw new WeirError('bad-input', `costs are split among ${dimension}s, which are no payers: export with --unsplit`)
}

/**
 * Splits of charges from what the owners bear in a month: each charge of a shared owner is split in the proportion in which
 * its whole cost is borne, so that the file says what the statements say. `id` names the version of the rules.
 */
export const sharedCosts = (
  { dimension, rules }: Splits,
  shares: readonly OwnerShare[],
  { id, month_us }: Readonly<{ id: string; month_us: number }>,
): readonly Split[] => {
  const field = dimension.replace(/^tag:/, '')
  return rules.flatMap(({ from }): Split[] => {
    const bearing = shares.flatMap(({ owner, shared }) => {
      const amount = owner !== from && Object.hasOwn(shared, from) ? shared[from] : undefined
      const weight = amount === undefined ? 0n : amount < 0n ? -amount : amount
      return weight === 0n ? [] : [{ owner: { [field]: owner }, weight: formatUsd(picodollars(weight)) }]
    })
    if (bearing.length === 0) return []
    const names = from === UNALLOCATED ? [UNALLOCATED, null] : [from]
    return names.map((name) => ({ id: `${id}:${from}`, when: { [field]: name }, month_us, shares: bearing }))
  })
}
