import type { Bill, BillLine, BillRequest, TokenKind } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { type Query, rowsOf } from './pages.ts'
import { type BillRecord, countOf, dayOf, dollarsOf, lineOf, needDollars, neededText, textOf } from './record.ts'
import { readBill } from './source.ts'

/** The report's fields, which are the cost report's `token_type` too. */
const fields: Readonly<Record<string, TokenKind>> = {
  uncached_input_tokens: 'input',
  cache_read_input_tokens: 'cache_read',
  'cache_creation.ephemeral_5m_input_tokens': 'cache_write',
  'cache_creation.ephemeral_1h_input_tokens': 'cache_write_1h',
  output_tokens: 'output',
}

/** The default workspace has no id. */
const workspaceOf = (record: BillRecord): string => textOf(record, 'workspace_id') ?? 'default'

const usageLines = (record: BillRecord): readonly BillLine[] => {
  const model = neededText(record, 'model', 'a model: ask for the report grouped by model')
  const common = {
    day: dayOf(record, 'starting_at'),
    project: workspaceOf(record),
    key: textOf(record, 'api_key_id'),
    model,
    tier: textOf(record, 'service_tier'),
    label: model,
  }
  return Object.entries(fields).flatMap(([field, kind]) => {
    const quantity = countOf(record, field)
    return quantity === null || quantity === 0n ? [] : [lineOf({ ...common, kinds: [kind], quantity })]
  })
}

/** Amounts are cents, as a decimal text. What is no tokens (searches, code execution, sessions) is a fee. */
const costLines = (record: BillRecord): readonly BillLine[] => {
  needDollars(record, 'currency')
  const cost = dollarsOf(record, 'amount', -2)
  if (cost === null) throw new WeirError('bad-input', 'amount is missing')
  const label = neededText(record, 'description', 'a description: ask for the report grouped by description')
  const common = { day: dayOf(record, 'starting_at'), project: workspaceOf(record), cost, label }
  const type = textOf(record, 'cost_type')
  if (type !== null && type !== 'tokens') return [lineOf({ ...common, charge: 'fee' })]
  const token_type = neededText(record, 'token_type', 'a kind of token')
  const kind = fields[token_type]
  if (kind === undefined)
    throw new WeirError(
      'bad-input',
      `token_type ${JSON.stringify(token_type)} is none of ${Object.keys(fields).join(', ')}`,
    )
  return [
    lineOf({ ...common, model: neededText(record, 'model'), tier: textOf(record, 'service_tier'), kinds: [kind] }),
  ]
}

const isCost = (record: BillRecord): boolean => 'amount' in record
const linesOf = (record: BillRecord): readonly BillLine[] => (isCost(record) ? costLines(record) : usageLines(record))

const queries = ({ credentials: { api_key = '' }, from, to }: BillRequest): readonly Query[] => {
  const query = (path: string, groups: readonly string[]): Query => ({
    path,
    parameters: [
      ['starting_at', `${from}T00:00:00Z`],
      ['ending_at', `${to}T00:00:00Z`],
      ['bucket_width', '1d'],
      ['limit', '31'],
      ...groups.map((group) => ['group_by[]', group] as const),
    ],
    headers: { 'x-api-key': api_key, 'anthropic-version': '2023-06-01' },
  })
  return [
    query('/v1/organizations/usage_report/messages', ['workspace_id', 'api_key_id', 'model', 'service_tier']),
    query('/v1/organizations/cost_report', ['workspace_id', 'description']),
  ]
}

/** The usage report (tokens, within minutes) and the cost report (a day later; it leaves out the Priority Tier). */
export const bill: Bill = {
  name: 'anthropic',
  describes: 'usage and cost report of an organisation, by workspace, key, model and kind of token',
  traits: {
    adapters: ['anthropic'],
    base_url: 'https://api.anthropic.com',
    keys: [{ field: 'api_key', variables: ['ANTHROPIC_ADMIN_KEY', 'ANTHROPIC_ADMIN_API_KEY'] }],
    late_hours: { tokens: 1, money: 24 },
    own_names: false,
    unbilled_tiers: ['priority'],
  },
  fetch: (request) => rowsOf(request, queries(request), linesOf),
  read: (paths) =>
    readBill(paths, {
      columns: [],
      recognise: (record) => isCost(record) || 'uncached_input_tokens' in record,
      expects: 'a usage or cost report of Anthropic (pages of the API as JSON)',
      lines: linesOf,
    }),
}
