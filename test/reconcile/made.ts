/** Bills and ledgers for tests of reconciliation. */
import type { BillLine } from '../../src/core/bill.ts'
import type { MeteredRow } from '../../src/core/ledger.ts'
import { parseUsd } from '../../src/core/money.ts'
import type { ReconcileOptions } from '../../src/playbook/allocate/reconcile/reconcile.ts'
import type { Compared, Comparison, Reason } from '../../src/playbook/allocate/reconcile/result.ts'

export const usd = (text: string) => parseUsd(text)

export const line = (given: Partial<BillLine> = {}): BillLine => ({
  day: '2026-11-01',
  project: null,
  key: null,
  model: 'gpt-5.5',
  tier: null,
  charge: 'usage',
  kinds: ['input'],
  quantity: null,
  rounded: false,
  requests: null,
  cost: null,
  label: 'a line',
  ...given,
})

export const row = (given: Partial<MeteredRow> = {}): MeteredRow => ({
  provider: 'openai',
  day: '2026-11-01',
  owner: null,
  model: 'gpt-5.5',
  service_tier: null,
  meter: 'in.text.fresh',
  quantity: '0',
  cost_usd: '0',
  priced: true,
  price_state: 'priced',
  aborted: false,
  estimated: false,
  over_midnight: false,
  attempts: 0,
  ...given,
})

/** Long after the days of the bill, so that nothing is late. */
export const options = (given: Partial<ReconcileOptions> = {}): ReconcileOptions => ({
  from: '2026-11-01',
  to: '2026-12-01',
  now_ms: Date.parse('2027-01-01T00:00:00Z'),
  late_hours: { tokens: 1, money: 24 },
  models: { given: {}, known: () => undefined, own_names: false },
  ...given,
})

export const partsOf = (compared: Comparison<bigint> | undefined): Partial<Record<Reason | 'open', bigint>> => {
  if (compared === undefined) return {}
  return { ...Object.fromEntries(compared.parts), ...(compared.residual === 0n ? {} : { open: compared.residual }) }
}

export const find = (all: readonly Compared[], model: string | null, kinds: string, day = '2026-11-01') =>
  all.find((one) => one.day === day && one.model === model && one.kinds.join('+') === kinds)
