import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { columns } from '../../src/ledgers/columns.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { ledgerContract } from './contract.ts'
import { leaksContract } from './leaks-contract.ts'
import { fullReceipt } from './receipts.ts'

const openEmpty = async (folder: string) => {
  const path = join(folder, 'ledger.duckdb')
  const ledger = await open({ path })
  const reopen = async () => {
    await ledger.close()
    return open({ path })
  }
  return { ledger, reopen }
}

ledgerContract('duckdb', openEmpty)
leaksContract('duckdb', openEmpty)

describe('the columns', () => {
  test('are every field that a receipt can have', () => {
    expect(Object.keys(columns).sort()).toEqual(Object.keys(fullReceipt()).sort())
  })
})
