/**
 * The text of a journal line. A receipt is said by position, in the columns of `layout` apart by tabs, so that a ledger
 * loads it without reading names. An open line is the same with another mark between its columns: to the ledger, which
 * does not want it, it is one long column. A receipt with a value that a position cannot hold (a control character, an
 * empty text, a million dollars) is said as JSON, `{"k":…,"r":{…}}`; both may stand in one segment.
 */
import { type ColumnKind, columns, layout, type Pack, packs } from './columns.ts'
import { decodeEarlierLine, isEarlierLine } from './earlier-line.ts'
import type { JournalLine, Receipt, ReceiptLine } from './receipt.ts'

/** What a line begins with: what it is, and the version of the layout. */
export const openMark = 'o2'
export const receiptMark = 'r2'

/** What a line ends with, so that one that was cut is known. */
export const endMark = '.'

/** Between the fields of a pack, and those of a line in `meters`. */
export const fieldMark = '\u001f'

/** Between the lines of a receipt in `meters`; between their amounts it is a semicolon. */
export const lineMark = '\u001e'

/** Between the columns of an open line, where a receipt has tabs. */
const OPEN_MARK = '\u001d'

type Field = keyof typeof columns
type Column = (typeof layout)[number]

/** Thrown inside this file only: the value has no place in a line by position. */
const noPlace = Symbol('no place')

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/
const MONEY = /^-?\d{1,6}(?:\.\d{1,12})?$/
const HASH = /^[0-9a-f]{16}$/
const HASHES = /^[0-9a-f]{16}(?:,[0-9a-f]{16})*$/
const COUNTS = /^\d{1,9}(?:,\d{1,9})*$/

type Absent = null | undefined

const text = (value: string | Absent): string => {
  if (value === undefined || value === null) return ''
  if (typeof value !== 'string' || value === '' || CONTROL.test(value)) throw noPlace
  return value
}
const whole = (value: number | Absent): string => {
  if (value === undefined || value === null) return ''
  if (!Number.isSafeInteger(value)) throw noPlace
  return String(value)
}
const finite = (value: number | Absent): string => {
  if (value === undefined || value === null) return ''
  if (!Number.isFinite(value)) throw noPlace
  return String(value)
}
const flag = (value: boolean | Absent): string => (value === undefined || value === null ? '' : String(value))
const matching =
  (pattern: RegExp) =>
  (value: string | Absent): string => {
    if (value === undefined || value === null) return ''
    if (typeof value !== 'string' || !pattern.test(value)) throw noPlace
    return value
  }
const money = matching(MONEY)
const hash = matching(HASH)
const json = (value: object | Absent): string => (value === undefined || value === null ? '' : JSON.stringify(value))

const joined = (values: readonly (string | number)[] | Absent, pattern: RegExp): string => {
  if (values === undefined || values === null) return ''
  const list = values.join(',')
  if (!pattern.test(list)) throw noPlace
  return list
}

const chainOf = ({ prefix_hashes, prefix_tokens }: Receipt): string =>
  joined(prefix_hashes, HASHES) + fieldMark + joined(prefix_tokens, COUNTS)

/** What repeats in the lines of many receipts. */
const metersOf = (lines: readonly ReceiptLine[] | Absent): string => {
  if (lines === undefined || lines === null) return ''
  if (lines.length === 0) throw noPlace
  let all = ''
  for (const { kind, model, meter, rate_usd, price_row } of lines) {
    if (all !== '') all += lineMark
    all += text(kind) + fieldMark + text(model) + fieldMark + text(meter) + fieldMark
    all += text(rate_usd) + fieldMark + text(price_row)
  }
  return all
}

/** What does not: quantity and cost of each line. */
const amountsOf = (lines: readonly ReceiptLine[] | Absent): string => {
  if (lines === undefined || lines === null) return ''
  let all = ''
  for (const { quantity, cost_usd } of lines) all += `${all === '' ? '' : ';'}${finite(quantity)},${money(cost_usd)}`
  return all
}

const after = (moment: number | Absent, started: number): string =>
  moment === undefined || moment === null ? '' : whole(moment - started)

const payerOf = (r: Receipt): string =>
  `${text(r.key_id)}\u001f${text(r.team)}\u001f${text(r.feature)}\u001f${text(r.environment)}\u001f${text(r.origin)}\u001f${text(r.agent)}\u001f${hash(r.tenant)}`

const whatOf = (r: Receipt): string =>
  `${text(r.wire)}\u001f${text(r.endpoint)}\u001f${flag(r.stream)}\u001f${text(r.model_asked)}\u001f${text(r.provider)}\u001f${text(r.model_served)}\u001f${text(r.region)}\u001f${text(r.service_tier)}\u001f${text(r.speed)}\u001f${text(r.geo)}\u001f${text(r.response_format)}\u001f${flag(r.deferrable)}`

const endedOf = (r: Receipt): string =>
  `${text(r.outcome)}\u001f${text(r.error_code)}\u001f${text(r.finish_reason)}\u001f${text(r.usage_source)}\u001f${text(r.usage_quality)}\u001f${text(r.price_state)}\u001f${text(r.price_book)}\u001f${text(r.experiment)}\u001f${text(r.arm)}`

const restOf = (r: Receipt): string =>
  `${amountsOf(r.lines)}\u001f${text(r.trace_id)}\u001f${text(r.span_id)}\u001f${finite(r.quality_score)}\u001f${json(r.failed_checks)}\u001f${whole(r.input_fresh_tokens)}\u001f${whole(r.cache_write_1h_tokens)}\u001f${whole(r.input_tool_tokens)}\u001f${whole(r.input_audio_tokens)}\u001f${whole(r.input_image_tokens)}\u001f${whole(r.input_video_tokens)}\u001f${whole(r.output_audio_tokens)}\u001f${whole(r.output_image_tokens)}\u001f${whole(r.provider_total_tokens)}\u001f${text(r.usage_raw)}\u001f${json(r.warnings)}\u001f${money(r.stated_cost_usd)}\u001f${money(r.reserved_usd)}\u001f${json(r.levers)}\u001f${whole(r.examples_tokens)}\u001f${whole(r.context_tokens)}\u001f${whole(r.user_tokens)}\u001f${whole(r.tool_count)}\u001f${whole(r.max_output_asked)}\u001f${whole(r.response_bytes)}\u001f${hash(r.fingerprint_template)}\u001f${hash(r.fingerprint_conversation)}\u001f${whole(r.deadline_at_us)}\u001f${finite(r.temperature)}`

const identityOf = (r: Receipt, m: string): string => {
  const { receipt_id, call_id, started_at_us } = r
  const call = call_id === receipt_id ? '' : text(call_id)
  return `${text(receipt_id)}${m}${call}${m}${text(r.provider_response_id)}${m}${text(r.corrects)}${m}${whole(r.attempt)}${m}${whole(started_at_us)}${m}${after(r.first_token_at_us, started_at_us)}${m}${after(r.ended_at_us, started_at_us)}`
}

const ownersOf = (r: Receipt, m: string): string =>
  `${payerOf(r)}${m}${text(r.customer)}${m}${text(r.user)}${m}${json(r.tags)}${m}${text(r.session)}${m}${whole(r.step)}`

const sumsOf = (r: Receipt, m: string): string =>
  `${whole(r.http_status)}${m}${whole(r.input_tokens)}${m}${whole(r.cache_read_tokens)}${m}${whole(r.cache_write_tokens)}${m}${whole(r.output_tokens)}${m}${whole(r.reasoning_tokens)}${m}${money(r.cost_usd)}${m}${money(r.input_cost_usd)}${m}${money(r.output_cost_usd)}${m}${money(r.fee_cost_usd)}${m}${money(r.list_cost_usd)}${m}${money(r.counterfactual_cost_usd)}`

const anatomyOf = (r: Receipt, m: string): string =>
  `${whole(r.system_tokens)}${m}${whole(r.tools_tokens)}${m}${whole(r.history_tokens)}${m}${whole(r.turns)}${m}${whole(r.request_bytes)}${m}${hash(r.fingerprint_exact)}`

/** The columns in the order of `layout`, written out because every call of a gateway comes by here twice. */
const byPosition = (k: JournalLine['k'], r: Receipt): string => {
  const m = k === 'open' ? OPEN_MARK : '\t'
  const mark = k === 'open' ? openMark : receiptMark
  return `${mark}${m}${identityOf(r, m)}${m}${ownersOf(r, m)}${m}${whatOf(r)}${m}${endedOf(r)}${m}${sumsOf(r, m)}${m}${anatomyOf(r, m)}${m}${metersOf(r.lines)}${m}${restOf(r)}${m}${chainOf(r)}${m}${endMark}\n`
}

/** A journal line, its end of line included. The mark comes first, then the receipt id, so that lines are told apart unread. */
export const encodeLine = (k: JournalLine['k'], receipt: Receipt): string => {
  try {
    return byPosition(k, receipt)
  } catch (reason) {
    if (reason !== noPlace) throw reason
    return `{"k":"${k}","r":${JSON.stringify(receipt)}}\n`
  }
}

const asIs = (value: string): string => value
const readers: Readonly<Record<ColumnKind, (value: string) => unknown>> = {
  text: asIs,
  flag: (value) => value === 'true',
  count: Number,
  small: Number,
  score: Number,
  time: Number,
  money: asIs,
  hash: asIs,
  tags: JSON.parse,
  texts: JSON.parse,
  hashes: (value) => value.split(','),
  counts: (value) => value.split(',').map(Number),
  lines: JSON.parse,
  levers: JSON.parse,
}

type Fields = Record<string, unknown>

const readField = (fields: Fields, name: Field, value: string | undefined): void => {
  if (value !== undefined && value !== '') fields[name] = readers[columns[name]](value)
}

const cut = (): RangeError => new RangeError('not a whole journal line')

const readLines = (meters: string, amounts: string): ReceiptLine[] => {
  const counted = amounts.split(';')
  return meters.split(lineMark).map((one, at) => {
    const [kind, model, meter, rate_usd, price_row] = one.split(fieldMark)
    const [quantity, cost_usd] = (counted[at] ?? '').split(',')
    return {
      kind,
      model,
      meter,
      quantity: Number(quantity),
      ...(rate_usd && { rate_usd }),
      ...(cost_usd && { cost_usd }),
      ...(price_row && { price_row }),
    } as ReceiptLine
  })
}

/** Reads the fields of a pack; gives back what stands before them. */
const readPack = (fields: Fields, pack: Pack, value: string): string => {
  const names: readonly Field[] = packs[pack]
  const values = value.split(fieldMark)
  const before = values.length - names.length
  if (before !== (pack === 'rest' ? 1 : 0)) throw cut()
  names.forEach((name, at) => {
    readField(fields, name, values[before + at])
  })
  return before > 0 ? (values[0] ?? '') : ''
}

const isPack = (column: Column): column is Extract<Column, Pack> => Object.hasOwn(packs, column)

const readColumns = (values: readonly string[]): Receipt => {
  const fields: Fields = {}
  let meters = ''
  let amounts = ''
  layout.forEach((column, at) => {
    const value = values[at] ?? ''
    if (column === 'meters') meters = value
    else if (isPack(column)) amounts += readPack(fields, column, value)
    else readField(fields, column, value)
  })
  const { started_at_us, receipt_id } = fields
  for (const name of ['first_token_at_us', 'ended_at_us'])
    if (fields[name] !== undefined) fields[name] = Number(fields[name]) + Number(started_at_us)
  if (meters !== '') fields['lines'] = readLines(meters, amounts)
  return { call_id: receipt_id, ...fields } as unknown as Receipt
}

/** Reads a line without its end of line. Throws RangeError for one that is cut or of another version, SyntaxError for bad JSON. */
export const decodeLine = (line: string): JournalLine => {
  if (line.startsWith('{')) return JSON.parse(line) as JournalLine
  if (isEarlierLine(line)) return decodeEarlierLine(line)
  const k = line.startsWith(openMark) ? 'open' : 'receipt'
  const [mark, ...values] = line.split(k === 'open' ? OPEN_MARK : '\t')
  const whole = mark === (k === 'open' ? openMark : receiptMark) && values.length === layout.length + 1
  if (!whole || values.at(-1) !== endMark) throw cut()
  return { k, r: readColumns(values) }
}

const HEAD =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: it is what an open line has in place of tabs
  /^(?:(?:o1\t|o2\u001d)([^\t\u001d]+)[\t\u001d]|(?:r1|r2)\t([^\t]+)\t|\{"k":"(open|receipt)","r":\{"receipt_id":"([^"\\]+)")/

/** What a line is and of which receipt, mostly without reading the rest; undefined for a line that cannot be read. */
export const identifyLine = (line: string): Readonly<{ k: JournalLine['k']; id: string }> | undefined => {
  const [, opened, closed, k, named] = HEAD.exec(line) ?? []
  const id = opened ?? closed
  if (id !== undefined && (line.endsWith(`\t${endMark}`) || line.endsWith(OPEN_MARK + endMark)))
    return { k: opened === undefined ? 'receipt' : 'open', id }
  if (named !== undefined) return { k: k === 'open' ? 'open' : 'receipt', id: named }
  try {
    const read = decodeLine(line)
    return { k: read.k, id: read.r.receipt_id }
  } catch {
    return undefined
  }
}
