import { type Bucket, isBucket, type Meter, type NormalisedUsage, type UsageLine } from '../../core/usage.ts'

/** How it is served, as far as a price row asks for it. */
export type Served = Pick<UsageLine, 'context_tokens'> &
  Partial<Pick<UsageLine, 'region' | 'geo' | 'service_tier' | 'speed'>>

const usageOf = (counts: Pick<UsageLine, 'tokens' | 'units'>, served: Served): NormalisedUsage => ({
  lines: [{ kind: 'message', funding: 'platform', ...served, ...counts }],
  totals: { input: 0, output: 0 },
  quality: 'exact',
  warnings: [],
  raw: undefined,
})

/** Usage of one meter and of nothing else, to ask a book what it says of it. */
export const usageOfMeter = (meter: Meter, quantity: number, served: Served): NormalisedUsage =>
  usageOf(
    isBucket(meter)
      ? { tokens: { [meter]: quantity }, units: {} }
      : { tokens: {}, units: { [meter]: { n: quantity } } },
    served,
  )

/** The same of each of some classes of tokens. */
export const usageOfEach = (meters: readonly Bucket[], quantity: number, served: Served): NormalisedUsage =>
  usageOf({ tokens: Object.fromEntries(meters.map((meter) => [meter, quantity])), units: {} }, served)
