/** A small, fixed fortnight of calls in a real ledger, for whole-output snapshots. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { formatUsd, multiply, sum } from '../../src/core/money.ts'
import type { Receipt, ReceiptLine } from '../../src/core/receipt.ts'
import type { Meter } from '../../src/core/usage.ts'
import { open } from '../../src/ledgers/duckdb.ts'

/** The window that the snapshots show, and the moment after it. */
export const since = '2026-11-09'
export const until = '2026-11-16'

const rates: Readonly<Record<string, Readonly<Partial<Record<Meter, string>>>>> = {
  'gpt-5.5': {
    'in.text.fresh': '2.5',
    'in.text.cache_read': '0.25',
    'out.text.visible': '15',
    'out.text.reasoning': '15',
  },
  'claude-opus-5-5': {
    'in.text.fresh': '5',
    'in.text.cache_read': '0.5',
    'in.text.cache_write_5m': '6.25',
    'out.text.visible': '25',
  },
}

type Draft = Partial<Receipt> & Readonly<{ at: string; tokens?: Readonly<Partial<Record<Meter, number>>> }>

const hex = (number: number, digits: number) => number.toString(16).padStart(digits, '0')

/** A UUIDv7 of the moment, the same every time. */
const idOf = (at_ms: number, number: number, kind: number) => {
  const time = hex(at_ms, 12)
  return `${time.slice(0, 8)}-${time.slice(8)}-7${hex(kind, 3)}-8000-${hex(number, 12)}`
}

const starting = (tokens: NonNullable<Draft['tokens']>, start: string) =>
  Object.entries(tokens).reduce((all, [meter, quantity]) => all + (meter.startsWith(start) ? quantity : 0), 0)

const pricedFields = (model: string, tokens: NonNullable<Draft['tokens']>): Partial<Receipt> => {
  const price = rates[model]
  const lines = Object.entries(tokens).map(([meter, quantity]): ReceiptLine => {
    const rate = price?.[meter as Meter]
    const base = { kind: 'message' as const, model, meter: meter as Meter, quantity }
    if (rate === undefined) return base
    return { ...base, rate_usd: rate, cost_usd: formatUsd(multiply(quantity, rate)), price_row: `test/${model}` }
  })
  const cost = (side: string) =>
    formatUsd(
      sum(
        lines
          .filter(({ meter }) => meter.startsWith(side))
          .map(({ quantity, rate_usd }) => multiply(quantity, rate_usd ?? '0')),
      ),
    )
  return {
    input_tokens: starting(tokens, 'in.'),
    input_fresh_tokens: starting(tokens, 'in.text.fresh'),
    cache_read_tokens: starting(tokens, 'in.text.cache_read'),
    cache_write_tokens: starting(tokens, 'in.text.cache_write'),
    output_tokens: starting(tokens, 'out.'),
    reasoning_tokens: starting(tokens, 'out.text.reasoning'),
    lines,
    usage_source: 'provider',
    usage_quality: 'exact',
    price_state: price ? 'priced' : 'unpriced',
    ...(price
      ? { cost_usd: cost(''), input_cost_usd: cost('in.'), output_cost_usd: cost('out.'), price_book: 'test-book' }
      : {}),
  }
}

const receiptOf = ({ at, tokens, ...over }: Draft, number: number): Receipt => {
  const at_ms = Date.parse(at)
  const call = over.attempt !== undefined && over.attempt > 1 ? number - 1 : number
  const model = over.model_served ?? over.model_asked ?? ''
  return {
    receipt_id: idOf(at_ms, number, 1),
    call_id: idOf(call === number ? at_ms : at_ms - 1000, call, 0),
    attempt: 1,
    origin: 'live',
    started_at_us: at_ms * 1000,
    first_token_at_us: at_ms * 1000 + 400_000,
    ended_at_us: at_ms * 1000 + 2_500_000,
    wire: 'openai-chat',
    endpoint: 'chat',
    stream: true,
    provider: 'openai',
    outcome: 'ok',
    http_status: 200,
    usage_source: 'none',
    price_state: 'none',
    ...(tokens ? pricedFields(model, tokens) : {}),
    ...over,
  }
}

const gpt = { model_asked: 'gpt-5.5', model_served: 'gpt-5.5' } as const
const opus = {
  provider: 'anthropic',
  wire: 'anthropic-messages',
  endpoint: 'messages',
  model_asked: 'claude-opus-5-5',
  model_served: 'claude-opus-5-5',
} as const

const drafts: readonly Draft[] = [
  // The week before: search was smaller, billing larger.
  {
    at: '2026-11-03T10:00:00Z',
    ...gpt,
    team: 'search',
    feature: 'answers',
    tokens: { 'in.text.fresh': 40_000, 'out.text.visible': 2_000 },
  },
  {
    at: '2026-11-04T10:00:00Z',
    ...opus,
    team: 'billing',
    feature: 'invoices',
    tokens: { 'in.text.fresh': 200_000, 'out.text.visible': 9_000 },
  },
  // The week shown.
  ...[9, 10, 11, 12, 13].flatMap((day, i): Draft[] => [
    {
      at: `2026-11-${String(day).padStart(2, '0')}T09:00:00Z`,
      ...gpt,
      team: 'search',
      feature: 'answers',
      customer: i % 2 ? 'globex' : 'acme',
      tokens: {
        'in.text.fresh': 30_000 * (i + 1),
        'in.text.cache_read': 20_000 * i,
        'out.text.visible': 1_500,
        'out.text.reasoning': 900 * i,
      },
      turns: i * 2 + 1,
      system_tokens: 4_000,
      tools_tokens: 6_000,
      history_tokens: 50_000 * i,
      user_tokens: 20_000,
      session: 'session-1',
      step: i + 1,
    },
    {
      at: `2026-11-${String(day).padStart(2, '0')}T14:00:00Z`,
      ...opus,
      team: 'billing',
      feature: 'invoices',
      tokens: {
        'in.text.fresh': 5_000,
        'in.text.cache_write_5m': i === 0 ? 12_000 : 0,
        'in.text.cache_read': i === 0 ? 0 : 12_000,
        'out.text.visible': 700,
      },
    },
  ]),
  // A rate limit, then the attempt that worked.
  {
    at: '2026-11-12T16:00:00Z',
    ...gpt,
    team: 'search',
    feature: 'agent',
    outcome: 'error',
    http_status: 429,
    error_code: 'rate_limit',
    finish_reason: undefined as never,
  },
  {
    at: '2026-11-12T16:00:01Z',
    ...gpt,
    team: 'search',
    feature: 'agent',
    customer: 'acme',
    user: 'u-17',
    attempt: 2,
    finish_reason: 'stop',
    request_bytes: 18_211,
    response_bytes: 5_120,
    max_output_asked: 4_096,
    tool_count: 12,
    turns: 3,
    system_tokens: 1_200,
    tools_tokens: 3_400,
    history_tokens: 9_000,
    context_tokens: 0,
    user_tokens: 400,
    warnings: ['provider total 15,401 is not the sum of the parts'],
    levers: [{ name: 'cache-breakpoints', action: 'skipped', why: 'the prefix is too short' }],
    tokens: {
      'in.text.fresh': 4_000,
      'in.text.cache_read': 10_000,
      'out.text.visible': 801,
      'out.text.reasoning': 600,
    },
  },
  // A model without a price, an estimate, a path without a meter, and nobody's call.
  {
    at: '2026-11-13T11:00:00Z',
    model_asked: 'new-model',
    model_served: 'new-model',
    team: 'labs',
    tokens: { 'in.text.fresh': 900, 'out.text.visible': 100 },
  },
  {
    at: '2026-11-13T12:00:00Z',
    ...gpt,
    team: 'labs',
    outcome: 'cut',
    error_code: 'provider-cut',
    tokens: { 'in.text.fresh': 1_000, 'out.text.visible': 50 },
    usage_source: 'estimated',
    usage_quality: 'estimated',
  },
  { at: '2026-11-13T13:00:00Z', endpoint: '/v1/fine_tuning/jobs', stream: false, price_state: 'unmetered' },
  { at: '2026-11-15T23:59:59Z', ...gpt, tokens: { 'in.text.fresh': 10, 'out.text.visible': 1 } },
]

/** Every receipt of the fixture, as the journal would hold it. */
export const receipts: readonly Receipt[] = drafts.map((draft, i) =>
  Object.fromEntries(Object.entries(receiptOf(draft, i + 1)).filter(([, value]) => value !== undefined)),
) as unknown as readonly Receipt[]

/** The call with two attempts. */
export const retried = receipts.find(({ attempt }) => attempt === 2)?.call_id ?? ''

/** Writes receipts as a journal segment and appends it to a new ledger. `clear` removes the folder. */
export const ledgerFolder = async (
  all: readonly Receipt[] = receipts,
): Promise<Readonly<{ data: string; clear(): void }>> => {
  const data = mkdtempSync(join(tmpdir(), 'weir-cli-'))
  mkdirSync(join(data, 'segments'))
  const path = join(data, 'segments', 'fixture.ndjson')
  writeFileSync(path, all.map((r) => `${JSON.stringify({ k: 'receipt', r })}\n`).join(''))
  const ledger = await open({ path: join(data, 'ledger.duckdb') })
  if (all.length > 0) await ledger.append({ name: 'fixture', path })
  await ledger.close()
  return { data, clear: () => rmSync(data, { recursive: true }) }
}
