import type { Picodollars } from '../core/money.ts'
import type { Billable, Priced, PriceLayer } from '../core/price.ts'
import type { NormalisedUsage } from '../core/usage.ts'
import { counterfactual } from '../playbook/price/counterfactual.ts'
import { price } from '../playbook/price/price.ts'
import { worstCase } from '../playbook/price/worst-case.ts'
import type { Attempt, Call } from './call.ts'
import type { World } from './world.ts'

const LIST_LAYERS: readonly PriceLayer[] = ['weir', 'catalog']

/** JSON holds at least two bytes for each token of its text, escapes and structure included; so this bounds the prompt. */
const LEAST_BYTES_PER_TOKEN = 2

/** The most that a call can cost, at the prices in force; undefined for what bills nothing or has no meter. */
export const worstCaseOf = (call: Call, world: World): Picodollars | undefined => {
  const { reading, upstream } = call
  if (!(reading?.billable && upstream)) return undefined
  const { settings, book } = world
  return worstCase(
    {
      provider: upstream.price_as,
      model: reading.model ?? '',
      input_tokens: Math.ceil(call.plain.length / LEAST_BYTES_PER_TOKEN),
      output_tokens: reading.max_output_tokens ?? settings.reserve_output_tokens,
      at_us: call.started_at_us,
      region: upstream.settings.region,
      geo: reading.geo,
      tier: reading.service_tier,
      speed: reading.speed,
      batch: reading.batch,
      cache_ttl: reading.cache_ttl,
    },
    book,
    settings.unpriced_ceiling,
  )
}

export type Cost = Readonly<{ priced: Priced; list: Priced; counterfactual: Picodollars | null }>

/** What an attempt's usage costs: at the prices in force, at list price, and had no lever acted. */
export const costOf = (call: Call, attempt: Attempt, usage: NormalisedUsage, world: World): Cost => {
  const { book, settings } = world
  const { reading, region, upstream } = attempt
  const asked = call.reading?.model ?? attempt.model ?? ''
  const billable: { -readonly [Field in keyof Billable]: Billable[Field] } = {
    provider: upstream.price_as,
    model: attempt.metered?.model_served ?? attempt.model ?? asked,
    at_us: attempt.started_at_us,
    usage,
  }
  if (region !== undefined) billable.region = region
  if (reading?.batch !== undefined) billable.batch = reading.batch
  const priced = price(billable, book)
  const list = settings.prices.length === 0 ? priced : price(billable, book, { layers: LIST_LAYERS })
  const plain = counterfactual(
    billable,
    book,
    { asked_model: asked || billable.model, provider: call.upstream?.price_as },
    priced,
  )
  return { priced, list, counterfactual: plain }
}
