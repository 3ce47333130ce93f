/**
 * Journal lines by position in their first form (`o1`, `r1`): every field that is not packed has a place between tabs. They
 * are read and no longer written; a journal may hold some when a newer Weir starts. Nothing here changes any more.
 */
import { type ColumnKind, columns } from './columns.ts'
import type { JournalLine, Receipt, ReceiptLine } from './receipt.ts'

type Field = keyof typeof columns

const MARKS: Readonly<Record<string, JournalLine['k']>> = { o1: 'open', r1: 'receipt' }
const END = '.'
const BETWEEN = '\u001f'

const ownFields = [
  'receipt_id',
  'call_id',
  'attempt',
  'provider_response_id',
  'corrects',
  'started_at_us',
  'first_token_at_us',
  'ended_at_us',
  'origin',
  'key_id',
  'team',
  'feature',
  'customer',
  'user',
  'environment',
  'tags',
  'session',
  'step',
  'agent',
  'wire',
  'endpoint',
  'model_asked',
  'provider',
  'model_served',
  'service_tier',
  'outcome',
  'http_status',
  'input_tokens',
  'cache_read_tokens',
  'cache_write_tokens',
  'output_tokens',
  'reasoning_tokens',
  'usage_source',
  'price_state',
  'cost_usd',
  'input_cost_usd',
  'output_cost_usd',
  'fee_cost_usd',
  'list_cost_usd',
  'counterfactual_cost_usd',
  'system_tokens',
  'tools_tokens',
  'history_tokens',
  'turns',
  'request_bytes',
  'fingerprint_exact',
] as const satisfies readonly (keyof Receipt)[]

const factFields = [
  'stream',
  'region',
  'speed',
  'geo',
  'error_code',
  'finish_reason',
  'usage_quality',
  'price_book',
  'experiment',
  'arm',
  'tool_count',
  'response_format',
  'deferrable',
] as const satisfies readonly (keyof Receipt)[]

const restFields = [
  'trace_id',
  'span_id',
  'quality_score',
  'failed_checks',
  'input_fresh_tokens',
  'cache_write_1h_tokens',
  'input_tool_tokens',
  'input_audio_tokens',
  'input_image_tokens',
  'input_video_tokens',
  'output_audio_tokens',
  'output_image_tokens',
  'provider_total_tokens',
  'usage_raw',
  'warnings',
  'stated_cost_usd',
  'reserved_usd',
  'levers',
  'examples_tokens',
  'context_tokens',
  'user_tokens',
  'max_output_asked',
  'response_bytes',
  'fingerprint_template',
  'fingerprint_conversation',
  'prefix_hashes',
  'prefix_tokens',
  'deadline_at_us',
] as const satisfies readonly (keyof Receipt)[]

const readers: Readonly<Record<ColumnKind, (value: string) => unknown>> = {
  text: (value) => value,
  flag: (value) => value === 'true',
  count: Number,
  small: Number,
  score: Number,
  time: Number,
  money: (value) => value,
  hash: (value) => value,
  tags: (value) => JSON.parse(value),
  texts: (value) => JSON.parse(value),
  hashes: (value) => value.split(','),
  counts: (value) => value.split(',').map(Number),
  lines: (value) => JSON.parse(value),
  levers: (value) => JSON.parse(value),
}

const readInto = (fields: Record<string, unknown>, names: readonly Field[], values: readonly string[]): void => {
  names.forEach((name, at) => {
    const value = values[at]
    if (value !== undefined && value !== '') fields[name] = readers[columns[name]](value)
  })
}

type Meters = readonly [
  kinds: string[],
  models: string[],
  meters: string[],
  rates: (string | null)[],
  rows: (string | null)[],
]
type Amounts = readonly [quantities: number[], costs: (string | null)[]]

const readLines = (shown: string, counted: string): ReceiptLine[] => {
  const [kinds, models, names, rates, rows] = JSON.parse(shown) as Meters
  const [quantities, costs] = JSON.parse(counted) as Amounts
  return kinds.map((kind, at) => {
    const [rate_usd, cost_usd, price_row] = [rates[at], costs[at], rows[at]]
    return {
      kind,
      model: models[at],
      meter: names[at],
      quantity: quantities[at],
      ...(rate_usd && { rate_usd }),
      ...(cost_usd && { cost_usd }),
      ...(price_row && { price_row }),
    } as ReceiptLine
  })
}

const WIDTH = 1 + ownFields.length + 4

/** Is this a line of that form? */
export const isEarlierLine = (line: string): boolean => line.slice(0, 2) in MARKS && line[2] === '\t'

/** Reads one, without its end of line. Throws RangeError for one that is cut. */
export const decodeEarlierLine = (line: string): JournalLine => {
  const values = line.split('\t')
  const k = MARKS[values[0] ?? '']
  if (values.length !== WIDTH || values.at(-1) !== END || k === undefined)
    throw new RangeError('not a whole journal line')
  const [facts = '', shown = '', tail = ''] = values.slice(1 + ownFields.length)
  const [counted = '', ...rest] = tail.split(BETWEEN)
  const fields: Record<string, unknown> = {}
  readInto(fields, ownFields, values.slice(1))
  readInto(fields, factFields, facts.split(BETWEEN))
  readInto(fields, restFields, rest)
  if (shown !== '') fields['lines'] = readLines(shown, counted)
  return { k, r: fields as unknown as Receipt }
}
