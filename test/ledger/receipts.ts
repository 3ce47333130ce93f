/** Receipts for tests of ledgers and of the journal. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { encodeLine } from '../../src/core/journal-line.ts'
import type { Usd } from '../../src/core/money.ts'
import type { JournalLine, Receipt } from '../../src/core/receipt.ts'

export const usd = (text: string): Usd => text as Usd

/** 2026-09-01T00:00:00Z, a Tuesday. */
export const START_US = Date.UTC(2026, 8, 1) * 1000
export const MINUTE_US = 60_000_000
export const HOUR_US = 60 * MINUTE_US
export const DAY_US = 24 * HOUR_US

let made = 0

/** A receipt that needs only what a test is about. */
export const receipt = (fields: Partial<Receipt> = {}): Receipt => {
  made += 1
  const receipt_id = fields.receipt_id ?? `receipt-${made.toString().padStart(6, '0')}`
  const started_at_us = fields.started_at_us ?? START_US + made * 1000
  return {
    receipt_id,
    call_id: `call-of-${receipt_id}`,
    attempt: 1,
    origin: 'live',
    started_at_us,
    ended_at_us: started_at_us + 2_000_000,
    endpoint: 'chat',
    stream: false,
    provider: 'openai',
    model_asked: 'gpt-5.6',
    outcome: 'ok',
    usage_source: 'provider',
    price_state: 'priced',
    ...fields,
  }
}

/** Every field of a receipt, each with a value that a careless column type would change. */
export const fullReceipt = (): Required<Receipt> => ({
  receipt_id: '0199-full',
  call_id: 'call-full',
  attempt: 2,
  provider_response_id: 'resp_1',
  trace_id: '4bf92f3577b34da6a3ce929d0e0e4736',
  span_id: '00f067aa0ba902b7',
  corrects: '0199-earlier',
  origin: 'live',
  started_at_us: START_US + 1,
  first_token_at_us: START_US + 123_457,
  ended_at_us: START_US + 9_876_543,
  key_id: 'key_1',
  tenant: '00aa11bb22cc33dd',
  team: 'search',
  feature: "o'brien; DROP TABLE receipts --",
  customer: '0042',
  user: 'ünï→😀',
  environment: 'production',
  tags: { cost_center: 'cc-7', 'with space': '' },
  session: 's-1',
  step: 3,
  agent: 'planner',
  wire: 'openai-chat',
  endpoint: 'chat',
  stream: true,
  model_asked: 'gpt-5.6',
  provider: 'openai',
  model_served: 'gpt-5.6-2026-08-01',
  region: 'eu-west-1',
  service_tier: 'flex',
  speed: 'fast',
  geo: 'eu',
  outcome: 'ok',
  http_status: 200,
  error_code: 'none',
  finish_reason: 'stop',
  quality_score: 0.875,
  failed_checks: ['tone', 'length'],
  input_tokens: 5_000_000_000,
  input_fresh_tokens: 1,
  cache_read_tokens: 2,
  cache_write_tokens: 3,
  cache_write_1h_tokens: 4,
  input_tool_tokens: 5,
  input_audio_tokens: 6,
  input_image_tokens: 7,
  input_video_tokens: 8,
  output_tokens: 9,
  reasoning_tokens: 10,
  output_audio_tokens: 11,
  output_image_tokens: 12,
  provider_total_tokens: 13,
  lines: [
    {
      kind: 'message',
      model: 'gpt-5.6',
      meter: 'in.text.fresh',
      quantity: 1,
      rate_usd: '1.250',
      cost_usd: usd('0.00000125'),
      price_row: 'row-1',
    },
    { kind: 'tool', model: 'gpt-5.6', meter: 'audio_in.second', quantity: 1.5 },
  ],
  usage_raw: '{"prompt_tokens":1,"note":"\\"quoted\\""}',
  usage_source: 'provider',
  usage_quality: 'exact',
  warnings: ['total disagrees'],
  price_state: 'priced',
  cost_usd: usd('12345678901234.000000000001'),
  input_cost_usd: usd('0.1'),
  output_cost_usd: usd('-0.000000000001'),
  fee_cost_usd: usd('0'),
  list_cost_usd: usd('1'),
  counterfactual_cost_usd: usd('2.5'),
  stated_cost_usd: usd('3'),
  reserved_usd: usd('4'),
  price_book: 'book-1',
  levers: [{ name: 'minify', action: 'acted', saving_usd: usd('0.01'), why: 'whitespace' }],
  experiment: 'e-1',
  arm: 'control',
  system_tokens: 1,
  tools_tokens: 2,
  examples_tokens: 3,
  history_tokens: 4,
  context_tokens: 5,
  user_tokens: 6,
  turns: 7,
  tool_count: 8,
  max_output_asked: 9,
  temperature: 0.7,
  response_format: 'json_schema',
  request_bytes: 10,
  response_bytes: 11,
  fingerprint_exact: '00000000000000ff',
  fingerprint_template: 'ffffffffffffffff',
  fingerprint_conversation: '0123456789abcdef',
  prefix_hashes: ['00000000000000aa', 'ffffffffffffffbb'],
  prefix_tokens: [10, 20],
  deadline_at_us: START_US + DAY_US,
  deferrable: true,
})

/** How a line was written in the first format: legible everywhere, and still read. */
export const lineAsJson = (k: JournalLine['k'], r: Receipt): string => `${JSON.stringify({ k, r })}\n`

/** Writes a closed segment as a journal would, an open line before each receipt included. */
export const writeSegment = (path: string, receipts: readonly Receipt[], write = encodeLine): void => {
  mkdirSync(dirname(path), { recursive: true })
  const lines = receipts.flatMap((r) => [write('open', { ...r, outcome: 'unknown' }), write('receipt', r)])
  writeFileSync(path, lines.join(''))
}
