/**
 * What budgets cost a call: CPU time of matching it with ten scopes, reserving in all of them, telling what is left and
 * settling, in one thread. Run: `node bench/budgets/run.ts [calls]`.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import type { Receipt } from '../../src/core/receipt.ts'
import { openBudgets } from '../../src/gateway/budgets/budgets.ts'
import { budgetHeaders } from '../../src/gateway/budgets/headers.ts'
import { inFlightMemory } from '../../src/gateway/budgets/in-flight.ts'
import { isHold } from '../../src/gateway/budgets/known.ts'
import { tableMemory } from '../../src/gateway/budgets/table.ts'
import type { Call } from '../../src/gateway/call.ts'
import { tenBudgets } from './scopes.ts'

const calls = Number(process.argv[2] ?? 200_000)
const ROUNDS = 5
const now_us = (): number => Date.now() * 1000

const memory = { table: tableMemory(), lanes: inFlightMemory(1) }
const budgets = openBudgets({ memory, lane: 0, ceiling: { input: '1', output: '1' }, reserve_output_tokens: 1, now_us })
budgets.set({ generation: 1, budgets: tenBudgets().map((budget, epoch) => ({ budget, epoch, state: 'counted' })) })

/** As many callers as a busy minute has. */
const factsOf = (n: number) => ({
  team: 'search',
  feature: 'answers',
  key_id: `key_${n % 50}`,
  customer: `customer-${n % 500}`,
  user: `user-${n % 2000}`,
  session: `session-${n % 1000}`,
  model_asked: 'gpt-4o-mini',
  provider: 'openai',
})
const receipt = {
  attempt: 1,
  price_state: 'priced',
  cost_usd: '0.000192',
  input_tokens: 100,
  started_at_us: now_us(),
} as unknown as Receipt
const need = { usd: 3_000_000_000n, tokens: 1164n, calls: 1n }
const receipt_id = '01a2202d-7da9-7591-a2e7-5a38909a74bc'

const one = (n: number): void => {
  const facts = factsOf(n)
  const hold = budgets.reserve(facts, need, now_us())
  if (!isHold(hold)) throw new Error('a call was refused')
  budgets.name(hold, receipt_id)
  budgetHeaders({ hold } as Call, { budgets })
  budgets.settle(hold, receipt)
}

const round = (): number => {
  const before = process.cpuUsage()
  for (let n = 0; n < calls; n++) one(n)
  const { user, system } = process.cpuUsage(before)
  return (user + system) / calls
}

round()
const figures = Array.from({ length: ROUNDS }, round).sort((a, b) => a - b)
const median = figures[Math.floor(ROUNDS / 2)] ?? 0
console.log(`ten scopes, ${calls} calls, ${ROUNDS} rounds: ${median.toFixed(2)} µs of CPU a call (limit 10)`)
mkdirSync('bench/results', { recursive: true })
writeFileSync('bench/results/budgets.json', `${JSON.stringify({ calls, cpu_us_per_call: median }, null, 2)}\n`)
