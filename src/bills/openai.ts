import {
  type Bill,
  type BillLine,
  type BillRequest,
  inputKinds,
  type Kind,
  type PieceKind,
  type TokenKind,
  tokenKinds,
} from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { type Query, rowsOf } from './pages.ts'
import { type BillRecord, countOf, dayOf, dollarsOf, lineOf, needDollars, neededText, textOf } from './record.ts'
import { readBill } from './source.ts'

const writeKinds: readonly TokenKind[] = ['cache_write', 'cache_write_1h']

const startOf = (record: BillRecord): string => dayOf(record, 'start_time', 'start_time_iso', 'date')

/** Reports that count something other than tokens, by the field in which they do. */
const pieceFields: Readonly<Record<string, PieceKind>> = { images: 'image', seconds: 'second', characters: 'character' }

const requestsOn = (record: BillRecord): bigint | null => countOf(record, 'num_model_requests')

const whoOf = (record: BillRecord) => {
  const model = neededText(record, 'model', 'a model: ask for the report grouped by model')
  const [project, key] = [textOf(record, 'project_id'), textOf(record, 'api_key_id')]
  return { day: startOf(record), project, key, model, label: model }
}

/** Moderation is free and not metered in tokens, so that its requests are what can be compared. */
const pieceOf = (record: BillRecord): PieceKind | undefined => {
  if (textOf(record, 'object') === 'organization.usage.moderations.result') return 'request'
  const field = Object.keys(pieceFields).find((name) => name in record)
  return field === undefined ? undefined : pieceFields[field]
}

const pieceLine = (record: BillRecord, kind: PieceKind): BillLine => {
  const field = Object.keys(pieceFields).find((name) => pieceFields[name] === kind)
  const requests = requestsOn(record)
  const quantity = field === undefined ? requests : countOf(record, field)
  return lineOf({ ...whoOf(record), kinds: [kind], quantity, requests: requests === null ? null : Number(requests) })
}

/**
 * `input_tokens` holds everything that went in. Where the report tells cache reads or writes apart they are taken out of
 * it; where it does not, the line counts those kinds together.
 */
const usageLines = (record: BillRecord): readonly BillLine[] => {
  const input = countOf(record, 'input_tokens') ?? 0n
  const read = countOf(record, 'input_cached_tokens')
  const write = read === null ? null : countOf(record, 'input_cache_write_tokens')
  const output = countOf(record, 'output_tokens')
  const fresh = input - (read ?? 0n) - (write ?? 0n)
  if (fresh < 0n)
    throw new WeirError(
      'bad-input',
      `input_tokens is ${input}, less than the cached and written tokens in it (${(read ?? 0n) + (write ?? 0n)})`,
    )
  const requests = requestsOn(record)
  const tier = textOf(record, 'batch') === 'true' ? 'batch' : textOf(record, 'service_tier')
  const common = { ...whoOf(record), tier }
  const inside: readonly TokenKind[] =
    read === null ? inputKinds : write === null ? ['input', ...writeKinds] : ['input']
  return [
    lineOf({ ...common, kinds: inside, quantity: fresh, requests: requests === null ? null : Number(requests) }),
    ...(read === null ? [] : [lineOf({ ...common, kinds: ['cache_read'], quantity: read })]),
    ...(write === null ? [] : [lineOf({ ...common, kinds: writeKinds, quantity: write })]),
    ...(output === null ? [] : [lineOf({ ...common, kinds: ['output'], quantity: output })]),
  ]
}

const directions: Readonly<Record<string, readonly TokenKind[]>> = {
  input: ['input'],
  'cached input': ['cache_read'],
  'cache writes': writeKinds,
  'cache write': writeKinds,
  output: ['output'],
}

/** The units of what is billed by the piece, as cost reports name them. */
const pieceUnits: readonly (readonly [RegExp, Kind])[] = [
  [/seconds?$/i, 'second'],
  [/characters?$/i, 'character'],
  [/images?$/i, 'image'],
]

/** `gpt-image-2 text, cached input`: a model, a modality where it has several, and which way the tokens went. */
const itemOf = (label: string, unit: string | null): Pick<BillLine, 'charge' | 'model' | 'kinds'> => {
  const [, name = '', direction = ''] = /^(.+?), (?:(?:text|audio|image|video) )?([\w ]+)$/.exec(label) ?? []
  const kinds = directions[direction.toLowerCase()]
  const model = name.replace(/ (text|audio|image|video)$/, '')
  if (kinds !== undefined && (unit === null || unit === 'tokens')) return { charge: 'usage', model, kinds }
  const piece = pieceUnits.find(([words]) => words.test(unit ?? ''))?.[1]
  const named = /^[a-z0-9][\w.:-]*(?=,|$)/.exec(label)?.[0]
  if (piece !== undefined && named !== undefined) return { charge: 'usage', model: named, kinds: [piece] }
  // A bare id is all of a model's tokens, as reports wrote it before they told kinds apart; words are a tool or a service.
  const bare = /^[a-z0-9][\w.:-]*$/.test(label) && (unit === null || unit === 'tokens')
  return bare ? { charge: 'usage', model: label, kinds: tokenKinds } : { charge: 'fee', model: null, kinds: [] }
}

const costLines = (record: BillRecord): readonly BillLine[] => {
  needDollars(record, 'amount.currency')
  const label = neededText(record, 'line_item', 'a line item: ask for the report grouped by line_item')
  const cost = dollarsOf(record, 'amount.value')
  if (cost === null) throw new WeirError('bad-input', 'amount.value is missing')
  const common = { day: startOf(record), project: textOf(record, 'project_id'), key: textOf(record, 'api_key_id') }
  const item = itemOf(label, textOf(record, 'quantity_unit'))
  // What gives money back is no fee, whatever it is called.
  const charge = item.charge === 'fee' && cost < 0n ? 'credit' : item.charge
  return [lineOf({ ...common, ...item, charge, cost, label })]
}

const isCost = (record: BillRecord): boolean => 'amount' in record || 'amount_value' in record || 'line_item' in record
const linesOf = (record: BillRecord): readonly BillLine[] => {
  if (isCost(record)) return costLines(record)
  const piece = pieceOf(record)
  return piece === undefined ? usageLines(record) : [pieceLine(record, piece)]
}

const seconds = (day: string): string => String(Date.parse(`${day}T00:00:00Z`) / 1000)

/** What is reported apart from completions, and by no tier. */
const otherUsage = ['embeddings', 'moderations', 'images', 'audio_speeches', 'audio_transcriptions'] as const

const queries = ({ credentials: { api_key = '' }, from, to }: BillRequest): readonly Query[] => {
  const query = (path: string, limit: string, groups: readonly string[]): Query => ({
    path,
    parameters: [
      ['start_time', seconds(from)],
      ['end_time', seconds(to)],
      ['bucket_width', '1d'],
      ['limit', limit],
      ...groups.map((group) => ['group_by[]', group] as const),
    ],
    headers: { authorization: `Bearer ${api_key}` },
  })
  const who = ['project_id', 'api_key_id', 'model']
  return [
    query('/organization/usage/completions', '31', [...who, 'batch', 'service_tier']),
    ...otherUsage.map((name) => query(`/organization/usage/${name}`, '31', who)),
    query('/organization/costs', '180', ['project_id', 'line_item', 'api_key_id']),
  ]
}

/** The organisation's usage (tokens, within minutes) and costs (the invoice's figures, a day later). */
export const bill: Bill = {
  name: 'openai',
  describes: 'organisation usage and costs, by project, key, model and kind of token',
  traits: {
    adapters: ['openai'],
    base_url: 'https://api.openai.com/v1',
    keys: [{ field: 'api_key', variables: ['OPENAI_ADMIN_KEY'] }],
    late_hours: { tokens: 1, money: 24 },
    own_names: false,
  },
  fetch: (request) => rowsOf(request, queries(request), linesOf),
  read: (paths) =>
    readBill(paths, {
      columns: [],
      recognise: (record) => isCost(record) || 'input_tokens' in record || pieceOf(record) !== undefined,
      expects: 'a usage or cost report of OpenAI (pages of the API as JSON, or its CSV)',
      lines: linesOf,
    }),
}
