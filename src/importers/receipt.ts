import { createHash } from 'node:crypto'
import type { ImportOptions } from '../core/importer.ts'
import type { Receipt } from '../core/receipt.ts'
import type { Bucket, NormalisedUsage, ServiceTier } from '../core/usage.ts'
import { moneyColumns, usageColumns } from '../playbook/measure/columns.ts'
import { counterfactual } from '../playbook/price/counterfactual.ts'
import { price } from '../playbook/price/price.ts'

/** Of traces without what a cache served. */
export const UNCACHED =
  'The trace does not say what a cache served: all input is priced as fresh, and the bill may have been smaller.'

/** A past call as a source tells it. */
export type ImportedCall = Readonly<{
  /** What makes the call itself within all sources: the receipt's id is its hash. */
  identity: string
  origin: string
  provider: string
  model: string
  wire?: string
  endpoint: string
  stream: boolean
  started_at_us: number
  first_token_at_us?: number
  ended_at_us: number
  /** Token classes, or the usage as a wire read it. */
  usage: Readonly<Partial<Record<Bucket, number>>> | NormalisedUsage
  /** How it was served, and what its source says that it cost, where token classes do not say so. */
  service_tier?: ServiceTier
  stated_usd?: string
  /** Further columns, as the source has them. */
  columns: Partial<Receipt>
}>

/** An id in the form of a UUID (version 8: of our own making) that depends on the identity only. */
export const receiptId = (identity: string): string => {
  const hash = createHash('sha256').update(identity).digest('hex')
  return `${hash.slice(0, 8)}-${hash.slice(8, 12)}-8${hash.slice(13, 16)}-a${hash.slice(17, 20)}-${hash.slice(20, 32)}`
}

const sideOf = (tokens: Readonly<Partial<Record<Bucket, number>>>, side: 'in.' | 'out.'): number =>
  Object.entries(tokens).reduce((sum, [bucket, count]) => (bucket.startsWith(side) ? sum + count : sum), 0)

const isNormalised = (usage: ImportedCall['usage']): usage is NormalisedUsage => 'lines' in usage

const normalisedUsage = ({ usage, model, service_tier, stated_usd }: ImportedCall): NormalisedUsage => {
  if (isNormalised(usage)) return usage
  const [input, output] = [sideOf(usage, 'in.'), sideOf(usage, 'out.')]
  return {
    lines: [
      {
        kind: 'message',
        model_served: model,
        ...(service_tier !== undefined && { service_tier }),
        funding: 'platform',
        context_tokens: input,
        tokens: usage,
        units: {},
      },
    ],
    totals: { input, output },
    ...(stated_usd !== undefined && {
      stated: { amount_usd: stated_usd, field: 'stated_cost_usd', includes_tools: true },
    }),
    quality: 'exact',
    warnings: [],
    raw: undefined,
  }
}

/** Outcomes without an attempt at a provider: nobody billed what such a call names. */
const unbilled: readonly Receipt['outcome'][] = ['refused', 'cached', 'deferred']

const money = (call: ImportedCall, usage: NormalisedUsage, { book }: ImportOptions) => {
  const { provider, model, columns } = call
  const billable = { provider, model, at_us: call.started_at_us, usage }
  const { outcome = 'ok' } = columns
  const otherwise = 'none'
  if (outcome === 'refused' || outcome === 'deferred') return moneyColumns({ otherwise })
  const unpulled = counterfactual(billable, book, { asked_model: model })
  if (outcome === 'cached') return moneyColumns({ counterfactual: unpulled, otherwise })
  return moneyColumns({
    priced: price(billable, book),
    list: price(billable, book, { layers: ['weir', 'catalog'] }),
    counterfactual: unpulled,
    usage,
    otherwise,
  })
}

/** The receipt of a past call, priced at the prices of its own moment. */
export const receiptOf = (call: ImportedCall, options: ImportOptions): Receipt => {
  const { provider, model } = call
  const usage = normalisedUsage(call)
  const isBilled = !unbilled.includes(call.columns.outcome ?? 'ok')
  const receipt_id = receiptId(call.identity)
  return {
    receipt_id,
    call_id: receipt_id,
    attempt: isBilled ? 1 : 0,
    origin: call.origin,
    started_at_us: call.started_at_us,
    ...(call.first_token_at_us !== undefined && { first_token_at_us: call.first_token_at_us }),
    ended_at_us: call.ended_at_us,
    ...(call.wire !== undefined && { wire: call.wire }),
    endpoint: call.endpoint,
    stream: call.stream,
    model_asked: model,
    model_served: model,
    provider,
    outcome: 'ok',
    ...usageColumns(isBilled ? usage : undefined),
    ...money(call, usage, options),
    ...options.payer,
    ...call.columns,
  }
}
