/** Prices of the tests' own: round figures, so that a cost can be checked by eye and no real price change breaks a test. */
import type { PriceRow } from '../../src/core/price.ts'
import type { Prices } from '../../src/gateway/prices.ts'

const row = (provider: string, models: readonly string[], rates: PriceRow['rates']): PriceRow => ({
  id: `${provider}/${models[0]}`,
  layer: 'weir',
  provider,
  models,
  rates,
  source: 'made for tests',
  checked_at: '2026-11-23',
})

const openaiChat = ['gpt-4o-mini', 'gpt-4o-mini-2024-07-18', 'gpt-4o', 'gpt-4o-2024-08-06']
const chatRates = {
  'in.text.fresh': '2',
  'in.text.cache_read': '1',
  'out.text.visible': '10',
  'out.text.reasoning': '10',
}

export const rows: readonly PriceRow[] = [
  row('openai', openaiChat, chatRates),
  row('groq', openaiChat, chatRates),
  row('openai-compatible', openaiChat, chatRates),
  row('openai', ['gpt-5-mini', 'gpt-5-mini-2025-08-07'], chatRates),
  row('openai', ['text-embedding-3-small'], { 'in.text.fresh': '0.02' }),
  row('anthropic', ['claude-sonnet-5-5', 'claude-haiku-4-5', 'claude-haiku-4-5-20251001'], {
    'in.text.fresh': '3',
    'in.text.cache_read': '0.3',
    'in.text.cache_write': '3.75',
    'in.text.cache_write_5m': '3.75',
    'in.text.cache_write_1h': '6',
    'out.text.visible': '15',
    'out.text.reasoning': '15',
  }),
  row('google', ['gemini-2.5-flash'], {
    'in.text.fresh': '0.3',
    'in.text.cache_read': '0.03',
    'out.text.visible': '2.5',
    'out.text.reasoning': '2.5',
  }),
]

export const prices: Prices = { rows, version: 'test-1' }
