import { mkdirSync, readdirSync, renameSync, rmSync, truncateSync } from 'node:fs'
import { basename, join } from 'node:path'

const QUEUED = /^(\d{12})-(.+)$/

/** A segment that waits to be watched; those of higher positions came later. */
export type Queued = Readonly<{ position: number; path: string }>

export type WatchQueue = Readonly<{
  /** Moves a segment that the ledger has to the end of the queue. */
  take(path: string): void
  /** Those behind a position, in order. */
  after(position: number): readonly Queued[]
  /** Forgets those up to a position. The last file stays, empty: it says which position comes next. */
  drop(position: number): void
  /** The position of the last that was taken; 0 before any. */
  last(): number
  /** Forgets everything. */
  clear(): void
}>

const read = (folder: string): readonly Queued[] => {
  try {
    return readdirSync(folder)
      .flatMap((file): Queued[] => {
        const position = QUEUED.exec(file)?.[1]
        return position === undefined ? [] : [{ position: Number(position), path: join(folder, file) }]
      })
      .sort((one, other) => one.position - other.position)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

/**
 * Segments between the ledger and the watch, in the folder `watch`: a segment moves there in one step when the ledger has it,
 * so each is watched once. One that was watched stays until the memory that has seen it is in the store.
 */
export const openQueue = (data: string): WatchQueue => {
  const folder = join(data, 'watch')
  let last: number | undefined
  return {
    take(path) {
      mkdirSync(folder, { recursive: true, mode: 0o700 })
      last = (last ?? read(folder).at(-1)?.position ?? 0) + 1
      renameSync(path, join(folder, `${last.toString().padStart(12, '0')}-${basename(path)}`))
    },
    after: (position) => read(folder).filter((one) => one.position > position),
    drop(position) {
      const all = read(folder)
      for (const [at, one] of all.entries()) {
        if (one.position > position) break
        if (at === all.length - 1) truncateSync(one.path)
        else rmSync(one.path, { force: true })
      }
    },
    last: () => read(folder).at(-1)?.position ?? 0,
    clear: () => rmSync(folder, { recursive: true, force: true }),
  }
}
