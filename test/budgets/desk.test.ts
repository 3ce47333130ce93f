/** How often the desk has the ledger asked for the scopes of budgets that have a counter for each value. */
import { expect, test } from 'vitest'
import { defaultSettings } from '../../src/config.ts'
import type { Ledger } from '../../src/core/ledger.ts'
import { openDesk } from '../../src/gateway/budgets/desk.ts'
import { openLog } from '../../src/gateway/log.ts'
import { readBudgets } from '../../src/playbook/allocate/budget/read.ts'

const SECOND_US = 1_000_000
const START_US = Date.UTC(2026, 10, 9, 12) * 1000

const { budgets } = readBudgets([{ name: 'each', scope: { session: 'each' }, per: 'day', limit: { usd: 10 } }])

/** A desk over a ledger that takes `took_us` for an answer, and knows one more session each time that it is asked. */
const openSlow = async (took_us: number) => {
  let [now, asked] = [START_US, 0]
  const query = async () => {
    asked += 1
    now += took_us
    const group = (session: number) => ({
      group: { session: `s${session}` },
      slice: null,
      usd: '1',
      tokens: 0,
      calls: 1,
    })
    return { rows: Array.from({ length: asked }, (_, session) => group(session)) }
  }
  const log = openLog({ log_level: 'silent' })
  const desk = openDesk({ settings: { ...defaultSettings, threads: 0 }, now_us: () => now, log })
  await desk.change(budgets)
  await desk.begin({ ledger: { query } as unknown as Pick<Ledger, 'query'>, refresh: async () => {} })
  const begun = asked
  return {
    desk,
    pass: (us: number) => {
      now += us
    },
    asked: () => asked - begun,
  }
}

test('who glances every five seconds has a slow ledger asked for a hundredth of the time', async () => {
  const { desk, pass, asked } = await openSlow(2 * SECOND_US)
  for (let look = 0; look < 120; look++) {
    expect((await desk.glance()).length).toBeGreaterThan(0)
    pass(5 * SECOND_US)
  }
  // Ten minutes, and an answer that takes two seconds: once in two hundred.
  expect(asked()).toBe(3)
  desk.close()
})

test('who glances at a quick ledger knows every scope each time, and who asks knows them at once', async () => {
  const quick = await openSlow(1000)
  for (let look = 0; look < 20; look++) {
    await quick.desk.glance()
    quick.pass(5 * SECOND_US)
  }
  expect(quick.asked()).toBe(20)
  quick.desk.close()
  const slow = await openSlow(2 * SECOND_US)
  const [first, again, asking] = [await slow.desk.glance(), await slow.desk.glance(), await slow.desk.states()]
  expect(again).toHaveLength(first.length)
  expect(asking).toHaveLength(first.length + 1)
  slow.desk.close()
})
