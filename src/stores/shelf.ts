import { chmodSync, mkdirSync, renameSync, rmSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync, type StatementSync } from 'node:sqlite'

export type ShelfOptions = Readonly<{
  path: string
  now_us: () => number
  /** The SQL that makes its tables where they are not there yet. */
  tables: string
  /** Run whenever it is opened, e.g. to say where counting begins in a new one. */
  begin?: (database: DatabaseSync) => void
  /** What it holds, for messages, e.g. `stored answers`. */
  holds: string
  /** How long another's write is waited for, ms; where absent so briefly that no call feels it. */
  busy_ms?: number
}>

/** A SQLite file of things that can be lost: shared by threads, and never the reason why a call fails. */
export type Shelf = Readonly<{
  /** What is wrong with the file, if something is, without its path. */
  trouble(): string | undefined
  /** Works on the file; gives `otherwise` where that goes wrong. Throws nothing. */
  use<T>(work: (database: DatabaseSync) => T, otherwise: T): T
  close(): void
}>

const prepared = new WeakMap<DatabaseSync, Map<string, StatementSync>>()

/** A statement, compiled once for each open file. */
export const statement = (database: DatabaseSync, sql: string): StatementSync => {
  const known = prepared.get(database) ?? new Map<string, StatementSync>()
  prepared.set(database, known)
  const found = known.get(sql) ?? database.prepare(sql)
  known.set(sql, found)
  return found
}

/** How long another thread's write is waited for: a call must not wait for its cache. */
const BUSY_MS = 20
const RETRY_US = 5_000_000
/** How often it is looked whether the file is still the one that was opened. */
const LOOK_US = 5_000_000

/** SQLITE_CORRUPT and SQLITE_NOTADB (sqlite.org/rescode.html). */
const broken = new Set([11, 26])
const codeOf = (error: unknown): number => Number((error as { errcode?: number }).errcode ?? 0) & 0xff

const openFile = ({ path, tables, begin, busy_ms = BUSY_MS }: ShelfOptions): DatabaseSync => {
  mkdirSync(dirname(path), { recursive: true })
  const database = new DatabaseSync(path, { timeout: busy_ms })
  try {
    database.exec(`pragma journal_mode = wal; pragma synchronous = off; ${tables}`)
    begin?.(database)
    chmodSync(path, 0o600)
    return database
  } catch (error) {
    database.close()
    throw error
  }
}

/** Moves a broken file out of the way. Another thread may have done it already: then the file is good, and stays. */
const setAside = (options: ShelfOptions): void => {
  const { path, now_us } = options
  try {
    openFile(options).close()
  } catch (error) {
    if (!broken.has(codeOf(error))) return
    renameSync(path, `${path}.broken-${now_us()}`)
    for (const more of ['-wal', '-shm']) rmSync(path + more, { force: true })
  }
}

/** Tells one file from another at the same path; undefined where there is none. */
const identity = (path: string): number | undefined => statSync(path, { throwIfNoEntry: false })?.ino

/**
 * The file, opened when it is first needed, and anew where it was deleted or replaced. One that is broken is set aside and created
 * again, one that cannot be used counts as empty, and `trouble` says so.
 */
export const openShelf = (options: ShelfOptions): Shelf => {
  const { now_us, holds } = options
  let database: DatabaseSync | undefined
  let trouble: string | undefined
  let retry_at_us = 0
  let look_at_us = 0
  let opened: number | undefined

  const open = (): DatabaseSync => {
    if (database && now_us() >= look_at_us && identity(options.path) !== opened) {
      database.close()
      database = undefined
    }
    if (!database) {
      database = openFile(options)
      opened = identity(options.path)
    }
    if (now_us() >= look_at_us) look_at_us = now_us() + LOOK_US
    return database
  }
  const fail = (error: unknown): void => {
    trouble = `the file of ${holds} cannot be used`
    if (!broken.has(codeOf(error))) {
      if (!database) retry_at_us = now_us() + RETRY_US
      return
    }
    const old = database
    database = undefined
    try {
      old?.close()
    } catch {
      // It is broken, and another one takes its place.
    }
    setAside(options)
    trouble = `the file of ${holds} was broken: it was set aside and created again`
  }
  return {
    trouble: () => trouble,
    use(work, otherwise) {
      if (!database && now_us() < retry_at_us) return otherwise
      try {
        const result = work(open())
        trouble = undefined
        return result
      } catch (error) {
        try {
          fail(error)
        } catch {
          // Nothing more can be done: `trouble` says that the file cannot be used.
        }
        return otherwise
      }
    },
    close() {
      database?.close()
      database = undefined
    },
  }
}
