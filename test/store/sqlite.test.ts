import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { open } from '../../src/stores/sqlite.ts'
import { storeContract } from './contract.ts'

const folder = () => mkdtempSync(join(tmpdir(), 'weir-store-'))

storeContract('SQLite', async () => {
  const data = folder()
  return { open: () => open({ data }), clear: async () => rmSync(data, { recursive: true }) }
})

test('the file can be read by its owner only', async () => {
  const data = folder()
  const store = await open({ data })
  expect(statSync(join(data, 'store.db')).mode & 0o777).toBe(0o600)
  await store.close()
  rmSync(data, { recursive: true })
})

test('the folder is made where it is missing', async () => {
  const data = folder()
  const store = await open({ data: join(data, 'a', 'b') })
  expect(await store.keys.list()).toEqual([])
  await store.close()
  rmSync(data, { recursive: true })
})

test('a file that is no store is refused with its path and what to do', async () => {
  const data = folder()
  writeFileSync(join(data, 'store.db'), 'this is not a database, but long enough to be mistaken for one'.repeat(40))
  await expect(open({ data })).rejects.toThrow(/cannot open the store .*store\.db: .*not a database.*--data/)
  chmodSync(join(data, 'store.db'), 0o600)
  rmSync(data, { recursive: true })
})

test('a store that another process keeps says so, and that it is worth another try', async () => {
  const data = folder()
  const store = await open({ data })
  const other = new DatabaseSync(join(data, 'store.db'))
  other.exec('begin immediate')
  await expect(store.secrets.put('openai', 'sealed')).rejects.toMatchObject({
    code: 'overloaded',
    message: expect.stringMatching(/store\.db .*another process has been writing to it/) as string,
  })
  other.close()
  await store.secrets.put('openai', 'sealed')
  await store.close()
  rmSync(data, { recursive: true })
})

test('processes that open a new store at the same time all succeed', async () => {
  const data = folder()
  const program = `
    const { open } = await import(process.argv[1])
    const store = await open({ data: process.argv[2] })
    await store.secrets.put('p' + process.pid, 'sealed')
    await store.close()`
  const modules = join(process.cwd(), 'src/stores/sqlite.ts')
  const children = Array.from({ length: 4 }, () =>
    spawn(process.execPath, ['--input-type=module', '-e', program, modules, data], { stdio: 'inherit' }),
  )
  const ends = await Promise.all(children.map(async (child) => (await once(child, 'exit'))[0]))
  expect(ends).toEqual([0, 0, 0, 0])
  const store = await open({ data })
  expect(Object.keys(await store.secrets.all())).toHaveLength(4)
  await store.close()
  rmSync(data, { recursive: true })
})
