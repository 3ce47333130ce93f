import { formatUsd, parseUsd, sum } from '../../core/money.ts'
import type { Statement, StatementReport } from '../../playbook/allocate/statement/statement.ts'
import { leakNames } from '../leaks/render.ts'
import { csv } from '../show/output.ts'
import { day } from '../show/time.ts'

type Cell = string | number | null | undefined

const total = (amounts: readonly string[]): string => formatUsd(sum(amounts.map(parseUsd)))

const wasteColumns = Object.fromEntries(
  Object.keys(leakNames).map((kind) => [
    `waste_${kind.replaceAll('-', '_')}_usd`,
    ({ waste }: Statement): Cell => waste.find((one) => one.kind === kind)?.cost_usd ?? '0',
  ]),
)

/** One row an owner, every amount exact. The column `total_usd` sums to the receipts. */
export const csvOf = ({ by, period, statements }: StatementReport): string => {
  const kinds = [...new Set(statements.flatMap(({ unit_costs }) => unit_costs.map(({ kind }) => kind)))].sort()
  const unitCosts = kinds.flatMap((kind) => {
    const of = ({ unit_costs }: Statement) => unit_costs.find((one) => one.kind === kind)
    return [
      [`${kind}_count`, (one: Statement): Cell => of(one)?.count ?? 0] as const,
      [`${kind}_each_usd`, (one: Statement): Cell => of(one)?.each_usd] as const,
    ]
  })
  return csv<Statement>(statements, {
    period: () => period.name,
    from: () => day(period.window.from_us, period.zone),
    to: () => day(period.window.to_us - 1, period.zone),
    [by]: ({ owner }) => owner,
    direct_usd: ({ direct_usd }) => direct_usd,
    shared_usd: ({ shared }) => total(shared.map(({ cost_usd }) => cost_usd)),
    total_usd: ({ total_usd }) => total_usd,
    corrections_usd: ({ corrections }) => total(corrections.map(({ amount_usd }) => amount_usd)),
    charge_usd: ({ charge_usd }) => charge_usd,
    previous_usd: ({ previous_usd }) => previous_usd,
    change_usd: ({ change_usd }) => change_usd,
    change_volume_usd: ({ why }) => why.volume_usd,
    change_mix_usd: ({ why }) => why.mix_usd,
    change_price_usd: ({ why }) => why.price_usd,
    change_shared_usd: ({ why }) => why.shared_usd,
    forecast_usd: ({ forecast }) => forecast?.expected_usd,
    forecast_low_usd: ({ forecast }) => forecast?.low_usd,
    forecast_high_usd: ({ forecast }) => forecast?.high_usd,
    budget_usd: ({ budget_usd }) => budget_usd,
    calls: ({ calls }) => calls,
    errors: ({ errors }) => errors,
    input_tokens: ({ input_tokens }) => input_tokens,
    output_tokens: ({ output_tokens }) => output_tokens,
    cache_share: ({ cache_share }) => cache_share,
    batch_share: ({ batch_share }) => batch_share,
    coverage: ({ coverage }) => coverage.share,
    unpriced_calls: ({ coverage }) => coverage.unpriced_calls,
    ...Object.fromEntries(unitCosts),
    ...wasteColumns,
  })
}
