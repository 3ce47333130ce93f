import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { open } from '../../src/stores/sqlite.ts'
import { allocationContract } from './allocation-contract.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'weir-allocation-'))

allocationContract('SQLite', async () => {
  const data = folder()
  return { open: () => open({ data }), clear: async () => rmSync(data, { recursive: true }) }
})

test('an outcome that the engine refuses takes the whole batch back', async () => {
  const data = folder()
  const store = await open({ data })
  const good = { id: 'a', kind: 'k', count: 1, at_us: 1 }
  await expect(store.outcomes.add([good, { ...good, id: 'b', kind: null as never }])).rejects.toThrow()
  expect(await store.outcomes.list({})).toEqual([])
  await store.close()
  rmSync(data, { recursive: true })
})
