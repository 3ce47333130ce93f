import type { Lever } from '../../core/lever.ts'
import type { Past, Replay } from '../../core/past.ts'
import type { ServiceTier } from '../../core/usage.ts'
import type { Ratios } from '../measure/ratios.ts'
import type { Candidate } from './fold.ts'
import type { RateSheet } from './rates.ts'
import { contextOf } from './trip.ts'

/** A question of the form: what if all of this had gone to … */
export type Swap =
  | Readonly<{ to: 'model'; provider: string; model: string }>
  | Readonly<{ to: 'tier'; tier: Extract<ServiceTier, 'batch' | 'flex'> }>

const scaled = (past: Past, by: number): Pick<Past, 'usage' | 'chain' | 'tools_tokens' | 'system_tokens'> => {
  const times = (count: number): number => Math.round(count * by)
  const { usage, chain } = past
  return {
    usage: {
      fresh: times(usage.fresh),
      cache_read: times(usage.cache_read),
      cache_write_5m: times(usage.cache_write_5m),
      cache_write_long: times(usage.cache_write_long),
      output: times(usage.output),
    },
    chain: { hashes: chain.hashes, tokens: chain.tokens.map(times) },
    tools_tokens: times(past.tools_tokens),
    system_tokens: times(past.system_tokens),
  }
}

const toTier =
  (tier: Extract<Swap, { to: 'tier' }>['tier'], sheet: RateSheet): Replay =>
  (past) => {
    if (past.answered || past.stream || past.usage.output === 0) return past
    const rates = sheet.of(past.provider, past.model, { tier })(past.at_us, contextOf(past))
    return rates === undefined ? past : { ...past, rates }
  }

/** The call at another model: counted by that model's tokenizer, at its prices; what was cached is taken as cached there, too. */
const toModel =
  ({ provider, model }: Extract<Swap, { to: 'model' }>, sheet: RateSheet, ratios: Ratios): Replay =>
  (past) => {
    if (past.answered || past.usage.output === 0 || (past.model === model && past.provider === provider)) return past
    const by = ratios.of(past.provider, past.model).bytes_per_token / ratios.of(provider, model).bytes_per_token
    const rates = sheet.of(provider, model, {})(past.at_us, contextOf(past) * by)
    return rates === undefined ? past : { ...past, ...scaled(past, by), kind: undefined, provider, model, rates }
  }

/** Token ratios between tokenizers were measured on few texts: they lie within about a tenth (`docs/advise.md`). */
const TOKENIZER_DOUBT = 0.1

/** The swap as a lever that is pulled before all others. It works on the past only. */
export const swapCandidate = (swap: Swap, sheet: RateSheet, ratios: Ratios): Candidate => {
  const lever: Lever = {
    name: swap.to === 'model' ? `what-if/model=${swap.model}` : `what-if/tier=${swap.tier}`,
    play: swap.to === 'model' ? 'route' : 'batch',
    about:
      swap.to === 'model'
        ? `Everything asked of ${swap.provider}/${swap.model} instead, with tokens counted as that model counts.`
        : `Every call that does not stream at the price of ${swap.tier}.`,
    settings: {},
    traits: {
      certainty: 'estimated',
      risk: swap.to === 'model' ? 'needs-eval' : 'bounded',
      effort: 'project',
      spread: {
        low: 1 - TOKENIZER_DOUBT,
        high: 1 + TOKENIZER_DOUBT,
        why:
          swap.to === 'model'
            ? 'the other model writes answers of other lengths, and tokenizers are compared by learnt ratios'
            : 'not every call that does not stream can wait',
      },
      next_test:
        swap.to === 'model'
          ? 'send 30 to 50 frozen requests of the dearest route to both models and compare the answers'
          : 'ask the owner of the dearest route whether its callers can wait',
    },
    pull: () => ({ do: 'nothing', why: 'a question about the past' }),
    replay: () => (swap.to === 'tier' ? toTier(swap.tier, sheet) : toModel(swap, sheet, ratios)),
  }
  return { lever, settings: {} }
}
