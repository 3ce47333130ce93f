/**
 * Seeded receipts of an invented company: teams, features, sessions with growing context, failures. Their widths are those of
 * what the gateway writes in `npm run demo`: ids of 36 characters, the usage object of each API whole, five or six prefixes.
 */

import { chance } from '../../src/core/chance.ts'
import type { Usd } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'

const models = [
  { provider: 'openai', wire: 'openai-chat', endpoint: 'chat', model: 'gpt-5.6', input: 1.25, read: 0.125, output: 10 },
  {
    provider: 'openai',
    wire: 'openai-responses',
    endpoint: 'responses',
    model: 'gpt-5.6-mini',
    input: 0.25,
    read: 0.025,
    output: 2,
  },
  {
    provider: 'anthropic',
    wire: 'anthropic-messages',
    endpoint: 'messages',
    model: 'claude-sonnet-5',
    input: 3,
    read: 0.3,
    output: 15,
  },
  {
    provider: 'anthropic',
    wire: 'anthropic-messages',
    endpoint: 'messages',
    model: 'claude-haiku-5',
    input: 1,
    read: 0.1,
    output: 5,
  },
  {
    provider: 'google',
    wire: 'gemini',
    endpoint: 'generate',
    model: 'gemini-3-flash',
    input: 0.3,
    read: 0.03,
    output: 2.5,
  },
] as const

const teams = Array.from({ length: 24 }, (_, at) => `team-${at}`)
const features = Array.from({ length: 60 }, (_, at) => `feature-${at}`)
const DAY_US = 86_400_000_000
const hex = (next: () => number) =>
  Math.floor(next() * 0xffffffff)
    .toString(16)
    .padStart(8, '0') +
  Math.floor(next() * 0xffffffff)
    .toString(16)
    .padStart(8, '0')
const usd = (picodollars: number): Usd => {
  const text = Math.round(picodollars).toString().padStart(13, '0')
  const fraction = text.slice(-12).replace(/0+$/, '')
  return `${text.slice(0, -12)}${fraction ? `.${fraction}` : ''}` as Usd
}

/** The usage object as the API of that wire sends it. */
const usageRaw = (wire: string, input: number, read: number, output: number, reasoning: number): string => {
  if (wire === 'anthropic-messages')
    return `{"input_tokens":${input - read},"cache_creation_input_tokens":0,"cache_read_input_tokens":${read},"cache_creation":{"ephemeral_5m_input_tokens":0,"ephemeral_1h_input_tokens":0},"service_tier":"standard","inference_geo":"not_available","output_tokens":${output}}`
  if (wire === 'gemini')
    return `{"promptTokenCount":${input},"cachedContentTokenCount":${read},"candidatesTokenCount":${output - reasoning},"thoughtsTokenCount":${reasoning},"totalTokenCount":${input + output},"promptTokensDetails":[{"modality":"TEXT","tokenCount":${input}}]}`
  return `{"prompt_tokens":${input},"completion_tokens":${output},"total_tokens":${input + output},"prompt_tokens_details":{"cached_tokens":${read},"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":${reasoning},"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}`
}

/** What an open line says of the same attempt: all that is known before it is dispatched. */
export const opened = (receipt: Receipt): Receipt => ({
  ...receipt,
  ended_at_us: receipt.started_at_us,
  outcome: 'unknown',
  price_state: 'none',
  usage_source: 'none',
  ...missing,
})

const missing = Object.fromEntries(
  [
    'provider_response_id first_token_at_us model_served http_status finish_reason input_fresh_tokens cache_read_tokens',
    'output_tokens reasoning_tokens provider_total_tokens lines usage_raw usage_quality input_cost_usd output_cost_usd',
    'fee_cost_usd list_cost_usd counterfactual_cost_usd response_bytes',
  ].flatMap((names) => names.split(' ').map((name) => [name, undefined])),
)

export type Traffic = Readonly<{ seed: number; receipts: number; from_us: number; days: number }>

/** Receipts in the order of time, evenly over the days, with 40,000 sessions interleaved. */
export function* traffic({ seed, receipts, from_us, days }: Traffic): Generator<Receipt> {
  const next = chance(seed)
  const pick = <T>(items: readonly T[]): T => items[Math.floor(next() * next() * items.length)] as T
  type Session = {
    id: string
    team: string
    feature: string
    at: number
    turn: number
    history: number
    chain: string[]
    sizes: number[]
    template: string
    longest: number
  }
  const open = (): Session => ({
    id: hex(next),
    team: pick(teams),
    feature: pick(features),
    at: Math.floor(next() * models.length),
    turn: 0,
    history: 0,
    chain: [hex(next)],
    sizes: [1200 + Math.floor(next() * 4000)],
    template: hex(next),
    longest: 3 + Math.floor(next() * 12),
  })
  const sessions = Array.from({ length: 40_000 }, open)
  for (let number = 0; number < receipts; number += 1) {
    const slot = Math.floor(next() * sessions.length)
    let session = sessions[slot] as Session
    if (session.turn >= session.longest) {
      session = open()
      sessions[slot] = session
    }
    yield receiptOf(session, number, Math.floor(from_us + (number / receipts) * days * DAY_US), next)
  }
}

function receiptOf(
  session: {
    id: string
    team: string
    feature: string
    at: number
    turn: number
    history: number
    chain: string[]
    sizes: number[]
    template: string
    longest: number
  },
  number: number,
  started: number,
  next: () => number,
): Receipt {
  const price = models[session.at] as (typeof models)[number]
  session.turn += 1
  const system = session.sizes[0] as number
  const user = 40 + Math.floor(next() * 400)
  const prior = session.turn > 1 ? (session.sizes[session.sizes.length - 1] as number) : 0
  const input = system + session.history + user
  const read = session.turn > 1 && next() < 0.6 ? prior : 0
  const fresh = input - read
  const reasoning = next() < 0.4 ? Math.floor(next() * 800) : 0
  const output = 30 + Math.floor(next() * next() * 1500) + reasoning
  session.chain.push(hex(next))
  session.sizes.push(input)
  const prompt = fresh * price.input * 1e6 + read * price.read * 1e6
  const answer = output * price.output * 1e6
  const failed = next() < 0.02
  const wait = 200_000 + Math.floor(next() * 900_000)
  const lasts = wait + output * 9000
  const id = `${started.toString(16).padStart(14, '0')}-${number.toString(16).padStart(8, '0')}-${session.template.slice(0, 8)}`
  const lines = [
    {
      kind: 'message',
      model: price.model,
      meter: 'in.text.fresh',
      quantity: fresh,
      rate_usd: String(price.input),
      cost_usd: usd(fresh * price.input * 1e6),
      price_row: `${price.provider}/${price.model}@2026-06-01`,
    },
    ...(read
      ? [
          {
            kind: 'message',
            model: price.model,
            meter: 'in.text.cache_read',
            quantity: read,
            rate_usd: String(price.read),
            cost_usd: usd(read * price.read * 1e6),
            price_row: `${price.provider}/${price.model}@2026-06-01`,
          } as const,
        ]
      : []),
    {
      kind: 'message',
      model: price.model,
      meter: 'out.text.visible',
      quantity: output - reasoning,
      rate_usd: String(price.output),
      cost_usd: usd((output - reasoning) * price.output * 1e6),
      price_row: `${price.provider}/${price.model}@2026-06-01`,
    },
    ...(reasoning
      ? [
          {
            kind: 'message',
            model: price.model,
            meter: 'out.text.reasoning',
            quantity: reasoning,
            rate_usd: String(price.output),
            cost_usd: usd(reasoning * price.output * 1e6),
            price_row: `${price.provider}/${price.model}@2026-06-01`,
          } as const,
        ]
      : []),
  ] as const
  const receipt: Receipt = {
    receipt_id: id,
    call_id: `${id.slice(0, -2)}-c`,
    attempt: 1,
    provider_response_id: `resp_${session.id}${session.template.slice(0, 6)}${number.toString().padStart(9, '0')}`,
    origin: 'live',
    started_at_us: started,
    first_token_at_us: started + wait,
    ended_at_us: started + lasts,
    key_id: `key-${session.team}`,
    team: session.team,
    feature: session.feature,
    ...(number % 3 ? { customer: `customer-${number % 500}` } : {}),
    ...(number % 8 < 5 ? { user: `user-${number % 4000}` } : {}),
    environment: 'production',
    ...(number % 5 ? {} : { tags: { cell: `cell-${number % 7}` } }),
    session: session.id,
    step: session.turn,
    wire: price.wire,
    endpoint: price.endpoint,
    stream: number % 2 === 0,
    model_asked: price.model,
    provider: price.provider,
    model_served: price.model,
    service_tier: 'standard',
    outcome: failed ? 'error' : 'ok',
    http_status: failed ? 500 : 200,
    finish_reason: 'stop',
    input_tokens: input,
    input_fresh_tokens: fresh,
    cache_read_tokens: read,
    output_tokens: output,
    reasoning_tokens: reasoning,
    provider_total_tokens: input + output,
    lines,
    usage_raw: usageRaw(price.wire, input, read, output, reasoning),
    usage_source: 'provider',
    usage_quality: 'exact',
    price_state: 'priced',
    cost_usd: usd(prompt + answer),
    input_cost_usd: usd(prompt),
    output_cost_usd: usd(answer),
    fee_cost_usd: usd(0),
    list_cost_usd: usd(prompt + answer),
    counterfactual_cost_usd: usd(input * price.input * 1e6 + answer),
    reserved_usd: usd(prompt + 4096 * price.output * 1e6),
    price_book: 'f65e69dff4bb',
    system_tokens: Math.floor(system * 0.4),
    tools_tokens: system - Math.floor(system * 0.4),
    history_tokens: session.history,
    user_tokens: user,
    turns: session.turn,
    tool_count: 6,
    request_bytes: input * 4,
    response_bytes: output * 5,
    fingerprint_exact: session.chain[session.chain.length - 1] as string,
    fingerprint_template: session.template,
    fingerprint_conversation: session.id,
    prefix_hashes: session.chain.slice(),
    prefix_tokens: session.sizes.slice(),
  }
  session.history += user + output
  return receipt
}
