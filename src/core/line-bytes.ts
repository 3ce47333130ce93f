/**
 * Writes journal lines as bytes, field by field into memory that is there: every call of a gateway comes by here twice, and
 * a text that is put together from two hundred pieces costs more, at once and when its pieces are swept up.
 */
import {
  type Absent,
  ascii,
  begin,
  finite,
  flag,
  hash,
  json,
  mark,
  money,
  noPlace,
  SMALL,
  text,
  whole,
  written,
} from './byte-writer.ts'
import { endMark, fieldMark, lineMark, OPEN_MARK, openMark, receiptMark } from './line-marks.ts'
import type { JournalLine, Receipt, ReceiptLine } from './receipt.ts'

const TAB = 9
const END_OF_LINE = 10
const COMMA = 44
const SEMICOLON = 59
const FIELD = fieldMark.charCodeAt(0)
const LINE = lineMark.charCodeAt(0)
const OPEN = OPEN_MARK.charCodeAt(0)

const encoder = new TextEncoder()

const hashes = (values: readonly string[] | Absent): void => {
  if (!values) return
  if (values.length === 0) throw noPlace
  for (let index = 0; index < values.length; index++) {
    if (index > 0) mark(COMMA)
    hash(values[index])
  }
}

const counts = (values: readonly number[] | Absent): void => {
  if (!values) return
  if (values.length === 0) throw noPlace
  for (let index = 0; index < values.length; index++) {
    if (index > 0) mark(COMMA)
    const value = values[index] ?? Number.NaN
    if (!(value >= 0 && value < SMALL)) throw noPlace
    whole(value)
  }
}

const chain = ({ prefix_hashes, prefix_tokens }: Receipt): void => {
  hashes(prefix_hashes)
  mark(FIELD)
  counts(prefix_tokens)
}

/** What repeats in the lines of many receipts. */
const meters = (lines: readonly ReceiptLine[] | Absent): void => {
  if (!lines) return
  if (lines.length === 0) throw noPlace
  for (let index = 0; index < lines.length; index++) {
    const line = lines[index]
    if (!line) throw noPlace
    if (index > 0) mark(LINE)
    text(line.kind)
    mark(FIELD)
    text(line.model)
    mark(FIELD)
    text(line.meter)
    mark(FIELD)
    text(line.rate_usd)
    mark(FIELD)
    text(line.price_row)
  }
}

/** What does not: quantity and cost of each line. */
const amounts = (lines: readonly ReceiptLine[] | Absent): void => {
  if (!lines) return
  for (let index = 0; index < lines.length; index++) {
    if (index > 0) mark(SEMICOLON)
    finite(lines[index]?.quantity)
    mark(COMMA)
    money(lines[index]?.cost_usd)
  }
}

/** A value and the mark behind it. */
const textThen = (value: string | Absent, m: number): void => {
  text(value)
  mark(m)
}
const wholeThen = (value: number | Absent, m: number): void => {
  whole(value)
  mark(m)
}
const moneyThen = (value: string | Absent, m: number): void => {
  money(value)
  mark(m)
}

const payer = (r: Receipt): void => {
  textThen(r.key_id, FIELD)
  textThen(r.team, FIELD)
  textThen(r.feature, FIELD)
  textThen(r.environment, FIELD)
  textThen(r.origin, FIELD)
  textThen(r.agent, FIELD)
  hash(r.tenant)
}

const what = (r: Receipt): void => {
  textThen(r.wire, FIELD)
  textThen(r.endpoint, FIELD)
  flag(r.stream)
  mark(FIELD)
  textThen(r.model_asked, FIELD)
  textThen(r.provider, FIELD)
  textThen(r.model_served, FIELD)
  textThen(r.region, FIELD)
  textThen(r.service_tier, FIELD)
  textThen(r.speed, FIELD)
  textThen(r.geo, FIELD)
  textThen(r.response_format, FIELD)
  flag(r.deferrable)
}

const ended = (r: Receipt): void => {
  textThen(r.outcome, FIELD)
  textThen(r.error_code, FIELD)
  textThen(r.finish_reason, FIELD)
  textThen(r.usage_source, FIELD)
  textThen(r.usage_quality, FIELD)
  textThen(r.price_state, FIELD)
  textThen(r.price_book, FIELD)
  textThen(r.experiment, FIELD)
  text(r.arm)
}

const restOfUsage = (r: Receipt): void => {
  wholeThen(r.input_fresh_tokens, FIELD)
  wholeThen(r.cache_write_1h_tokens, FIELD)
  wholeThen(r.input_tool_tokens, FIELD)
  wholeThen(r.input_audio_tokens, FIELD)
  wholeThen(r.input_image_tokens, FIELD)
  wholeThen(r.input_video_tokens, FIELD)
  wholeThen(r.output_audio_tokens, FIELD)
  wholeThen(r.output_image_tokens, FIELD)
  wholeThen(r.provider_total_tokens, FIELD)
  textThen(r.usage_raw, FIELD)
  json(r.warnings)
  mark(FIELD)
  moneyThen(r.stated_cost_usd, FIELD)
  moneyThen(r.reserved_usd, FIELD)
  json(r.levers)
  mark(FIELD)
}

const rest = (r: Receipt): void => {
  amounts(r.lines)
  mark(FIELD)
  textThen(r.trace_id, FIELD)
  textThen(r.span_id, FIELD)
  finite(r.quality_score)
  mark(FIELD)
  json(r.failed_checks)
  mark(FIELD)
  restOfUsage(r)
  wholeThen(r.examples_tokens, FIELD)
  wholeThen(r.context_tokens, FIELD)
  wholeThen(r.user_tokens, FIELD)
  wholeThen(r.tool_count, FIELD)
  wholeThen(r.max_output_asked, FIELD)
  wholeThen(r.response_bytes, FIELD)
  hash(r.fingerprint_template)
  mark(FIELD)
  hash(r.fingerprint_conversation)
  mark(FIELD)
  wholeThen(r.deadline_at_us, FIELD)
  finite(r.temperature)
}

/** A moment as µs after the receipt's start. */
const after = (moment: number | Absent, started: number): void => {
  if (moment !== undefined && moment !== null) whole(moment - started)
}

const identity = (r: Receipt, m: number): void => {
  textThen(r.receipt_id, m)
  if (r.call_id !== r.receipt_id) text(r.call_id)
  mark(m)
  textThen(r.provider_response_id, m)
  textThen(r.corrects, m)
  wholeThen(r.attempt, m)
  wholeThen(r.started_at_us, m)
  after(r.first_token_at_us, r.started_at_us)
  mark(m)
  after(r.ended_at_us, r.started_at_us)
  mark(m)
}

const owners = (r: Receipt, m: number): void => {
  payer(r)
  mark(m)
  textThen(r.customer, m)
  textThen(r.user, m)
  json(r.tags)
  mark(m)
  textThen(r.session, m)
  wholeThen(r.step, m)
}

const sums = (r: Receipt, m: number): void => {
  wholeThen(r.http_status, m)
  wholeThen(r.input_tokens, m)
  wholeThen(r.cache_read_tokens, m)
  wholeThen(r.cache_write_tokens, m)
  wholeThen(r.output_tokens, m)
  wholeThen(r.reasoning_tokens, m)
  moneyThen(r.cost_usd, m)
  moneyThen(r.input_cost_usd, m)
  moneyThen(r.output_cost_usd, m)
  moneyThen(r.fee_cost_usd, m)
  moneyThen(r.list_cost_usd, m)
  moneyThen(r.counterfactual_cost_usd, m)
}

const anatomy = (r: Receipt, m: number): void => {
  wholeThen(r.system_tokens, m)
  wholeThen(r.tools_tokens, m)
  wholeThen(r.history_tokens, m)
  wholeThen(r.turns, m)
  wholeThen(r.request_bytes, m)
  hash(r.fingerprint_exact)
  mark(m)
}

/** The columns in the order of `layout`. */
const byPosition = (k: JournalLine['k'], r: Receipt): void => {
  const m = k === 'open' ? OPEN : TAB
  ascii(k === 'open' ? openMark : receiptMark)
  mark(m)
  identity(r, m)
  owners(r, m)
  what(r)
  mark(m)
  ended(r)
  mark(m)
  sums(r, m)
  anatomy(r, m)
  meters(r.lines)
  mark(m)
  rest(r)
  mark(m)
  chain(r)
  mark(m)
  ascii(endMark)
  mark(END_OF_LINE)
}

/**
 * Writes a journal line with its end of line into `into`, from the byte `start` on; returns the byte after it, or -1 where
 * there is no room. The mark comes first, then the receipt id, so that lines are told apart unread.
 */
export const writeLine = (k: JournalLine['k'], receipt: Receipt, into: Uint8Array, start: number): number => {
  begin(into, start)
  try {
    byPosition(k, receipt)
  } catch (reason) {
    if (reason !== noPlace) throw reason
    const line = encoder.encode(`{"k":"${k}","r":${JSON.stringify(receipt)}}\n`)
    if (start + line.length > into.length) return -1
    into.set(line, start)
    return start + line.length
  }
  const end = written()
  return end <= into.length ? end : -1
}
