import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { WeirError } from '../core/errors.ts'
import { makeDataFolder, unusable } from '../stores/folder.ts'

/** The right to write a data folder's ledger, held by one process at a time. */
export type DataLock = Readonly<{ release(): void }>

type Holder = Readonly<{ pid: number; role: string }>

const RETRY_MS = 40

const holderOf = (path: string): string => {
  try {
    const { pid, role } = JSON.parse(readFileSync(path, 'utf8')) as Holder
    return `${role}, process ${pid}`
  } catch {
    return 'another process'
  }
}

/**
 * The lock is SQLite's exclusive lock on an empty file, which the kernel gives back when its holder dies: unlike a file
 * with a process id it cannot go stale, nor be fooled by a process id that comes again (in a container it always does).
 */
const tryLock = (path: string): DatabaseSync | undefined => {
  const database = new DatabaseSync(path)
  try {
    database.exec('PRAGMA busy_timeout = 0; BEGIN EXCLUSIVE')
    return database
  } catch (error) {
    database.close()
    if (/locked|busy/i.test((error as Error).message)) return undefined
    throw error
  }
}

/** The folder's lock, and its own name beside it for who waits; undefined while another process has it. */
const tryHold = (data: string, role: string): DatabaseSync | undefined => {
  try {
    makeDataFolder(data)
    const database = tryLock(join(data, 'lock'))
    if (database)
      writeFileSync(join(data, 'lock.json'), JSON.stringify({ pid: process.pid, role } satisfies Holder), {
        mode: 0o600,
      })
    return database
  } catch (error) {
    throw error instanceof WeirError ? error : unusable(data, error)
  }
}

/**
 * Takes the lock of a data folder, which is made if it is absent, waiting `wait_ms` (2 s by default) for another process
 * to finish. Throws `overloaded` that names the holder, or `bad-config` where the folder cannot be used.
 */
export const lockData = async (
  data: string,
  { role, wait_ms = 2000 }: Readonly<{ role: string; wait_ms?: number }>,
): Promise<DataLock> => {
  for (let waited = 0; ; waited += RETRY_MS) {
    const database = tryHold(data, role)
    if (database) return { release: () => database.close() }
    if (waited >= wait_ms) {
      const message = `The ledger in ${data} is in use by ${holderOf(join(data, 'lock.json'))}. Wait until it is done, or stop it.`
      throw new WeirError('overloaded', message, { retry_after_s: 1 })
    }
    await sleep(RETRY_MS)
  }
}
