import { formatUsd } from '../core/money.ts'
import type { PriceBook } from '../core/price.ts'
import type { PriceState, Receipt } from '../core/receipt.ts'
import type { Answer, Attempt, Call } from './call.ts'

/** Longest endpoint and model name on a receipt. */
const LONGEST = 200

const bounded = (text: string): string => (text.length > LONGEST ? text.slice(0, LONGEST) : text)

/** Fields of a receipt while it is made; what is undefined is left out of the journal. */
export type Draft = { -readonly [Field in keyof Receipt]?: Receipt[Field] | undefined }

/** What the call itself says: who pays, which operation, what was asked. */
const callFields = (call: Call): Draft => {
  const { payer, reading, wire } = call
  return {
    call_id: call.id,
    origin: 'live',
    trace_id: payer.trace_id,
    span_id: payer.span_id,
    key_id: payer.key_id,
    team: payer.team,
    feature: payer.feature,
    customer: payer.customer,
    user: payer.user,
    environment: payer.environment,
    tags: payer.tags,
    session: payer.session,
    step: payer.step,
    agent: payer.agent,
    wire: wire?.name,
    endpoint: reading?.endpoint ?? bounded(call.path),
    stream: reading?.stream ?? false,
    model_asked: reading?.model === undefined ? undefined : bounded(reading.model),
    service_tier: reading?.service_tier,
    speed: reading?.speed,
    geo: reading?.geo,
    reserved_usd: call.reserved === undefined ? undefined : formatUsd(call.reserved),
    turns: reading?.turns,
    tool_count: reading?.tool_count,
    max_output_asked: reading?.max_output_tokens,
    response_format: reading?.response_format,
    deadline_at_us: payer.deadline_at_us,
    deferrable: payer.deferrable,
  }
}

/** Without an end in sight: a reservation at real prices stands for the cost, one at the ceiling does not. */
const openState = ({ reading, upstream, model }: Attempt, book: PriceBook): PriceState => {
  if (!reading) return 'unmetered'
  if (!reading.billable) return 'none'
  return book.rows(upstream.price_as, model ?? '').length > 0 ? 'priced' : 'unpriced'
}

/** What an `unknown` receipt would say: written before the attempt is dispatched. */
export const openingReceipt = (call: Call, attempt: Attempt, book: PriceBook): Receipt =>
  ({
    receipt_id: attempt.receipt_id,
    attempt: attempt.number,
    started_at_us: attempt.started_at_us,
    ended_at_us: attempt.started_at_us,
    ...callFields(call),
    provider: attempt.upstream.name,
    region: attempt.region,
    outcome: 'unknown',
    request_bytes: attempt.request_bytes,
    usage_source: 'none',
    price_state: openState(attempt, book),
  }) as Receipt

const attemptFields = (attempt: Attempt): Draft => {
  const { metered } = attempt
  return {
    attempt: attempt.number,
    provider_response_id: metered?.response_id === undefined ? undefined : bounded(metered.response_id),
    started_at_us: attempt.started_at_us,
    first_token_at_us: attempt.first_token_at_us,
    ended_at_us: attempt.ended_at_us,
    provider: attempt.upstream.name,
    model_served: metered?.model_served === undefined ? undefined : bounded(metered.model_served),
    region: attempt.region,
    http_status: attempt.status,
    finish_reason: metered?.finish_reason === undefined ? undefined : bounded(metered.finish_reason),
    request_bytes: attempt.request_bytes,
    response_bytes: attempt.response_bytes,
  }
}

/** The whole receipt of an attempt, or of a call that was answered without one. `ids` is used where no attempt has one. */
export const closingReceipt = (
  call: Call,
  answer: Answer,
  settled: Draft,
  ids: { new_id(): string; now_us(): number },
): Receipt => {
  const { attempt, error } = answer
  const none: Draft = {
    attempt: 0,
    started_at_us: call.started_at_us,
    ended_at_us: ids.now_us(),
    provider: call.upstream?.name ?? 'none',
    http_status: error?.status,
    request_bytes: call.body.length,
  }
  return {
    receipt_id: attempt?.receipt_id ?? ids.new_id(),
    ...callFields(call),
    ...(attempt ? attemptFields(attempt) : none),
    outcome: answer.outcome,
    error_code: error?.code ?? (attempt?.metered?.error ? bounded(attempt.metered.error.code) : undefined),
    ...settled,
  } as Receipt
}
