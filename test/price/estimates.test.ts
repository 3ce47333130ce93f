import { describe, expect, test } from 'vitest'
import { formatUsd } from '../../src/core/money.ts'
import { counterfactual } from '../../src/playbook/price/counterfactual.ts'
import { price } from '../../src/playbook/price/price.ts'
import { type Reservation, worstCase } from '../../src/playbook/price/worst-case.ts'
import { weirBook } from './book-of-weir.ts'
import { at, call, line, usage } from './usage.ts'

const ceiling = { input: '20', output: '100' }
const worst = (asked: Partial<Reservation>): string =>
  formatUsd(
    worstCase(
      {
        provider: 'anthropic',
        model: 'claude-haiku-5-5',
        input_tokens: 1_000_000,
        output_tokens: 1_000_000,
        at_us: at('2026-11-23'),
        geo: 'global',
        ...asked,
      },
      weirBook,
      ceiling,
    ),
  )

describe('the worst case of a call', () => {
  test('is the dearest input class, a one-hour write, and the dearest output class', () => {
    expect(worst({})).toBe('3.5')
    expect(worst({ cache_ttl: '5m' })).toBe('3.125')
    expect(worst({ geo: 'us' })).toBe('3.85')
  })

  test('reckons with every geography when none is known', () => {
    const { geo: _geo, ...asked } = { provider: 'anthropic', model: 'claude-haiku-5-5', geo: '' }
    const reservation = { ...asked, input_tokens: 1_000_000, output_tokens: 1_000_000, at_us: at('2026-11-23') }
    expect(formatUsd(worstCase(reservation, weirBook, ceiling))).toBe('3.85')
  })

  test('takes the long-context price only where the input can reach it', () => {
    expect(worst({ input_tokens: 100_000, output_tokens: 0 })).toBe('0.02')
    expect(worst({ input_tokens: 100_001, output_tokens: 0 })).toBe('0.100001')
  })

  test('reckons with standard beside the asked tier, because a provider may serve that', () => {
    const asked = {
      provider: 'openai',
      model: 'gpt-5',
      region: 'none',
      input_tokens: 1_000_000,
      output_tokens: 0,
    } as const
    expect(worst({ ...asked, tier: 'flex' })).toBe('1.25')
    expect(worst({ ...asked, tier: 'priority' })).toBe('2.5')
  })

  test('holds the hour: DeepSeek at peak and off it', () => {
    const asked = { provider: 'deepseek', model: 'deepseek-flash', output_tokens: 0 } as const
    expect(worst({ ...asked, at_us: at('2026-11-23T02:00Z') })).toBe('0.3')
    expect(worst({ ...asked, at_us: at('2026-11-23T12:00Z') })).toBe('0.15')
  })

  test('adds the dearest fee a request', () => {
    const asked = {
      provider: 'perplexity',
      model: 'sonar-pro',
      at_us: at('2026-09-01'),
      input_tokens: 0,
      output_tokens: 0,
    } as const
    expect(worst(asked)).toBe('0.014')
  })

  test('adds the search that a model makes for every request, as nobody need ask for it', () => {
    const asked = { provider: 'openai', model: 'gpt-4o-search-preview', input_tokens: 0, output_tokens: 0 } as const
    expect(worst(asked)).toBe('0.025')
  })

  test('is the ceiling where there is no price, and nothing for output that a model does not have', () => {
    expect(worst({ model: 'claude-next' })).toBe('120')
    expect(worst({ provider: 'openai', model: 'text-embedding-3-small', output_tokens: 4096 })).toBe('0.02')
  })

  test('is never less than what such a call then costs', () => {
    for (const context_tokens of [1000, 150_000, 300_000])
      for (const [provider, model] of [
        ['openai', 'gpt-6-sol'],
        ['anthropic', 'claude-opus-5-5'],
        ['google', 'gemini-3.1-pro-preview'],
      ] as const)
        for (const bucket of ['in.text.fresh', 'in.text.cache_read', 'in.text.cache_write'] as const) {
          const tokens = { [bucket]: context_tokens, 'out.text.visible': 777 }
          const { cost } = price(call({ provider, model, moment: '2026-11-23', tokens }), weirBook)
          const reserved = worst({ provider, model, input_tokens: context_tokens, output_tokens: 777 })
          if (cost !== null) expect(Number(reserved)).toBeGreaterThanOrEqual(Number(formatUsd(cost)))
        }
  })
})

describe('the counterfactual', () => {
  const tokens = {
    'in.text.fresh': 1000,
    'in.text.cache_read': 8000,
    'in.text.cache_write_1h': 1000,
    'out.text.visible': 1000,
  } as const

  test('is the asked model at the standard tier, every input token fresh, without batch', () => {
    const served = call(
      { provider: 'openai', model: 'gpt-6-luna', moment: '2026-11-23', tokens, batch: true },
      { service_tier: 'flex' },
    )
    const cost = counterfactual(served, weirBook, { asked_model: 'gpt-6-sol' })
    expect(cost && formatUsd(cost)).toBe('0.03')
  })

  test('keeps fees and the model of an advisor, and drops cache storage', () => {
    const billable = {
      ...call({ provider: 'anthropic', model: 'claude-haiku-5-5', moment: '2026-11-23' }),
      usage: usage([
        line(tokens, {
          model_served: 'claude-haiku-5-5',
          units: { 'web_search.query': { n: 1 }, 'cache_storage.token_hour': { n: 5 } },
        }),
        line({ 'in.text.fresh': 1000 }, { kind: 'advisor', model_served: 'claude-opus-5' }),
      ]),
    }
    const cost = counterfactual(billable, weirBook, { asked_model: 'claude-sonnet-5-5' })
    // 10,000 × 2 + 1,000 × 10 + one search + the advisor's 1,000 × 5, in millionths.
    expect(cost && formatUsd(cost)).toBe('0.045')
  })

  test('is unpriced where the asked model is', () => {
    const served = call({
      provider: 'openai',
      model: 'gpt-6-luna',
      moment: '2026-11-23',
      tokens: { 'in.text.fresh': 1 },
    })
    expect(counterfactual(served, weirBook, { asked_model: 'gpt-9' })).toBeNull()
  })
})
