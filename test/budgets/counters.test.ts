/** The counters themselves: real threads on shared memory, and windows that turn under them. */
import { Worker } from 'node:worker_threads'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { activeOf, type BudgetsInForce } from '../../src/gateway/budgets/active.ts'
import { type BudgetMemory, openBudgets } from '../../src/gateway/budgets/budgets.ts'
import { inFlightMemory } from '../../src/gateway/budgets/in-flight.ts'
import { isHold } from '../../src/gateway/budgets/known.ts'
import { openTable, tableMemory } from '../../src/gateway/budgets/table.ts'
import { budgetPeriod } from '../../src/playbook/allocate/budget/period.ts'
import { readBudgets } from '../../src/playbook/allocate/budget/read.ts'
import { made } from './made.ts'

const START_US = Date.UTC(2026, 10, 28, 12) * 1000
const HOUR_US = 3_600_000_000
const PICO = (amount: number) => `0.${String(amount).padStart(12, '0')}`

const inForceOf = (...list: unknown[]): BudgetsInForce => {
  const { budgets, problems } = readBudgets(list)
  expect(problems).toEqual([])
  return { generation: 1, budgets: budgets.map((budget, epoch) => ({ budget, epoch, state: 'counted' })) }
}
const memoryFor = (lanes: number): BudgetMemory => ({ table: tableMemory(), lanes: inFlightMemory(lanes) })
const open = (memory: BudgetMemory, inForce: BudgetsInForce, clock: { now_us: number }, lane = 0) => {
  const ceiling = { input: '150', output: '600' }
  const budgets = openBudgets({ memory, lane, ceiling, reserve_output_tokens: 100, now_us: () => clock.now_us })
  budgets.set(inForce)
  return budgets
}

type Done = Readonly<{
  spent: readonly { customer: string; usd: number; at_us: number; late: boolean }[]
  refused: number
  now_us: number
}>

const runThreads = async (
  memory: BudgetMemory,
  inForce: BudgetsInForce,
  threads: number,
  step_us: number,
): Promise<Done[]> => {
  const clock = new SharedArrayBuffer(8)
  new BigInt64Array(clock)[0] = BigInt(START_US)
  return Promise.all(
    Array.from({ length: threads }, (_, n) => {
      const workerData = { memory, inForce, lane: n + 1, calls: 6000, clock, step_us }
      const worker = new Worker(new URL('./counting-worker.ts', import.meta.url), { workerData })
      return new Promise<Done>((resolve, reject) => {
        worker.once('message', resolve)
        worker.once('error', reject)
      })
    }),
  )
}

const sum = (all: readonly { usd: number }[]) => all.reduce((total, { usd }) => total + usd, 0)

test('three threads that reserve and settle at once never pass a limit, and what is left in the counters is what was spent', async () => {
  const memory = memoryFor(4)
  const inForce = inForceOf(
    { name: 'org', limit: { usd: PICO(150_000) }, per: 'month' },
    { name: 'team', scope: { team: 'search' }, limit: { usd: PICO(120_000) }, per: 'day' },
    { name: 'customers', scope: { customer: 'each' }, limit: { usd: PICO(4_000) }, per: 'year' },
  )
  const done = await runThreads(memory, inForce, 3, 1)
  const spent = done.flatMap((one) => one.spent)
  const budgets = open(memory, inForce, { now_us: START_US })
  const [org, team, customers] = activeOf(inForce)
  if (!org || !team || !customers) throw new Error('three counters')
  expect(budgets.reserved().size).toBe(0)
  expect(Number(budgets.used(org, [], START_US).used)).toBe(sum(spent))
  expect(Number(budgets.used(team, [], START_US).used)).toBe(sum(spent))
  expect(sum(spent)).toBeLessThanOrEqual(120_000)
  for (let n = 0; n < 40; n++) {
    const own = sum(spent.filter(({ customer }) => customer === `c${n}`))
    expect(Number(budgets.used(customers, [`c${n}`], START_US).used)).toBe(own)
    expect(own).toBeLessThanOrEqual(4_000)
  }
  // As much as fits was let in: less is left than one call may take, or every customer is at its end.
  expect(done.every(({ refused }) => refused > 0)).toBe(true)
  expect(sum(spent)).toBeGreaterThan(115_000)
}, 60_000)

test('over many turns of a rolling window no stretch of its length holds more than the limit', async () => {
  const memory = memoryFor(3)
  const inForce = inForceOf({ name: 'rolling', limit: { usd: PICO(20_000) }, last: '1h' })
  // Together they live through some four hours.
  const done = await runThreads(memory, inForce, 2, 2_500_000)
  const spent = done
    .flatMap((one) => one.spent)
    .filter(({ late }) => !late)
    .sort((a, b) => a.at_us - b.at_us)
  let from = 0
  let total = 0
  for (const one of spent) {
    total += one.usd
    while ((spent[from]?.at_us ?? 0) <= one.at_us - HOUR_US) total -= spent[from++]?.usd ?? 0
    expect(total).toBeLessThanOrEqual(20_000)
  }
  expect(sum(spent)).toBeGreaterThan(40_000)
  // When all of it is past, everything is free again.
  const clock = { now_us: Math.max(...done.map(({ now_us }) => now_us)) + 2 * HOUR_US }
  const budgets = open(memory, inForce, clock)
  const hold = budgets.reserve({ provider: 'openai' }, { usd: 20_000n, tokens: 0n, calls: 1n }, clock.now_us)
  expect(isHold(hold)).toBe(true)
}, 60_000)

describe('a rolling window', () => {
  const inForce = inForceOf({ name: 'rolling', limit: { calls: 10 }, last: '10m' })
  const need = { usd: 0n, tokens: 0n, calls: 1n }

  test('counts every call of its length, whenever calls come (property)', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 240_000_000 }), { minLength: 1, maxLength: 80 }), (steps) => {
        const clock = { now_us: START_US }
        const budgets = open(memoryFor(1), inForce, clock)
        const let_in: number[] = []
        for (const step of steps) {
          clock.now_us += step
          const recent = let_in.filter((at) => at > clock.now_us - 600_000_000).length
          const within = let_in.filter((at) => at > clock.now_us - 610_000_001).length
          const found = budgets.reserve({ provider: 'x' }, need, clock.now_us)
          if (recent >= 10) expect(isHold(found)).toBe(false)
          if (within < 10) expect(isHold(found)).toBe(true)
          if (!isHold(found)) continue
          let_in.push(clock.now_us)
          budgets.settle(found, made({ usd: 0, started_at_us: clock.now_us }))
        }
      }),
      { numRuns: 60 },
    )
  })

  test('settles what was reserved before it turned away without counting it again, or too little', () => {
    const clock = { now_us: START_US }
    const budgets = open(memoryFor(1), inForce, clock)
    const [active] = activeOf(inForce)
    if (!active) throw new Error('one counter')
    const long = budgets.reserve({ provider: 'x' }, { ...need, calls: 8n }, clock.now_us)
    if (!isHold(long)) throw new Error('it fits')
    clock.now_us += 700_000_000
    const other = budgets.reserve({ provider: 'x' }, { ...need, calls: 9n }, clock.now_us)
    expect(isHold(other)).toBe(true)
    budgets.settle(long, made({ usd: 0, started_at_us: START_US }))
    expect(budgets.used(active, [], clock.now_us).used).toBe(9n)
  })
})

describe('a hold', () => {
  const inForce = inForceOf({ name: 'org', limit: { usd: PICO(1000) }, per: 'day' })
  const facts = { provider: 'x' }
  const need = { usd: 600n, tokens: 0n, calls: 1n }

  test('is settled once, however often its receipt is told', () => {
    const clock = { now_us: START_US }
    const budgets = open(memoryFor(1), inForce, clock)
    const [active] = activeOf(inForce)
    const hold = budgets.reserve(facts, need, START_US)
    if (!active || !isHold(hold)) throw new Error('it fits')
    expect(isHold(budgets.reserve(facts, need, START_US))).toBe(false)
    for (let n = 0; n < 3; n++) budgets.settle(hold, made({ usd: 250, started_at_us: START_US }))
    budgets.release(hold)
    expect(budgets.used(active, [], START_US).used).toBe(250n)
  })

  test('is not what brings a counter to its end: what is spent does, for calls that would fit into the limit', () => {
    const budgets = open(memoryFor(1), inForce, { now_us: START_US })
    const [active] = activeOf(inForce)
    const hold = budgets.reserve(facts, need, START_US)
    if (!active || !isHold(hold)) throw new Error('it fits')
    const refused = (usd: bigint) => {
      expect(isHold(budgets.reserve(facts, { ...need, usd }, START_US))).toBe(false)
      return budgets.used(active, [], START_US).lacked_us
    }
    expect(refused(500n)).toBeUndefined()
    budgets.settle(hold, made({ usd: 600, started_at_us: START_US }))
    expect(refused(1001n)).toBeUndefined()
    expect(refused(500n)).toBe(START_US)
  })

  test('of a thread that is dead is given back, and its calls are charged what their receipts say', () => {
    const clock = { now_us: START_US }
    const memory = memoryFor(2)
    const thread = open(memory, inForce, clock, 1)
    const main = open(memory, inForce, clock)
    const [active] = activeOf(inForce)
    const hold = thread.reserve(facts, need, START_US)
    if (!active || !isHold(hold)) throw new Error('it fits')
    const receipt_id = '01a2202d-7da9-7591-a2e7-5a38909a74bc'
    thread.name(hold, receipt_id)
    expect([...main.heldBy(1)]).toEqual([receipt_id])
    main.spend(made({ usd: 100, started_at_us: START_US, receipt_id }))
    main.bury(1)
    expect(main.used(active, [], START_US).used).toBe(100n)
    expect(main.reserved().size).toBe(0)
  })

  test('of one period does not count in the next', () => {
    const clock = { now_us: START_US }
    const budgets = open(memoryFor(1), inForce, clock)
    const hold = budgets.reserve(facts, need, START_US)
    clock.now_us += 12 * HOUR_US
    expect(isHold(budgets.reserve(facts, { ...need, usd: 1000n }, clock.now_us))).toBe(true)
    expect(isHold(hold) && budgets.isCurrent(hold, clock.now_us)).toBe(false)
  })
})

describe('the table', () => {
  const now_min = Math.floor(START_US / 60e6)

  test('gives slots of past periods away, but none that a call still holds', () => {
    const table = openTable(tableMemory(), 0)
    const gone = table.enter(11n, now_min)
    table.leave(gone)
    const held = table.enter(22n, now_min)
    table.add(held, 5n)
    const living = table.enter(33n, now_min + 10)
    table.leave(living)
    expect(table.sweep(now_min + 1)).toBe(1)
    expect(table.find(11n)).toBe(-1)
    expect(table.find(22n)).toBe(held)
    expect(table.used(held)).toBe(5n)
    expect(table.find(33n)).toBe(living)
  })

  test('says that it is full rather than losing count', () => {
    const table = openTable(tableMemory(), 0)
    // Keys of one bucket: they differ above the bits that choose it.
    const keys = Array.from({ length: 17 }, (_, n) => (BigInt(n + 1) << 48n) | 5n)
    const slots = keys.map((key) => table.enter(key, now_min))
    expect(new Set(slots.slice(0, 16)).size).toBe(16)
    expect(slots.slice(0, 16).includes(-1)).toBe(false)
    expect(slots[16]).toBe(-1)
  })
})

describe('periods turn on the wall clock of their zone', () => {
  const turn = (per: string, zone: string, at: string) => {
    const { from_us, to_us } = budgetPeriod({ every: per as 'day', zone }, Date.parse(at) * 1000)
    return [from_us, to_us].map((us) => new Date(us / 1000).toISOString())
  }
  test.each([
    ['day', 'Asia/Shanghai', '2026-11-28T15:59:59Z', '2026-11-27T16:00:00.000Z', '2026-11-28T16:00:00.000Z'],
    ['day', 'Asia/Shanghai', '2026-11-28T16:00:00Z', '2026-11-28T16:00:00.000Z', '2026-11-29T16:00:00.000Z'],
    // 23 hours, then 25.
    ['day', 'America/New_York', '2026-03-08T12:00:00Z', '2026-03-08T05:00:00.000Z', '2026-03-09T04:00:00.000Z'],
    ['day', 'America/New_York', '2026-11-01T12:00:00Z', '2026-11-01T04:00:00.000Z', '2026-11-02T05:00:00.000Z'],
    ['month', 'UTC', '2026-02-10T12:00:00Z', '2026-02-01T00:00:00.000Z', '2026-03-01T00:00:00.000Z'],
    ['minute', 'UTC', '2026-02-10T12:00:59Z', '2026-02-10T12:00:00.000Z', '2026-02-10T12:01:00.000Z'],
  ])('a %s in %s at %s', (per, zone, at, from, to) => {
    expect(turn(per, zone, at)).toEqual([from, to])
  })

  test('two instants have one id where they are in one period, and only there (property)', () => {
    const zones = ['Asia/Shanghai', 'America/New_York', 'UTC']
    const windows = ['minute', 'hour', 'day', 'week', 'month', 'quarter', 'year'] as const
    const year = { min: Date.UTC(2026, 0, 1) * 1000, max: Date.UTC(2027, 0, 1) * 1000 }
    fc.assert(
      fc.property(
        fc.constantFrom(...zones),
        fc.constantFrom(...windows),
        fc.integer(year),
        fc.integer({ min: 0, max: 90_000_000_000 }),
        (zone, every, at_us, later) => {
          const one = budgetPeriod({ every, zone }, at_us)
          const other = budgetPeriod({ every, zone }, at_us + later)
          expect(one.from_us <= at_us && at_us < one.to_us).toBe(true)
          expect(one.id === other.id).toBe(at_us + later < one.to_us)
          expect(budgetPeriod({ every, zone }, one.to_us).from_us).toBe(one.to_us)
        },
      ),
      { numRuns: 300 },
    )
  })
})
