import type { Pulled, Spent } from '../../core/lever.ts'
import { formatUsd, picodollars, type Usd } from '../../core/money.ts'
import type { Chain, PastUsage, TokenRates } from '../../core/past.ts'
import type { LeverTrace } from '../../core/receipt.ts'
import { keptBoundaries, prefixTokens, weighted } from '../../playbook/measure/prefixes.ts'
import type { Call } from '../call.ts'
import type { Draft } from '../draft.ts'
import { acted, askedTokens, type Levers, type Pulling, type Turn } from './pulling.ts'

type Change = Extract<Pulled, { do: 'change' }>

const usageOf = (draft: Draft): PastUsage => {
  const { cache_read_tokens = 0, cache_write_tokens = 0, cache_write_1h_tokens = 0 } = draft
  return {
    fresh: draft.input_fresh_tokens ?? 0,
    cache_read: cache_read_tokens,
    cache_write_5m: cache_write_tokens - cache_write_1h_tokens,
    cache_write_long: cache_write_1h_tokens,
    output: draft.output_tokens ?? 0,
  }
}

/** What the tokens taken out would have cost, at the mean price of the call's input. */
const removedWorth = (removed: number, draft: Draft, rates: TokenRates): number => {
  const { input_tokens, input_cost_usd } = draft
  if (input_tokens === undefined || input_tokens === 0 || input_cost_usd === undefined) return removed * rates.fresh
  return (removed * Number(input_cost_usd) * 1e12) / input_tokens
}

/** The prompt's chain as asked, at the provider's count and that of the texts that were edited. */
const chainOf = (prompt: Call['prompt'], pulling: Pulling, { input_tokens }: Draft): Chain => {
  const { live, weights } = pulling
  if (input_tokens === undefined || weights === undefined || prompt === undefined) return live.chain
  const whole = weighted(prompt.whole(), weights)
  return { hashes: whole.hashes, tokens: prefixTokens(whole, askedTokens(pulling, input_tokens), 1) }
}

/** What a turn's saving is reckoned from, beside the turn. */
type Reckoning = Readonly<{ pulling: Pulling; draft: Draft; rates: TokenRates | undefined; chain: () => Chain }>

type Effect = Exclude<Pulled, { do: 'nothing' }>

/** What a turn saved, in picodollars; undefined where nobody knows what the call would have cost. */
const savingOf = (
  { active }: Turn,
  pulled: Effect,
  { pulling, draft, rates, chain }: Reckoning,
): number | undefined => {
  const { lever, settings, mode } = active
  const { usage_source, counterfactual_cost_usd } = draft
  if (usage_source === 'none') return undefined
  // Embeddings and reranking have no rates of output, and yet a price.
  if (pulled.do === 'answer' && !lever.worth)
    return counterfactual_cost_usd === undefined ? undefined : Number(counterfactual_cost_usd) * 1e12
  if (!rates) return undefined
  const spent: Spent = { call: pulling.live, pulled, mode, usage: usageOf(draft), rates, chain }
  if (lever.worth) return lever.worth(spent, settings)
  if (pulled.do === 'answer') return undefined
  const removed = pulled.removed?.at(-1) ?? 0
  return removed > 0 ? removedWorth(removed, draft, rates) : pulled.foreseen
}

const usd = (amount: number): Usd => formatUsd(picodollars(BigInt(Math.round(amount))))

/** Tokens taken out, at the boundaries that the receipt keeps. */
const removedAt = ({ removed }: Change): Pick<LeverTrace, 'tokens' | 'removed'> => {
  const total = removed?.at(-1)
  if (!removed || total === undefined) return {}
  const kept = keptBoundaries(removed.length)
  return { tokens: total, removed: kept.length === removed.length ? removed : kept.map((index) => removed[index] ?? 0) }
}

const traceOf = (turn: Turn, reckoning: Reckoning): LeverTrace => {
  const { active, pulled, skipped } = turn
  const { name } = active.lever
  if (skipped !== undefined || !pulled || pulled.do === 'nothing')
    return { name, action: 'skipped', why: skipped ?? (pulled?.do === 'nothing' ? pulled.why : 'had no turn') }
  const saving = savingOf(turn, pulled, reckoning)
  return {
    name,
    action: acted(turn) ? 'acted' : 'observed',
    ...(saving === undefined || !Number.isFinite(saving) ? {} : { saving_usd: usd(saving) }),
    why: pulled.why,
    ...(pulled.do === 'change' ? removedAt(pulled) : {}),
  }
}

const withTrouble = (trace: LeverTrace, trouble: string | undefined): LeverTrace =>
  trouble === undefined ? trace : { ...trace, why: `${trace.why}; ${trouble}` }

/** What each lever did, onto the receipt; what it saved is reckoned from the usage that the receipt has by now. */
export const addTraces = (draft: Draft, call: Call, levers: Levers | undefined): void => {
  const { pulling, upstream } = call
  if (!pulling) return
  if (pulling.arm) {
    draft.experiment = pulling.arm.experiment
    draft.arm = pulling.arm.arm
  }
  const [first] = pulling.turns
  if (!levers || !upstream || !first) return
  const at_us = draft.started_at_us ?? call.started_at_us
  const kitOf = ({ active: { lever, mode } }: Turn) => levers.kitOf(lever, mode)
  // All kits have the same rates.
  const rates = kitOf(first).rates(upstream.name, call.reading?.model ?? '', at_us)
  let found: Chain | undefined
  const chain = (): Chain => {
    found ??= chainOf(call.prompt, pulling, draft)
    return found
  }
  const reckoning = { pulling, draft, rates, chain }
  const traces = pulling.turns.map((turn) => withTrouble(traceOf(turn, reckoning), kitOf(turn).notes?.trouble()))
  draft.levers = [...(draft.levers ?? []), ...traces]
}
