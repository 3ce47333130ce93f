import { formatUsd, parseUsd, picodollars } from '../core/money.ts'
import type { StatedCost } from '../core/usage.ts'
import type { Quirks } from '../core/wire.ts'
import { usdOf } from './framing/counts.ts'
import { asRecord, at, type JsonRecord } from './framing/json.ts'

/** xAI states costs in ticks of 1e-10 USD (https://docs.x.ai/developers/cost-tracking). */
const TICK_DECIMALS = 10

/** A whole number of ticks as decimal US dollars, without going through a float. */
const ticksToUsd = (ticks: unknown): string | undefined => {
  if (typeof ticks !== 'number' || !Number.isSafeInteger(ticks) || ticks < 0) return undefined
  const digits = String(ticks).padStart(TICK_DECIMALS + 1, '0')
  const fraction = digits.slice(-TICK_DECIMALS).replace(/0+$/, '')
  return digits.slice(0, -TICK_DECIMALS) + (fraction === '' ? '' : `.${fraction}`)
}

/** Perplexity's `cost` object; a total that is not the sum of its parts has been rounded. */
const costObject = (usage: JsonRecord): StatedCost | undefined => {
  const cost = asRecord(usage['cost'])
  const amount = usdOf(cost?.['total_cost'])
  if (!cost || amount === undefined) return undefined
  const parts = Object.entries(cost)
    .filter(([name]) => name !== 'total_cost')
    .flatMap(([, part]) => usdOf(part) ?? [])
  const sum = parts.reduce((total, part) => total + parseUsd(part), 0n)
  const rounded = parts.length > 0 && sum !== parseUsd(amount)
  return { amount_usd: amount, field: 'usage.cost.total_cost', includes_tools: true, ...(rounded ? { rounded } : {}) }
}

/** OpenRouter's `cost`: with a key that the customer brought it is its own fee, and the bill comes from upstream. */
const routerCost = (usage: JsonRecord): StatedCost | undefined => {
  const amount = usdOf(usage['cost'])
  if (amount === undefined) return undefined
  const upstream = usdOf(at(usage, 'cost_details', 'upstream_inference_cost'))
  return {
    amount_usd: amount,
    field: 'usage.cost',
    includes_tools: true,
    ...(upstream === undefined ? {} : { upstream_usd: upstream }),
  }
}

const simple = (amount: string | undefined, field: string, includes_tools: boolean): StatedCost | undefined =>
  amount === undefined ? undefined : { amount_usd: amount, field, includes_tools }

/** The cost that a response states itself, read where the provider's quirks say it stands. */
export const statedCost = (usage: JsonRecord, quirks: Quirks): StatedCost | undefined => {
  switch (quirks.stated_cost) {
    case 'usage.cost':
      return routerCost(usage)
    case 'usage.cost_in_usd_ticks':
      return simple(ticksToUsd(usage['cost_in_usd_ticks']), 'usage.cost_in_usd_ticks', true)
    case 'usage.cost.total_cost':
      return costObject(usage)
    case 'gateway': {
      const estimate = usdOf(at(usage, 'pydantic_ai_gateway', 'cost_estimate'))
      return simple(estimate, 'usage.pydantic_ai_gateway.cost_estimate', false)
    }
    default:
      return undefined
  }
}

/** Less than this between two sums of floats is noise, no charge: 1e-9 USD. */
const NOISE = 1000n

/** What the upstream charged for the tokens: as one sum, or as the two sides where only these are stated. */
const upstreamCost = (usage: JsonRecord): bigint | undefined => {
  const details = asRecord(usage['cost_details'])
  const whole = usdOf(details?.['upstream_inference_cost'])
  if (whole !== undefined) return parseUsd(whole)
  const input = usdOf(details?.['upstream_inference_prompt_cost'] ?? details?.['upstream_inference_input_cost'])
  const output = usdOf(details?.['upstream_inference_completions_cost'] ?? details?.['upstream_inference_output_cost'])
  return input === undefined || output === undefined ? undefined : parseUsd(input) + parseUsd(output)
}

/** Perplexity's agent states what its tools cost, and nothing from which that could be computed. */
const toolCharge = (usage: JsonRecord): string | undefined => {
  const charge = usdOf(at(usage, 'cost', 'tool_calls_cost'))
  return charge !== undefined && parseUsd(charge) > 0n ? charge : undefined
}

/**
 * What is charged beyond the tokens and known only from the stated cost: tools that an agent ran, or what a router asks
 * for plugins and other models (the part of its cost that is not the upstream's for this inference). Undefined when there
 * is none, or when the customer's own key pays the upstream.
 */
export const chargeBeyondTokens = (usage: JsonRecord, stated: StatedCost | undefined): string | undefined => {
  if (stated?.field === 'usage.cost.total_cost') return toolCharge(usage)
  if (stated?.field !== 'usage.cost' || usage['is_byok'] === true) return undefined
  const upstream = upstreamCost(usage)
  if (upstream === undefined) return undefined
  const beyond = parseUsd(stated.amount_usd) - upstream
  return beyond > NOISE ? formatUsd(picodollars(beyond)) : undefined
}
