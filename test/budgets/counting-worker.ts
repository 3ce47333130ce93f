/** One thread of the counter test: reserves and settles at random until its calls are used up. */
import { parentPort, workerData } from 'node:worker_threads'
import type { BudgetsInForce } from '../../src/gateway/budgets/active.ts'
import { type BudgetMemory, openBudgets } from '../../src/gateway/budgets/budgets.ts'
import { type Hold, isHold } from '../../src/gateway/budgets/known.ts'
import { made } from './made.ts'

type Work = Readonly<{
  memory: BudgetMemory
  lane: number
  inForce: BudgetsInForce
  calls: number
  clock: SharedArrayBuffer
  step_us: number
}>

const { memory, lane, inForce, calls, clock, step_us } = workerData as Work
// One clock for all threads, as they have in life.
const time = new BigInt64Array(clock)
let now_us = Number(Atomics.load(time, 0))
let seed = lane * 7919
const random = (): number => {
  seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) | 0
  return (seed >>> 0) / 4_294_967_296
}
const ceiling = { input: '150', output: '600' }
const budgets = openBudgets({ memory, lane, ceiling, reserve_output_tokens: 100, now_us: () => now_us })
budgets.set(inForce)

type Open = Readonly<{ hold: Hold; customer: string; at_us: number; worst: number; late: boolean }>
const open: Open[] = []
const spent: { customer: string; usd: number; at_us: number; late: boolean }[] = []
let refused = 0

const settle = ({ hold, customer, at_us, worst, late }: Open): void => {
  const usd = Math.floor(random() * (worst + 1))
  budgets.settle(hold, made({ customer, team: 'search', started_at_us: at_us, usd }))
  spent.push({ customer, usd, at_us, late })
}

for (let n = 0; n < calls; n++) {
  const step = BigInt(Math.floor(random() * step_us))
  now_us = Number(Atomics.add(time, 0, step) + step)
  const customer = `c${Math.floor(random() * 40)}`
  const worst = 1 + Math.floor(random() * 100)
  const facts = { team: 'search', customer, provider: 'openai' }
  const found = budgets.reserve(facts, { usd: BigInt(worst), tokens: 1n, calls: 1n }, now_us)
  // The system may have stopped this thread for long between the clock and the counter: here that is hours.
  const late = Number(Atomics.load(time, 0)) - now_us > 60_000_000
  if (isHold(found)) open.push({ hold: found, customer, at_us: now_us, worst, late })
  else refused += 1
  if (open.length > 20 || random() < 0.5) {
    const [one] = open.splice(Math.floor(random() * open.length), 1)
    if (one) settle(one)
  }
}
for (const one of open) settle(one)
parentPort?.postMessage({ spent, refused, now_us })
