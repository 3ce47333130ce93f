import { readdirSync, readFileSync } from 'node:fs'
import { getPriority, setPriority } from 'node:os'

/** Ten steps of niceness below the rest: about a tenth of its share where all processors are busy, which a question of the ledger can still wait for. */
const BEHIND = 10
const LAST = 19

/** What Linux calls a thread of Node's pool, and those that the ledger's engine starts from it. */
const POOL = 'libuv-worker'

const isOfPool = (thread: string): boolean => readFileSync(`/proc/self/task/${thread}/comm`, 'utf8').trim() === POOL

/**
 * Calls go first: the threads on which the ledger appends and answers get a lower priority than those that serve, so that
 * what is behind an answer does not hold up the next one. Call it when the engine has its threads. Only Linux gives threads
 * priorities of their own; elsewhere, and where a sandbox forbids it, nothing changes.
 */
export const letCallsGoFirst = (): void => {
  if (process.platform !== 'linux') return
  try {
    const niceness = Math.min(getPriority() + BEHIND, LAST)
    for (const thread of readdirSync('/proc/self/task')) if (isOfPool(thread)) setPriority(Number(thread), niceness)
  } catch {
    // They share the processors evenly.
  }
}
