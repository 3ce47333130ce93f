import type { BillLine } from '../../../core/bill.ts'
import { picodollars } from '../../../core/money.ts'
import { keyOf } from './bucket.ts'

type Sum = { quantity: bigint; cost: bigint; requests: number; count: number; readonly line: BillLine }

const keyed = (line: BillLine): string =>
  keyOf(
    ...[line.day, line.project, line.key, line.model, line.tier, line.charge, line.kinds.join('+')],
    `${line.rounded} ${line.quantity === null} ${line.cost === null} ${line.requests === null}`,
  )

const sumOf = ({ line, quantity, cost, requests, count }: Sum): BillLine => ({
  ...line,
  quantity: line.quantity === null ? null : quantity,
  cost: line.cost === null ? null : picodollars(cost),
  requests: line.requests === null ? null : requests,
  count,
})

/** Sums lines that are alike in all but amounts as they come: an hourly bill of a year is no more than its days. */
export const foldLines = (): Readonly<{ add(line: BillLine): void; lines(): BillLine[] }> => {
  const sums = new Map<string, Sum>()
  return {
    add(line) {
      const key = keyed(line)
      const sum = sums.get(key) ?? { quantity: 0n, cost: 0n, requests: 0, count: 0, line }
      sum.quantity += line.quantity ?? 0n
      sum.cost += line.cost ?? 0n
      sum.requests += line.requests ?? 0
      sum.count += line.count ?? 1
      sums.set(key, sum)
    },
    lines: () => [...sums.values()].map(sumOf),
  }
}

/** How many lines of the bill these are. */
export const countLines = (lines: readonly BillLine[]): bigint =>
  lines.reduce((total, { count }) => total + BigInt(count ?? 1), 0n)
