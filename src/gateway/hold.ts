import { join } from 'node:path'
import type { Ledger } from '../core/ledger.ts'
import { ledgers } from '../ledgers/index.ts'
import { type DataLock, lockData } from './lock.ts'
import { type Recovered, recover } from './recover.ts'

/** A data folder's ledger in the hands of this process. */
export type Held = Readonly<{
  ledger: Ledger
  /** `<data>/journal`, where closed segments wait for a collector. */
  journal: string
  recovered: Recovered
  /** Closes the ledger and gives the folder free. */
  close(): Promise<void>
}>

const openUnder = async (lock: DataLock, data: string, memory_limit?: string): Promise<Held> => {
  const journal = join(data, 'journal')
  const recovered = recover(journal)
  const ledger = await ledgers.duckdb({
    path: join(data, 'ledger.duckdb'),
    ...(memory_limit === undefined ? {} : { memory_limit }),
  })
  const close = async () => {
    await ledger.close()
    lock.release()
  }
  return { ledger, journal, recovered, close }
}

/**
 * Takes the data folder for this process, makes the journal of processes that died whole, and opens the ledger.
 * `role` is what others are told who holds it, e.g. `weir serve`. Throws `overloaded` when it stays taken for `wait_ms`.
 */
export const holdLedger = async (
  data: string,
  options: Readonly<{ role: string; wait_ms?: number; memory_limit?: string | undefined }>,
): Promise<Held> => {
  const lock = await lockData(data, options)
  try {
    return await openUnder(lock, data, options.memory_limit)
  } catch (error) {
    lock.release()
    throw error
  }
}
