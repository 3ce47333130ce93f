import type { JournalLine, Receipt } from '../../src/core/receipt.ts'
import { START_US, usd } from './receipts.ts'

/** A line as the first form by position had it, written out by hand, and the receipt that it says. */
export const earlierLine = (k: JournalLine['k'], receipt_id: string): Readonly<{ line: string; receipt: Receipt }> => {
  const own = [
    ...[receipt_id, `call-of-${receipt_id}`, '1', 'resp_1', '', `${START_US}`, `${START_US + 5}`, `${START_US + 9}`],
    ...['live', 'key_1', 'search', '', '', '', '', '{"cost_center":"cc-7"}', 's-1', '2', '', 'openai-chat', 'chat'],
    ...['gpt-5.6', 'openai', 'gpt-5.6', 'standard', 'ok', '200', '12', '', '', '7', '', 'provider', 'priced'],
    ...['0.5', '', '', '', '', '', '', '', '', '3', '99', '00000000000000ff'],
  ]
  const facts = ['true', '', '', '', '', 'stop', 'exact', 'book-1', '', '', '', '', '']
  const meters = '[["message"],["gpt-5.6"],["in.text.fresh"],["1.25"],[null]]'
  const rest = ['[[12],["0.5"]]', ...new Array<string>(28).fill('')]
  rest[14] = '{"n":12}'
  rest[26] = '00000000000000aa,00000000000000bb'
  rest[27] = '4,9'
  const columns = [k === 'open' ? 'o1' : 'r1', ...own, facts.join('\u001f'), meters, rest.join('\u001f'), '.']
  const receipt: Receipt = {
    receipt_id,
    call_id: `call-of-${receipt_id}`,
    attempt: 1,
    provider_response_id: 'resp_1',
    started_at_us: START_US,
    first_token_at_us: START_US + 5,
    ended_at_us: START_US + 9,
    origin: 'live',
    key_id: 'key_1',
    team: 'search',
    tags: { cost_center: 'cc-7' },
    session: 's-1',
    step: 2,
    wire: 'openai-chat',
    endpoint: 'chat',
    stream: true,
    model_asked: 'gpt-5.6',
    provider: 'openai',
    model_served: 'gpt-5.6',
    service_tier: 'standard',
    outcome: 'ok',
    http_status: 200,
    finish_reason: 'stop',
    input_tokens: 12,
    output_tokens: 7,
    usage_source: 'provider',
    usage_quality: 'exact',
    price_state: 'priced',
    price_book: 'book-1',
    cost_usd: usd('0.5'),
    lines: [
      {
        kind: 'message',
        model: 'gpt-5.6',
        meter: 'in.text.fresh',
        quantity: 12,
        rate_usd: '1.25',
        cost_usd: usd('0.5'),
      },
    ],
    usage_raw: '{"n":12}',
    turns: 3,
    request_bytes: 99,
    fingerprint_exact: '00000000000000ff',
    prefix_hashes: ['00000000000000aa', '00000000000000bb'],
    prefix_tokens: [4, 9],
  }
  return { line: columns.join('\t'), receipt }
}
