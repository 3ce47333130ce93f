import type { Billable } from '../../src/core/price.ts'
import type { Bucket, NormalisedUsage, Unit, UnitCount, UsageLine } from '../../src/core/usage.ts'
import { instant_us } from '../../src/playbook/price/local-time.ts'

export const at = (moment: string): number => instant_us(moment)

type Counts = Readonly<Partial<Record<Bucket, number>>>
type Extra = Partial<Omit<UsageLine, 'tokens'>>

/** A usage line whose context is all of its input, unless it is said otherwise. */
export const line = (tokens: Counts, extra: Extra = {}): UsageLine => ({
  kind: 'message',
  funding: 'platform',
  context_tokens: Object.entries(tokens).reduce((sum, [bucket, n]) => (bucket.startsWith('in.') ? sum + n : sum), 0),
  units: {},
  ...extra,
  tokens,
})

export const usage = (lines: readonly UsageLine[]): NormalisedUsage => ({
  lines,
  totals: { input: 0, output: 0 },
  quality: 'exact',
  warnings: [],
  raw: null,
})

type Call = Readonly<{
  provider: string
  model: string
  moment: string
  tokens?: Counts
  region?: string
  batch?: boolean
}>

/** A call of one line. `units` counts pieces; a number stands for a count without attributes. */
export const call = (
  { provider, model, moment, tokens = {}, region, batch }: Call,
  extra: Omit<Extra, 'units'> & { units?: Partial<Record<Unit, number | UnitCount>> } = {},
): Billable => {
  const units = Object.fromEntries(
    Object.entries(extra.units ?? {}).map(([unit, n]) => [unit, typeof n === 'number' ? { n } : n]),
  )
  return {
    provider,
    model,
    at_us: at(moment),
    ...(region === undefined ? {} : { region }),
    ...(batch === undefined ? {} : { batch }),
    usage: usage([line(tokens, { ...extra, units })]),
  }
}
