import { beginsWithDay } from '../../core/date.ts'
import { WeirError } from '../../core/errors.ts'
import type { ImportOptions } from '../../core/importer.ts'
import { labelOf } from '../../core/label.ts'
import { type Outcome, outcomes, type Receipt } from '../../core/receipt.ts'
import type { Bucket, ServiceTier } from '../../core/usage.ts'
import type { ImportedCall } from '../receipt.ts'
import { isCount } from '../source.ts'

export type CallRow = Readonly<Record<string, unknown>>

/** Fields of a row that are text on the receipt as they stand. */
const textFields = [
  'team',
  'feature',
  'customer',
  'user',
  'environment',
  'session',
  'agent',
  'key_id',
  'finish_reason',
  'error_code',
  'provider_response_id',
  'region',
  'fingerprint_exact',
  'fingerprint_template',
  'fingerprint_conversation',
] as const satisfies readonly (keyof Receipt)[]

/** Token counts, each its own class: none includes another, but `input_tokens` and `output_tokens` include all of theirs. */
const bucketFields = {
  cache_read_tokens: 'in.text.cache_read',
  cache_write_tokens: 'in.text.cache_write',
  cache_write_5m_tokens: 'in.text.cache_write_5m',
  cache_write_1h_tokens: 'in.text.cache_write_1h',
  reasoning_tokens: 'out.text.reasoning',
} as const satisfies Readonly<Record<string, Bucket>>

const otherFields = [
  'started_at',
  'ended_at',
  'duration_ms',
  'ttft_ms',
  'model',
  'provider',
  'endpoint',
  'outcome',
  'stream',
  'input_tokens',
  'output_tokens',
  'service_tier',
  'stated_cost_usd',
]

/** Every field that `--columns` can name. */
export const callFields: readonly string[] = [...otherFields, ...Object.keys(bucketFields), ...textFields]

const columnOf = (field: string, options: ImportOptions): string => options.columns[field] ?? field

const suggestion = (columns: readonly string[]) => `The file has the columns ${columns.join(', ')}.`

const needed = ['started_at', 'input_tokens', 'output_tokens'] as const

/** The columns that must be somewhere in a file: those that the mapping names, and those without which no row is a call. */
export const wantedColumns = (options: ImportOptions): readonly string[] => [
  ...Object.values(options.columns),
  ...needed.map((field) => columnOf(field, options)),
  ...(['model', 'provider'] as const).flatMap((field) =>
    options[field] === undefined ? [columnOf(field, options)] : [],
  ),
]

/** Throws WeirError `bad-input` when the mapping names a field or column that does not exist, or leaves out what is needed. */
export const checkColumns = (path: string, columns: readonly string[], options: ImportOptions): void => {
  for (const [field, column] of Object.entries(options.columns)) {
    if (!callFields.includes(field) && !field.startsWith('tag:'))
      throw new WeirError(
        'bad-input',
        `--columns ${field}=…: no such field. Fields: ${callFields.join(', ')}, tag:NAME.`,
      )
    if (!columns.includes(column))
      throw new WeirError('bad-input', `${path}: --columns ${field}=${column}: no such column. ${suggestion(columns)}`)
  }
  const read = [...callFields.map((field) => columnOf(field, options)), ...Object.values(options.columns)]
  const twice = columns.find((column, at) => columns.indexOf(column) < at && read.includes(column))
  if (twice !== undefined)
    throw new WeirError('bad-input', `${path}: the column ${twice} comes twice: give one of them another name.`)
  const has = (field: string) => columns.includes(columnOf(field, options))
  for (const field of needed)
    if (!has(field))
      throw new WeirError(
        'bad-input',
        `${path}: no column for ${field}: add --columns ${field}=COLUMN. ${suggestion(columns)}`,
      )
  if (!has('model') && options.model === undefined)
    throw new WeirError('bad-input', `${path}: no column for model: add --columns model=COLUMN or --model NAME.`)
  if (!has('provider') && options.provider === undefined)
    throw new WeirError(
      'bad-input',
      `${path}: no column for provider: add --columns provider=COLUMN or --provider NAME.`,
    )
}

type Read = (field: string) => unknown

const present = (value: unknown): boolean => value !== undefined && value !== null && value !== ''

const textOf = (value: unknown): string | undefined => (present(value) ? labelOf(String(value)) : undefined)

/** An amount of US dollars that a ledger keeps; no call cost a million. */
const isAmount = (text: string): boolean => /^\d+(\.\d+)?(e-?\d{1,2})?$/i.test(text) && Number(text) < 1e6

/** No call was made before; a smaller number is a day written as 20261101, a spreadsheet's, or none. */
const EARLIEST_US = Date.UTC(2000, 0) * 1000

/**
 * A moment as µs since the epoch: a number below 1e11 is seconds, below 1e14 milliseconds, else microseconds; text is a
 * date, read as UTC when it names no zone, with its fraction of a second kept to the microsecond.
 */
export const parseMoment = (value: unknown): number | undefined => {
  const us = microseconds(value)
  return us === undefined || us < EARLIEST_US ? undefined : us
}

const microseconds = (value: unknown): number | undefined => {
  const number = typeof value === 'number' ? value : /^\d+(\.\d+)?$/.test(String(value)) ? Number(value) : undefined
  if (number !== undefined) {
    const us = Math.round(number < 1e11 ? number * 1e6 : number < 1e14 ? number * 1e3 : number)
    return isCount(us) ? us : undefined
  }
  const match = /^(\d{4}-\d{2}-\d{2})(?:[T ](\d{2}:\d{2}(?::\d{2})?)(?:\.(\d+))?)?\s*(Z|[+-]\d{2}:?\d{2})?$/.exec(
    String(value),
  )
  if (!match) return undefined
  const [, date = '', time = '00:00', fraction = '', zone = 'Z'] = match
  const whole = Date.parse(`${date}T${time}${zone}`)
  return Number.isNaN(whole) || !beginsWithDay(date)
    ? undefined
    : whole * 1000 + Number(fraction.padEnd(6, '0').slice(0, 6))
}

const parseCount = (value: unknown): number | undefined => {
  const number = present(value) ? Number(value) : 0
  return isCount(number) ? number : undefined
}

const tiers: readonly ServiceTier[] = ['standard', 'flex', 'priority', 'batch']
/** Other words of providers for one of them. */
const tierWords: Readonly<Record<string, ServiceTier>> = {
  default: 'standard',
  on_demand: 'standard',
  fast: 'priority',
}

/** How the call was served and what it is said to have cost, or a sentence that says what is neither. */
const chargeOf = (read: Read) => {
  const said = textOf(read('service_tier'))?.toLowerCase()
  const service_tier = said === undefined ? undefined : (tierWords[said] ?? tiers.find((tier) => tier === said))
  if (said !== undefined && service_tier === undefined)
    return `service_tier ${JSON.stringify(said)} is none of ${tiers.join(', ')}`
  const cost = textOf(read('stated_cost_usd'))
  if (cost !== undefined && !isAmount(cost)) return `stated_cost_usd is no amount: ${JSON.stringify(cost)}`
  return {
    ...(service_tier !== undefined && service_tier !== 'standard' && { service_tier }),
    ...(cost !== undefined && { stated_usd: cost }),
  }
}

/** Token classes of a row, or a sentence that says which count is wrong. */
const usageOf = (read: Read): Partial<Record<Bucket, number>> | string => {
  const usage: Partial<Record<Bucket, number>> = {}
  let inside = { in: 0, out: 0 }
  for (const [field, bucket] of Object.entries(bucketFields)) {
    const tokens = parseCount(read(field))
    if (tokens === undefined) return `${field} is not a whole count: ${JSON.stringify(read(field))}`
    if (tokens > 0) usage[bucket] = tokens
    inside = bucket.startsWith('in.') ? { ...inside, in: inside.in + tokens } : { ...inside, out: inside.out + tokens }
  }
  for (const [field, bucket, counted] of [
    ['input_tokens', 'in.text.fresh', inside.in],
    ['output_tokens', 'out.text.visible', inside.out],
  ] as const) {
    const total = parseCount(read(field))
    if (total === undefined) return `${field} is not a whole count: ${JSON.stringify(read(field))}`
    if (total < counted) return `${field} (${total}) is less than the classes it includes (${counted})`
    usage[bucket] = total - counted
  }
  return usage
}

/** µs of a length in milliseconds; undefined where none is said, NaN where it is none. */
const lengthOf = (value: unknown): number | undefined => {
  if (!present(value)) return undefined
  const us = Math.round(Number(value) * 1000)
  return isCount(us) ? us : Number.NaN
}

/** When the call started, had its first token and ended, or a sentence that says which cannot be. */
const timesOf = (read: Read) => {
  const started_at_us = parseMoment(read('started_at'))
  if (started_at_us === undefined) return `started_at is not a time: ${JSON.stringify(read('started_at'))}`
  const [duration, first] = [lengthOf(read('duration_ms')), lengthOf(read('ttft_ms'))]
  for (const [field, length] of [['duration_ms', duration] as const, ['ttft_ms', first] as const])
    if (Number.isNaN(length)) return `${field} is not a length of time: ${JSON.stringify(read(field))}`
  const said = read('ended_at')
  const ended = present(said) ? parseMoment(said) : started_at_us + (duration ?? 0)
  if (ended === undefined) return `ended_at is not a time: ${JSON.stringify(said)}`
  if (ended < started_at_us) return `ended_at is before started_at: ${JSON.stringify(said)}`
  return {
    started_at_us,
    ended_at_us: ended,
    ...(first !== undefined && { first_token_at_us: started_at_us + first }),
  }
}

const textsOf = (row: CallRow, read: Read, options: ImportOptions): Partial<Receipt> => {
  const named = textFields
    .map((field) => [field, textOf(read(field))] as const)
    .filter(([, value]) => value !== undefined)
  const tags = Object.entries(options.columns)
    .filter(([field, column]) => field.startsWith('tag:') && textOf(row[column]) !== undefined)
    .map(([field, column]) => [field.slice('tag:'.length), textOf(row[column])])
  return { ...Object.fromEntries(named), ...(tags.length > 0 && { tags: Object.fromEntries(tags) }) }
}

/** The call on a row, or a sentence that says what is wrong with it. */
export const callOf = (row: CallRow, options: ImportOptions): Omit<ImportedCall, 'identity' | 'origin'> | string => {
  const read: Read = (field) => row[columnOf(field, options)]
  const times = timesOf(read)
  if (typeof times === 'string') return times
  const usage = usageOf(read)
  if (typeof usage === 'string') return usage
  const charge = chargeOf(read)
  if (typeof charge === 'string') return charge
  const model = textOf(read('model')) ?? options.model
  const provider = textOf(read('provider')) ?? options.provider
  if (model === undefined || provider === undefined) return 'model or provider is empty'
  const outcome = present(read('outcome')) ? String(read('outcome')) : 'ok'
  if (!outcomes.includes(outcome as Outcome))
    return `outcome ${JSON.stringify(outcome)} is none of ${outcomes.join(', ')}`
  return {
    provider,
    model,
    endpoint: textOf(read('endpoint')) ?? 'chat',
    stream: ['true', '1'].includes(String(read('stream') ?? '').toLowerCase()),
    ...times,
    usage,
    ...charge,
    columns: { outcome: outcome as Outcome, ...textsOf(row, read, options) },
  }
}
