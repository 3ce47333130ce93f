import type { Answers, Leak, Question } from '../../core/ledger.ts'
import { where } from './dimensions.ts'
import type { Session } from './engine.ts'
import { contextAccumulation, reasoning, systemAndTools } from './leaks/parts.ts'
import { cacheable, uncachedPrefix } from './leaks/prefix.ts'
import type { Scope } from './leaks/scope.ts'
import { errorSpend, retryLoops, verboseOutput } from './leaks/waste.ts'
import { sql } from './sql.ts'
import { count, first, usd } from './values.ts'

type Leaks = Extract<Question, { ask: 'leaks' }>

const EXAMPLES = 3

const scopeOf = async (session: Session, { window, filters, examples = EXAMPLES }: Leaks) => {
  const condition = where(window, filters)
  const total = first(
    await session.rows(
      sql`SELECT sum(cost_usd) AS cost_usd, sum(input_tokens) AS input FROM spending WHERE ${condition}`,
    ),
  )
  const total_usd = usd(total['cost_usd'])
  const input_tokens = count(total['input'])
  const scope: Scope = { session, where: condition, total_usd: Number(total_usd), input_tokens, examples }
  return { scope, total_usd, input_tokens }
}

/**
 * Answers where money leaks, largest first. The leaks overlap (a token of history is also an uncached prefix), so they do
 * not add up to a saving.
 */
export const leaks = async (session: Session, question: Leaks): Promise<Answers['leaks']> => {
  const { scope, total_usd, input_tokens } = await scopeOf(session, question)
  const prefix = await uncachedPrefix(scope)
  const tree = await cacheable(scope)
  const found: Leak[] = [prefix]
  for (const look of [systemAndTools, contextAccumulation, retryLoops, verboseOutput, reasoning, errorSpend])
    found.push(await look(scope))
  return { leaks: found.sort((a, b) => Number(b.cost_usd) - Number(a.cost_usd)), total_usd, input_tokens, ...tree }
}
