import { type Bill, type BillLine, type BillRequest, inputKinds, tokenKinds } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { type Query, rowsOf } from './pages.ts'
import { type BillRecord, countOf, dayOf, dollarsOf, lineOf, textOf } from './record.ts'
import { readBill } from './source.ts'

const DAYS_KEPT = 30

/** A day of an endpoint (activity), or one generation (the CSV of the activity page). One amount is for all of it. */
const linesOf = (record: BillRecord): readonly BillLine[] => {
  const generation = textOf(record, 'generation_id') !== null
  const [prompt, completion, amount] = generation
    ? (['tokens_prompt', 'tokens_completion', 'cost_total'] as const)
    : (['prompt_tokens', 'completion_tokens', 'usage'] as const)
  const model = textOf(record, 'model', 'model_permaslug')
  const cost = dollarsOf(record, amount)
  if (model === null) throw new WeirError('bad-input', 'model is missing')
  if (cost === null) throw new WeirError('bad-input', `${amount} is missing`)
  const requests = generation ? 1n : countOf(record, 'requests')
  const common = { day: dayOf(record, 'date', 'created_at'), model, label: model }
  return [
    lineOf({
      ...common,
      kinds: inputKinds,
      quantity: countOf(record, prompt) ?? 0n,
      requests: requests === null ? null : Number(requests),
    }),
    lineOf({ ...common, kinds: ['output'], quantity: countOf(record, completion) ?? 0n }),
    lineOf({ ...common, kinds: tokenKinds, cost }),
  ]
}

const queries = ({ world, from, credentials }: BillRequest): readonly Query[] => {
  const oldest = new Date(world.now_ms() - DAYS_KEPT * 86_400_000).toISOString().slice(0, 10)
  if (from < oldest)
    throw new WeirError(
      'bad-input',
      `OpenRouter’s API has the last ${DAYS_KEPT} days, from ${oldest}; --since ${from} needs a downloaded --file`,
    )
  return [{ path: '/activity', parameters: [], headers: { authorization: `Bearer ${credentials.api_key}` } }]
}

/** Activity by day and endpoint, of completed UTC days only; credits spent at other accounts' keys are not on it. */
export const bill: Bill = {
  name: 'openrouter',
  describes: 'activity by day and model, from the API or its CSV of generations',
  traits: {
    adapters: ['openrouter'],
    base_url: 'https://openrouter.ai/api/v1',
    keys: [{ field: 'api_key', variables: ['OPENROUTER_MANAGEMENT_KEY', 'OPENROUTER_PROVISIONING_KEY'] }],
    late_hours: { tokens: 24, money: 24 },
    own_names: false,
  },
  fetch: (request) => rowsOf(request, queries(request), linesOf),
  read: (paths) =>
    readBill(paths, {
      columns: [],
      recognise: (record) => 'prompt_tokens' in record || 'tokens_prompt' in record,
      expects: 'an activity export of OpenRouter (JSON or CSV)',
      lines: linesOf,
    }),
}
