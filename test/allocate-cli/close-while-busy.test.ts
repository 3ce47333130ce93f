/** A month is closed while calls of it still come in: each is charged once, in the month or as a correction of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { formatUsd, parseUsd, sum, type Usd } from '../../src/core/money.ts'
import { open as openLedger } from '../../src/ledgers/duckdb.ts'
import { statementPeriod } from '../../src/playbook/allocate/statement/period.ts'
import { open as openStore } from '../../src/stores/sqlite.ts'
import { closeMonth, shownClose } from '../../src/verbs/close/month.ts'
import { statementsIn } from '../../src/verbs/statement/gather.ts'
import type { Asking } from '../../src/verbs/verb.ts'
import { append, receipt } from './more.ts'

const now_us = Date.parse('2026-12-01T00:00:05Z') * 1000
const data = mkdtempSync(join(tmpdir(), 'weir-close-'))
afterAll(() => rmSync(data, { recursive: true, force: true }))

const spent = (id: string, team: string, usd: string) =>
  receipt(id, '2026-10-31T23:59:59Z', { team, cost_usd: usd as Usd, input_tokens: 100, output_tokens: 10 })

/** Closes October while a receipt of it arrives before the question of that number, 0 for none; says how many were asked. */
const closeBusy = async (number: number) => {
  const place = join(data, String(number))
  await append(place, 'october', [spent('r1', 'search', '10'), spent('r2', 'billing', '30')])
  const [ledger, store] = [await openLedger({ path: join(place, 'ledger.duckdb') }), await openStore({ data: place })]
  const path = join(place, 'late.ndjson')
  writeFileSync(path, `${JSON.stringify({ k: 'receipt', r: spent('late', 'labs', '2') })}\n`)
  let asked = 0
  const busy: Asking = {
    query: async (question) => {
      asked += 1
      if (asked === number) await ledger.append({ name: 'late', path })
      return ledger.query(question)
    },
  }
  try {
    const common = { by: 'team', budgets: {}, now_us } as const
    const october = shownClose(await closeMonth(busy, store, { ...common, month: '2026-10', zone: 'UTC' }))
    const period = statementPeriod('month', Date.parse('2026-11-15') * 1000, { zone: 'UTC', now_us })
    const november = await statementsIn(ledger, store, { ...common, period }, 'zone')
    const charged = sum([october, november].map(({ charge_usd }) => parseUsd(charge_usd)))
    return { asked, charged: formatUsd(charged) }
  } finally {
    await ledger.close()
    await store.close()
  }
}

test('whenever a late call comes in, it is charged', async () => {
  const { asked, charged } = await closeBusy(0)
  expect(charged).toBe('40')
  for (const number of [1, Math.ceil(asked / 2), asked])
    expect([number, (await closeBusy(number)).charged]).toEqual([number, '42'])
})
