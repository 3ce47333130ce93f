import type { Split } from '../../../core/exporter.ts'
import { picodollars } from '../../../core/money.ts'
import { splitByWeight } from '../split/split.ts'
import type { Charge } from './columns.ts'
import { scaled, unscaled } from './decimals.ts'

const ONE = '1'

/** Amounts that the parts of a charge share out; unit prices stay. So each sums, and quantity × price is a part’s cost to 1e-10. */
const summable = [
  'BilledCost',
  'EffectiveCost',
  'ListCost',
  'ContractedCost',
  'PricingQuantity',
  'ConsumedQuantity',
  'x_RequestCount',
  'x_ReasoningTokens',
  'x_InputTokens',
  'x_OutputTokens',
]

const keyOf = (owner: Readonly<Record<string, string>>): string =>
  Object.entries(owner)
    .map(([name, value]) => `${name}:${value}`)
    .sort()
    .join('/')

/** One decimal in the proportion of the weights; the parts sum to it, to 1e-12. */
const parts = (amount: string, split: Split): ReadonlyMap<string, string> => {
  const weights = split.shares.map(({ owner, weight }) => ({ owner: keyOf(owner), weight: scaled(weight) }))
  return new Map(
    splitByWeight(picodollars(scaled(amount)), weights).map(({ owner, amount: part }) => [owner, unscaled(part)]),
  )
}

/** The parts of a shared charge, one for each owner (FOCUS 1.3). Costs and quantities sum to the charge, ratios to 1. */
export const allocate = (charge: Charge, split: Split): readonly Charge[] => {
  const ratios = parts(ONE, split)
  const shared = summable.flatMap((column) => {
    const amount = charge[column]
    return amount === null || amount === undefined ? [] : [[column, parts(amount, split)] as const]
  })
  return split.shares.map(({ owner }): Charge => {
    const key = keyOf(owner)
    const amounts = Object.fromEntries(shared.map(([column, of]) => [column, of.get(key) ?? '0']))
    const allocated = Object.fromEntries(Object.entries(owner).map(([name, value]) => [`allocated_${name}`, value]))
    const ratio = ratios.get(key) ?? '0'
    return {
      ...charge,
      ...amounts,
      AllocatedMethodId: split.id,
      AllocatedMethodDetails: `{"Elements":[{"AllocatedRatio":${ratio}}]}`,
      AllocatedResourceId: key,
      AllocatedResourceName: Object.values(owner).join(' / '),
      AllocatedTags: JSON.stringify(allocated),
    }
  })
}
