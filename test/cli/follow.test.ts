/** What each look of `weir calls --follow` gives. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openFresh } from '../../src/cli/calls/fresh.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { receipt, START_US, writeSegment } from '../ledger/receipts.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-follow-'))
const ledger = await open({ path: join(folder, 'ledger.duckdb') })
afterAll(async () => {
  await ledger.close()
  rmSync(folder, { recursive: true })
})

const append = async (name: string, receipts: readonly Receipt[]): Promise<void> => {
  const path = join(folder, `${name}.ndjson`)
  writeSegment(path, receipts)
  await ledger.append({ name, path })
}

const SECOND_US = 1_000_000
const named = (start: string, count: number, started_at_us: number) =>
  Array.from({ length: count }, (_, at) =>
    receipt({
      receipt_id: `${start}-${String(at).padStart(4, '0')}`,
      started_at_us: started_at_us + at,
      ended_at_us: started_at_us + SECOND_US,
    }),
  )
const idsOf = (receipts: readonly Readonly<{ receipt_id: string }>[]) => receipts.map(({ receipt_id }) => receipt_id)

test('every call comes once, oldest first: however many end between two looks, and one that took long when it ends', async () => {
  const look = openFresh([], START_US)
  const before = named('before', 3, START_US - 60 * SECOND_US)
  const many = named('many', 2_300, START_US)
  await append('first', [...before, ...many])
  expect(idsOf(await look(ledger, START_US + 2 * SECOND_US))).toEqual(idsOf(many))
  expect(await look(ledger, START_US + 3 * SECOND_US)).toEqual([])

  const late = receipt({
    receipt_id: 'late',
    started_at_us: START_US - 10 * SECOND_US,
    ended_at_us: START_US + 4 * SECOND_US,
  })
  const more = named('more', 5, START_US + 3 * SECOND_US)
  await append('second', [late, ...more])
  expect(idsOf(await look(ledger, START_US + 5 * SECOND_US))).toEqual(['late', ...idsOf(more)])
})
