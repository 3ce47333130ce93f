import { formatUsd } from '../core/money.ts'
import type { PriceBook } from '../core/price.ts'
import type { PriceState, Receipt } from '../core/receipt.ts'
import type { Answer, Attempt, Call } from './call.ts'
import type { World } from './world.ts'

/** Longest endpoint and model name on a receipt. */
const LONGEST = 200

const bounded = (text: string): string => (text.length > LONGEST ? text.slice(0, LONGEST) : text)

/** Fields of a receipt while it is made; what is undefined is left out of the journal. */
export type Draft = { -readonly [Field in keyof Receipt]?: Receipt[Field] | undefined }

/** Sets a field that is known. Fields that are not known stay away, so that nothing is written that says nothing. */
const set = <Field extends keyof Draft>(draft: Draft, field: Field, value: Draft[Field]): void => {
  if (value !== undefined) draft[field] = value
}

/** What the call itself says: who pays, which operation, what was asked. */
const addCall = (draft: Draft, call: Call): void => {
  const { reading, wire, reserved } = call
  Object.assign(draft, call.payer)
  if (wire) draft.wire = wire.name
  if (reserved !== undefined) draft.reserved_usd = formatUsd(reserved)
  if (!reading) return
  set(draft, 'model_asked', reading.model === undefined ? undefined : bounded(reading.model))
  set(draft, 'service_tier', reading.service_tier)
  set(draft, 'speed', reading.speed)
  set(draft, 'geo', reading.geo)
  set(draft, 'turns', reading.turns)
  set(draft, 'tool_count', reading.tool_count)
  set(draft, 'max_output_asked', reading.max_output_tokens)
  set(draft, 'response_format', reading.response_format)
}

const endpointOf = (call: Call): string => call.reading?.endpoint ?? bounded(call.path)

/** Without an end in sight: a reservation at real prices stands for the cost, one at the ceiling does not. */
const openState = ({ reading, upstream, model }: Attempt, book: PriceBook): PriceState => {
  if (!reading) return 'unmetered'
  if (!reading.billable) return 'none'
  return book.rows(upstream.price_as, model ?? '').length > 0 ? 'priced' : 'unpriced'
}

/** What an `unknown` receipt would say: written before the attempt is dispatched. */
export const openingReceipt = (call: Call, attempt: Attempt, book: PriceBook): Receipt => {
  const draft: Draft = {
    receipt_id: attempt.receipt_id,
    call_id: call.id,
    attempt: attempt.number,
    origin: 'live',
    started_at_us: attempt.started_at_us,
    ended_at_us: attempt.started_at_us,
    endpoint: endpointOf(call),
    stream: call.reading?.stream ?? false,
    provider: attempt.upstream.name,
    outcome: 'unknown',
    request_bytes: attempt.request_bytes,
    usage_source: 'none',
    price_state: openState(attempt, book),
  }
  set(draft, 'region', attempt.region)
  addCall(draft, call)
  return draft as Receipt
}

const addAttempt = (draft: Draft, { metered, first_token_at_us, region, status }: Attempt): void => {
  set(draft, 'first_token_at_us', first_token_at_us)
  set(draft, 'region', region)
  set(draft, 'http_status', status)
  if (metered?.response_id !== undefined) draft.provider_response_id = bounded(metered.response_id)
  if (metered?.model_served !== undefined) draft.model_served = bounded(metered.model_served)
  if (metered?.finish_reason !== undefined) draft.finish_reason = bounded(metered.finish_reason)
  if (metered?.error) draft.error_code = bounded(metered.error.code)
}

/** The whole receipt of an attempt, or of a call that was answered without one. */
export const closingReceipt = (
  call: Call,
  answer: Answer,
  settled: Draft,
  world: Pick<World, 'new_id' | 'now_us'>,
): Receipt => {
  const { attempt, error } = answer
  const draft: Draft = {
    receipt_id: attempt?.receipt_id ?? world.new_id(),
    call_id: call.id,
    attempt: attempt?.number ?? 0,
    origin: 'live',
    started_at_us: attempt?.started_at_us ?? call.started_at_us,
    ended_at_us: attempt?.ended_at_us ?? world.now_us(),
    endpoint: endpointOf(call),
    stream: call.reading?.stream ?? false,
    provider: (attempt?.upstream ?? call.upstream)?.name ?? 'none',
    outcome: answer.outcome,
    request_bytes: attempt?.request_bytes ?? call.body.length,
  }
  addCall(draft, call)
  if (attempt) {
    draft.response_bytes = attempt.response_bytes
    addAttempt(draft, attempt)
  } else set(draft, 'http_status', error?.status)
  set(draft, 'error_code', error?.code)
  return Object.assign(draft, settled) as Receipt
}
