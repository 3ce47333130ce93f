/** Calls of the past made of receipts, for replays in tests: as the ledger would give them, in order of time. */

import { defaultsOf } from '../../src/config/levers.ts'
import type { Chosen, Lever, ReplayKit, Schema } from '../../src/core/lever.ts'
import type { Past, TokenRates } from '../../src/core/past.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { converts } from '../../src/gateway/levers/kit.ts'
import { digest } from '../../src/gateway/prompt.ts'
import { cacheRule } from '../../src/playbook/cache/rules.ts'

export const kit: ReplayKit = { hash: digest, cache_rule: cacheRule, converts, random: () => 0.5 }

/** Claude Opus 4.5 at list price, picodollars a token. */
export const opus: TokenRates = {
  fresh: 5_000_000,
  cache_read: 500_000,
  cache_write: { '5m': 6_250_000, '1h': 10_000_000 },
  output: 25_000_000,
}

export const pastOf = (receipt: Receipt, rates: TokenRates, more: Partial<Past> = {}): Past => {
  const { cache_read_tokens = 0, cache_write_tokens = 0, cache_write_1h_tokens = 0 } = receipt
  const { team, feature, session, agent, wire, endpoint } = receipt
  const circle = Object.fromEntries(
    Object.entries({ team, feature, session, agent, wire, endpoint }).filter(([, value]) => value !== undefined),
  ) as Past['circle']
  const { fingerprint_exact: exact, fingerprint_template: template, fingerprint_conversation: conversation } = receipt
  return {
    at_us: receipt.started_at_us,
    ...(receipt.first_token_at_us === undefined ? {} : { first_token_at_us: receipt.first_token_at_us }),
    ended_at_us: receipt.ended_at_us,
    circle,
    tenant: receipt.tenant ?? '',
    account: receipt.provider,
    provider: receipt.provider,
    model: receipt.model_asked ?? '',
    stream: receipt.stream,
    outcome: receipt.outcome,
    ...(receipt.finish_reason === undefined ? {} : { finish_reason: receipt.finish_reason }),
    ...(receipt.temperature === undefined ? {} : { temperature: receipt.temperature }),
    fingerprints: {
      ...(exact === undefined ? {} : { exact }),
      ...(template === undefined ? {} : { template }),
      ...(conversation === undefined ? {} : { conversation }),
    },
    chain: { hashes: receipt.prefix_hashes ?? [], tokens: receipt.prefix_tokens ?? [] },
    usage: {
      fresh: receipt.input_fresh_tokens ?? 0,
      cache_read: cache_read_tokens,
      cache_write_5m: cache_write_tokens - cache_write_1h_tokens,
      cache_write_long: cache_write_1h_tokens,
      output: receipt.output_tokens ?? 0,
    },
    tools_tokens: receipt.tools_tokens ?? 0,
    system_tokens: receipt.system_tokens ?? 0,
    traces: receipt.levers ?? [],
    answered: receipt.outcome === 'cached',
    rates,
    ...more,
  }
}

/** What a past call costs, picodollars. */
export const costOf = ({ usage, rates, answered }: Past): number => {
  if (answered) return 0
  const { fresh, cache_read, cache_write_5m, cache_write_long, output } = usage
  return (
    fresh * rates.fresh +
    cache_read * rates.cache_read +
    cache_write_5m * (rates.cache_write['5m'] ?? rates.fresh) +
    cache_write_long * (rates.cache_write['1h'] ?? rates.fresh) +
    output * rates.output
  )
}

/** The bill of calls after a lever's replay over them, picodollars. */
export const billAfter = <S extends Schema>(
  lever: Lever<S>,
  settings: Partial<Chosen<S>>,
  calls: readonly Past[],
): number => {
  const fold = lever.replay({ ...defaultsOf(lever.settings), ...settings } as Chosen<S>, kit)
  return calls.reduce((sum, past) => sum + costOf(fold(past)), 0)
}

/** A call of Claude Opus 4.5 of which nothing is known. */
export const blankPast: Past = {
  at_us: 0,
  ended_at_us: 0,
  circle: { endpoint: 'messages', wire: 'anthropic-messages' },
  tenant: 't',
  account: 'anthropic',
  provider: 'anthropic',
  model: 'claude-opus-4-5',
  stream: false,
  outcome: 'ok',
  fingerprints: {},
  chain: { hashes: [], tokens: [] },
  usage: { fresh: 0, cache_read: 0, cache_write_5m: 0, cache_write_long: 0, output: 0 },
  tools_tokens: 0,
  system_tokens: 0,
  traces: [],
  answered: false,
  rates: opus,
}
