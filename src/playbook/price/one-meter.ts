import { isBucket, type Meter, type NormalisedUsage, type UsageLine } from '../../core/usage.ts'

/** How it is served, as far as a price row asks for it. */
type Served = Pick<UsageLine, 'context_tokens'> & Partial<Pick<UsageLine, 'region' | 'geo' | 'service_tier' | 'speed'>>

/** Usage of one meter and of nothing else, to ask a book what it says of it. */
export const usageOfMeter = (meter: Meter, quantity: number, served: Served): NormalisedUsage => ({
  lines: [
    {
      kind: 'message',
      funding: 'platform',
      ...served,
      tokens: isBucket(meter) ? { [meter]: quantity } : {},
      units: isBucket(meter) ? {} : { [meter]: { n: quantity } },
    },
  ],
  totals: { input: 0, output: 0 },
  quality: 'exact',
  warnings: [],
  raw: undefined,
})
