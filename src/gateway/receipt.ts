import { formatUsd, type Usd } from '../core/money.ts'
import type { PriceBook } from '../core/price.ts'
import type { LeverTrace, PriceState, Receipt } from '../core/receipt.ts'
import type { Reading } from '../core/wire.ts'
import type { Answer, Attempt, Call, Given, Payer } from './call.ts'
import { blankDraft, type Draft } from './draft.ts'
import { addTraces } from './levers/traces.ts'
import type { World } from './world.ts'

/** Longest endpoint and model name on a receipt. */
const LONGEST = 200

const bounded = (text: string): string => (text.length > LONGEST ? text.slice(0, LONGEST) : text)

/** A text as it stands on a receipt. */
export const boundedOr = (text: string | undefined): string | undefined =>
  text === undefined ? undefined : bounded(text)

/** Who pays, by the fields that `Payer` has. */
const addPayer = (draft: Draft, payer: Payer): void => {
  draft.key_id = payer.key_id
  draft.team = payer.team
  draft.feature = payer.feature
  draft.customer = payer.customer
  draft.user = payer.user
  draft.environment = payer.environment
  draft.session = payer.session
  draft.step = payer.step
  draft.agent = payer.agent
  draft.tags = payer.tags
  draft.trace_id = payer.trace_id
  draft.span_id = payer.span_id
  draft.deadline_at_us = payer.deadline_at_us
  draft.deferrable = payer.deferrable
}

/** What was asked; what the answer said of the service already stays. */
const addReading = (draft: Draft, reading: Reading): void => {
  draft.model_asked = boundedOr(reading.model)
  draft.service_tier ??= reading.service_tier
  draft.speed ??= reading.speed
  draft.geo ??= reading.geo
  draft.turns = reading.turns
  draft.tool_count = reading.tool_count
  draft.max_output_asked = reading.max_output_tokens
  draft.temperature = reading.temperature
  draft.response_format = reading.response_format
}

/** The call's reservation as text: on the open line and on the receipt it is the same. */
const reservedUsd = (call: Call): Usd | undefined => {
  if (call.reserved !== undefined) call.reserved_usd ??= formatUsd(call.reserved)
  return call.reserved_usd
}

/** Why the call went elsewhere than its client asked. */
const fallBackTrace = (budget: string): LeverTrace => ({
  name: 'budget',
  action: 'acted',
  why: `the budget ${budget} had no room for the target that was asked`,
})

/** What the call itself says: who pays, which operation, what was asked. */
const addCall = (draft: Draft, call: Call): void => {
  draft.call_id = call.id
  draft.origin = 'live'
  draft.endpoint = endpointOf(call)
  draft.stream = call.reading?.stream ?? false
  draft.wire = call.wire?.name
  draft.reserved_usd = reservedUsd(call)
  draft.tenant = call.tenant
  if (call.fell_back_from !== undefined) draft.levers = [...(draft.levers ?? []), fallBackTrace(call.fell_back_from)]
  addPayer(draft, call.payer)
  if (call.reading) addReading(draft, call.reading)
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
  const draft = blankDraft()
  addCall(draft, call)
  addAttempt(draft, attempt)
  draft.ended_at_us = attempt.started_at_us
  draft.outcome = 'unknown'
  if (call.pulling?.arm) {
    draft.experiment = call.pulling.arm.experiment
    draft.arm = call.pulling.arm.arm
  }
  draft.usage_source = 'none'
  draft.price_state = openState(attempt, book)
  return draft as Receipt
}

const addAttempt = (draft: Draft, attempt: Attempt): void => {
  draft.receipt_id = attempt.receipt_id
  draft.attempt = attempt.number
  draft.started_at_us = attempt.started_at_us
  draft.provider = attempt.upstream.name
  draft.request_bytes = attempt.request_bytes
  draft.region ??= attempt.region
}

/** A clock that was set back meanwhile takes no time away: what came after the start is never before it. */
const notBefore = (started_at_us: number, at_us: number): number => Math.max(started_at_us, at_us)

const addAnswer = (draft: Draft, attempt: Attempt): void => {
  const { metered, started_at_us, first_token_at_us } = attempt
  draft.first_token_at_us = first_token_at_us && notBefore(started_at_us, first_token_at_us)
  draft.ended_at_us = notBefore(draft.first_token_at_us ?? started_at_us, attempt.ended_at_us)
  draft.response_bytes = attempt.response_bytes
  draft.http_status = attempt.status
  draft.provider_response_id = boundedOr(metered?.response_id)
  draft.model_served = boundedOr(metered?.model_served)
  draft.finish_reason = boundedOr(metered?.finish_reason)
  draft.error_code = boundedOr(metered?.error?.code)
}

/** A call that was answered without an attempt. */
const addRefusal = (draft: Draft, call: Call, { error }: Answer, { new_id, now_us }: Chance): void => {
  draft.receipt_id = new_id()
  draft.attempt = 0
  draft.started_at_us = call.started_at_us
  draft.ended_at_us = notBefore(call.started_at_us, now_us())
  draft.provider = call.upstream?.name ?? 'none'
  draft.request_bytes = call.body.length
  draft.http_status = error?.status
}

/** An answer that a lever gave: what it says of itself, and how long that took. */
const addGiven = (draft: Draft, { bytes, metered, at_us }: Given): void => {
  draft.first_token_at_us = at_us
  draft.response_bytes = bytes.length
  draft.http_status = 200
  draft.model_served = boundedOr(metered.model_served)
  draft.finish_reason = boundedOr(metered.finish_reason)
}

type Chance = Pick<World, 'new_id' | 'now_us' | 'levers'>

/** The whole receipt of an attempt, or of a call that was answered without one. What was settled becomes it. */
export const closingReceipt = (call: Call, answer: Answer, settled: Draft, world: Chance): Receipt => {
  const { attempt, error } = answer
  addCall(settled, call)
  if (attempt) {
    addAttempt(settled, attempt)
    addAnswer(settled, attempt)
  } else addRefusal(settled, call, answer, world)
  if (answer.given) addGiven(settled, answer.given)
  if (call.pulling) addTraces(settled, call, world.levers)
  if (attempt?.warning !== undefined) settled.warnings = [...(settled.warnings ?? []), attempt.warning]
  if (call.slips) settled.warnings = [...(settled.warnings ?? []), ...call.slips]
  settled.outcome = answer.outcome
  if (error) settled.error_code = error.code
  return settled as Receipt
}
