import { beginsWithDay } from '../core/date.ts'
import { WeirError } from '../core/errors.ts'
import type { Imported, Importer, ImportOptions } from '../core/importer.ts'
import type { Usd } from '../core/money.ts'
import type { Receipt } from '../core/receipt.ts'
import type { ServiceTier } from '../core/usage.ts'
import { providerNamed } from '../playbook/allocate/focus/parties.ts'
import { mappable, payerOf } from './focus/payer.ts'
import { type FocusRow, focusRows } from './focus/rows.ts'
import { amount, objectIn, type Properties, property, usageColumns, type Values } from './focus/usage.ts'
import { receiptId } from './receipt.ts'
import { identities } from './source.ts'

const LONGEST = 200
const bounded = (text: string): string => text.slice(0, LONGEST)

/** µs since the epoch; undefined when the text is no moment. What names no zone is UTC. */
const moment = (text: string | null | undefined): number | undefined => {
  if (!text) return undefined
  const zoned = /(Z|[+-]\d{2}:?\d{2})$/.test(text) ? text : `${text.replace(' ', 'T')}Z`
  const at_ms = Date.parse(zoned)
  return Number.isNaN(at_ms) || !beginsWithDay(text) ? undefined : at_ms * 1000
}

const tiers: readonly ServiceTier[] = ['flex', 'priority', 'batch', 'scale', 'provisioned', 'reserved', 'off_peak']

const tierOf = (details: Readonly<Record<string, unknown>>): ServiceTier | undefined =>
  property(details, 'Batch') === 'true' ? 'batch' : tiers.find((tier) => tier === property(details, 'ServiceTier'))

/** What a charge is beside usage (a tax, a credit, a correction …) stands in its tags, so that it can be told apart. */
const kindOf = (values: Values): Readonly<Record<string, string>> => ({
  ...(values['ChargeCategory'] && values['ChargeCategory'] !== 'Usage'
    ? { focus_charge_category: values['ChargeCategory'] }
    : {}),
  ...(values['ChargeClass'] ? { focus_charge_class: values['ChargeClass'] } : {}),
})

const given = <T extends object>(record: T) =>
  Object.fromEntries(Object.entries(record).filter(([, value]) => value !== undefined && value !== null)) as {
    [name in keyof T]?: Exclude<T[name], undefined | null>
  }

const COST = 'EffectiveCost'

type Essentials = Readonly<{ started: number; cost: Usd; provider: string }>

/** What a row cannot do without, or a sentence that says what it lacks. */
const essentialsOf = (values: Values, options: ImportOptions): Essentials | string => {
  const currency = values['BillingCurrency']
  if (currency !== 'USD')
    return `BillingCurrency is ${currency ?? 'null'}: the ledger holds US dollars, so convert the amounts first`
  const started = moment(values['ChargePeriodStart'])
  if (started === undefined)
    return `ChargePeriodStart is no moment such as 2026-11-01T00:00:00Z: ${JSON.stringify(values['ChargePeriodStart'])}`
  const column = options.columns['cost_usd'] ?? COST
  const cost = amount(values[column])
  if (cost === undefined) return `${column} is no amount: ${JSON.stringify(values[column] ?? null)}`
  const provider = values['ServiceProviderName'] ?? values['ProviderName'] ?? values['InvoiceIssuerName']
  return provider ? { started, cost, provider } : 'ServiceProviderName (ProviderName before 1.4) is null'
}

const modelOf = (values: Values, details: Properties, options: ImportOptions): string | undefined => {
  const column = options.columns['model']
  const model = (column === undefined ? undefined : values[column]) ?? property(details, 'ModelId') ?? options.model
  return model ? bounded(model) : undefined
}

/** The receipt of a row, or why it is none. The cost is the provider's word: no price book is asked. */
const receiptOf = (values: Values, identity: string, options: ImportOptions): Receipt | string => {
  const essentials = essentialsOf(values, options)
  if (typeof essentials === 'string') return essentials
  const { started, cost, provider } = essentials
  const details = objectIn(values, 'SkuPriceDetails')
  const model = modelOf(values, details, options)
  const service = values['ServiceName'] ?? ''
  const id = receiptId(identity)
  const payer = payerOf(values, options)
  const tags = { ...payer.tags, ...kindOf(values) }
  const list = amount(values['ListCost'])
  return {
    receipt_id: id,
    call_id: id,
    attempt: 1,
    origin: 'focus',
    started_at_us: started,
    ended_at_us: started,
    endpoint: bounded(service || 'charge'),
    stream: false,
    provider: options.provider ?? bounded(providerNamed(provider, service)),
    outcome: 'ok',
    price_state: 'stated',
    cost_usd: cost,
    ...given({
      model_asked: model,
      model_served: model,
      region: values['RegionId'],
      service_tier: tierOf(details),
      stated_cost_usd: amount(values['BilledCost']),
      list_cost_usd: list,
      counterfactual_cost_usd: list ?? cost,
    }),
    usage_source: 'none',
    ...usageColumns(values, details, { cost, model }),
    ...options.payer,
    ...payer,
    ...(Object.keys(tags).length > 0 ? { tags } : {}),
  }
}

/** A row's text, the same whatever the order of its columns. */
const sorted = (values: Values): string => JSON.stringify(Object.entries(values).sort(([a], [b]) => (a < b ? -1 : 1)))

/** Throws WeirError `bad-input` when the file is no bill, or `--columns` names a field or column that does not exist. */
const checkColumns = (path: string, { values }: FocusRow, { columns }: ImportOptions): void => {
  const missing = ['BillingCurrency', 'ChargePeriodStart'].filter((name) => !(name in values))
  if (missing.length > 0)
    throw new WeirError('bad-input', `${path} is no FOCUS file: it lacks ${missing.join(' and ')}`)
  for (const [field, column] of Object.entries(columns)) {
    if (!mappable.includes(field))
      throw new WeirError('bad-input', `--columns ${field}=…: no such field. Fields: ${mappable.join(', ')}.`)
    if (!column.startsWith('tag:') && !(column in values))
      throw new WeirError('bad-input', `${path}: --columns ${field}=${column}: no such column`)
  }
}

async function* readFocus(
  path: string,
  options: ImportOptions,
  progress: (bytes: number) => void,
): AsyncGenerator<Imported> {
  const identify = identities('focus')
  let checked = false
  for await (const row of focusRows(path, progress)) {
    if ('bad' in row) {
      yield row
      continue
    }
    if (!checked) checkColumns(path, row, options)
    checked = true
    const receipt = receiptOf(row.values, identify(sorted(row.values)), options)
    yield typeof receipt === 'string' ? { bad: receipt, line: row.line } : { receipt }
  }
}

/** Rows of a FOCUS file as receipts, so that other spend sits in the same view: clouds, data platforms, other tools' bills. */
export const importer: Importer = {
  name: 'focus',
  describes:
    'FOCUS 1.0 to 1.4, CSV or Parquet: other spend, a row a receipt; --columns team=SubAccountName,cost_usd=BilledCost maps',
  read: readFocus,
}
