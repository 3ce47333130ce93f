/** What every ledger gives back of the past for a replay: which receipts, in pages of any size. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { historyMarks } from '../../src/core/history.ts'
import type { Ledger, Question } from '../../src/core/ledger.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import type { LedgerUnderTest } from './contract.ts'
import { DAY_US, MINUTE_US, receipt, START_US, writeSegment } from './receipts.ts'

const window = { from_us: START_US, to_us: START_US + DAY_US }

/** The first of the texts, which are the last part. */
const idOf = (line: string): string => line.split(historyMarks.part).at(-1)?.split(historyMarks.value)[0] ?? ''

export const historyContract = (name: string, openEmpty: (folder: string) => Promise<LedgerUnderTest>): void => {
  let folder = ''
  let ledger: Ledger

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weir-history-'))
    ledger = (await openEmpty(folder)).ledger
  })
  afterEach(async () => {
    await ledger.close()
    rmSync(folder, { recursive: true })
  })
  const append = async (receipts: readonly Receipt[]) => {
    writeSegment(join(folder, 'segment'), receipts)
    await ledger.append({ name: 'segment', path: join(folder, 'segment') })
  }
  const idsOf = async (limit: number, more: Partial<Extract<Question, { ask: 'history' }>> = {}) => {
    const ids: string[] = []
    for (let from_us: number | null | undefined; from_us !== null; ) {
      const after = from_us === undefined ? {} : { from_us }
      const page = await ledger.query({ ask: 'history', window, limit, ...more, ...after })
      // A page is in no order; pages are.
      ids.push(...(page.text === '' ? [] : page.text.split('\n').map(idOf)).sort())
      from_us = page.next_us
    }
    return ids
  }

  describe(`${name}: the past`, () => {
    const at = (minute: number) => START_US + minute * MINUTE_US
    const made = [
      receipt({ receipt_id: 'e', started_at_us: at(3), team: 'search' }),
      receipt({ receipt_id: 'c', started_at_us: at(2), team: 'ads' }),
      // Spelt, because it has a mark in it that lines by position have between their values.
      receipt({ receipt_id: 'b', started_at_us: at(2), team: 'search', customer: 'one\u001ftwo\nthree' }),
      receipt({ receipt_id: 'd', started_at_us: at(2), team: 'search' }),
      receipt({ receipt_id: 'a', started_at_us: at(1), team: 'search' }),
      receipt({ receipt_id: 'refused', started_at_us: at(1), team: 'search', outcome: 'refused' }),
      receipt({ receipt_id: 'corrected', started_at_us: at(4), team: 'search', corrects: 'a' }),
      receipt({ receipt_id: 'before', started_at_us: START_US - 1, team: 'search' }),
    ]

    test('is every receipt of the window once, however it was appended, without what was refused or only corrects', async () => {
      await append(made)
      expect(await idsOf(100)).toEqual(['a', 'b', 'c', 'd', 'e'])
    })

    test.each([1, 2, 3])('comes once and whole in pages of %i, and a moment is never torn', async (limit) => {
      await append(made)
      expect(await idsOf(limit)).toEqual(['a', 'b', 'c', 'd', 'e'])
    })

    test('is only what the filters ask for', async () => {
      await append(made)
      const filters = [{ dimension: 'team' as const, values: ['search'] }]
      expect(await idsOf(100, { filters })).toEqual(['a', 'b', 'd', 'e'])
    })

    test('of nothing is one empty page', async () => {
      expect(await idsOf(100)).toEqual([])
    })
  })
}
