import type { Row, Session } from './engine.ts'
import { amongst, type Groups, keyOf, receiptsOf, type Spend } from './groups.ts'
import { sql } from './sql.ts'
import { count, usd } from './values.ts'

/** Cost by equal slices of the window, oldest first, of every group that is shown. */
export const trendsOf = async (session: Session, question: Spend, groups: Groups, shown: readonly Row[]) => {
  const { window, slices = 0 } = question
  const trends = new Map<string, string[]>()
  if (slices <= 0) return trends
  const length = window.to_us - window.from_us
  // Materialised, because else the engine asks of each receipt, before it groups, whether its group is shown.
  const rows = await session.rows(sql`
    WITH grouped AS MATERIALIZED (
      SELECT ${groups.select} (started_at_us - ${window.from_us}) * ${slices} // ${length} AS slice, sum(cost_usd) AS cost_usd
      ${receiptsOf(question, window)} GROUP BY ALL
    )
    SELECT * FROM (SELECT ${groups.shown} slice, cost_usd FROM grouped WHERE cost_usd IS NOT NULL)
    WHERE ${amongst(groups, shown)}`)
  for (const row of rows) {
    const key = keyOf(groups, row)
    const trend = trends.get(key) ?? new Array<string>(slices).fill('0')
    trend[count(row['slice'])] = usd(row['cost_usd'])
    trends.set(key, trend)
  }
  return trends
}

export const flat = (slices: number): readonly string[] => new Array<string>(slices).fill('0')
