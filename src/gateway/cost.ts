import type { Picodollars } from '../core/money.ts'
import type { Billable, Priced, PriceLayer } from '../core/price.ts'
import type { NormalisedUsage } from '../core/usage.ts'
import { promptBound } from '../playbook/allocate/budget/bound.ts'
import { counterfactual } from '../playbook/price/counterfactual.ts'
import { price } from '../playbook/price/price.ts'
import { worstCase } from '../playbook/price/worst-case.ts'
import { answersAsked } from '../wires/framing/answers-asked.ts'
import type { Attempt, Call, Stop } from './call.ts'

import type { World } from './world.ts'

const LIST_LAYERS: readonly PriceLayer[] = ['weir', 'catalog']

/** JSON holds at least two bytes for each token of its text, escapes and structure included; so this bounds the prompt. */
const LEAST_BYTES_PER_TOKEN = 2

export type WorstCase = Readonly<{ usd: Picodollars | undefined; tokens: number }>

/** Fetching what was made before costs what it cost: the fetch decides nothing. */
const spendsNothingNew = (call: Call): boolean => call.method === 'GET'

const NO_COST: WorstCase = { usd: undefined, tokens: 0 }

/** Most tokens of the prompt: exactly bounded where a budget depends on it. */
const promptTokens = ({ plain, json }: Call, bounded: boolean): number => {
  if (!bounded) return Math.ceil(plain.length / LEAST_BYTES_PER_TOKEN)
  const text = Buffer.from(plain.buffer, plain.byteOffset, plain.byteLength).toString('latin1')
  return promptBound(text, plain.length, json)
}

/**
 * The most that a call can cost at a target, at the prices in force at an instant, and the most tokens that it can consume.
 * No dollars for what bills nothing or has no meter. `bounded`: a hard budget depends on it.
 */
export const worstCaseOf = (call: Call, stop: Stop, at_us: number, world: World, bounded = false): WorstCase => {
  const { reading } = call
  if (!reading?.billable || spendsNothingNew(call)) return NO_COST
  const { settings, book } = world
  const { upstream, model } = stop
  const input_tokens = promptTokens(call, bounded)
  const answers = reading.answers ?? answersAsked(call.json)
  const output_tokens = reading.max_output_tokens ?? settings.reserve_output_tokens * answers
  const usd = worstCase(
    {
      provider: upstream.price_as,
      model: model ?? '',
      input_tokens,
      output_tokens,
      at_us,
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
  return { usd, tokens: input_tokens + output_tokens }
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
