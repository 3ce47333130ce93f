import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync, type SQLInputValue } from 'node:sqlite'
import { Kysely, Migrator, type SqliteDatabase, SqliteDialect } from 'kysely'
import { type ErrorCode, WeirError } from '../core/errors.ts'
import type { Store } from '../core/store.ts'
import { alertsOf } from './alerts.ts'
import { budgetsOf } from './budgets.ts'
import { closesOf } from './closes.ts'
import { makeDataFolder } from './folder.ts'
import { keysOf } from './keys.ts'
import { migrations, type Tables } from './migrations.ts'
import { outcomesOf } from './outcomes.ts'
import { rulesOf } from './rule-sets.ts'
import { tokensOf } from './tokens.ts'

/** What keeps a store from its work, by SQLite's code (https://sqlite.org/rescode.html), and what to do. */
const troubles: Readonly<Record<number, readonly [ErrorCode, string]>> = {
  5: ['overloaded', 'another process has been writing to it for five seconds. Try again'],
  8: ['bad-config', 'it may only be read. Let this user write to the data folder'],
  10: ['bad-config', 'the disk failed'],
  11: ['bad-config', 'the file is broken. Stop the gateway and put a copy in its place'],
  13: ['overloaded', 'the disk is full. Make room and try again'],
}

/** Does it; trouble with the file is told as what it is, and every other error stays. */
const telling = <T>(act: () => T): T => {
  try {
    return act()
  } catch (cause) {
    const trouble = troubles[Number((cause as { errcode?: number }).errcode ?? 0) & 0xff]
    if (trouble === undefined) throw cause
    const [code, why] = trouble
    throw new WeirError(code, `The store (store.db in the data folder) cannot be used: ${why}.`, { cause })
  }
}

/** Node's own SQLite behind the face that Kysely knows. */
const faceOf = (database: DatabaseSync): SqliteDatabase => ({
  close: () => database.close(),
  prepare: (sql) => {
    const statement = telling(() => database.prepare(sql))
    const given = (parameters: readonly unknown[]) => parameters as readonly SQLInputValue[]
    return {
      reader: statement.columns().length > 0,
      all: (parameters) => telling(() => statement.all(...given(parameters))),
      run: (parameters) => telling(() => statement.run(...given(parameters))),
      iterate: (parameters) => statement.iterate(...given(parameters)),
    }
  },
})

/** Within a process stores open one after the other: waiting for the file's lock would stop the loop that its holder needs. */
let turn: Promise<unknown> = Promise.resolve()

/** Brings the tables up to date under the write lock, so that two processes may open a new store at once. */
const migrate = async (database: DatabaseSync, db: Kysely<Tables>): Promise<void> => {
  database.exec('begin immediate')
  try {
    const migrator = new Migrator({
      db,
      provider: { getMigrations: async () => migrations },
      disableTransactions: true,
    })
    const { error } = await migrator.migrateToLatest()
    if (error !== undefined) throw error
    database.exec('commit')
  } catch (error) {
    database.exec('rollback')
    throw error
  }
}

const openFile = (path: string): DatabaseSync => {
  const database = new DatabaseSync(path, { timeout: 5000 })
  chmodSync(path, 0o600)
  database.exec('pragma journal_mode = wal; pragma synchronous = full; pragma foreign_keys = on')
  return database
}

/**
 * Opens (and where needed creates) the store `store.db` in the data folder. Several processes may have it open.
 * Throws WeirError `bad-config` when the folder cannot be written or the file is no store.
 */
export const open = (options: Readonly<{ data: string }>): Promise<Store> => {
  const opened = turn.then(() => openNow(options))
  turn = opened.catch(() => undefined)
  return opened
}

const openNow = async (options: Readonly<{ data: string }>): Promise<Store> => {
  const path = join(options.data, 'store.db')
  let database: DatabaseSync | undefined
  try {
    makeDataFolder(options.data)
    database = openFile(path)
    const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: faceOf(database) }) })
    await migrate(database, db)
    return storeOf(database, db)
  } catch (cause) {
    database?.close()
    if (cause instanceof WeirError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    throw new WeirError(
      'bad-config',
      `cannot open the store ${path}: ${why}. Check that the folder is writable and its disk has room, or name another one with --data`,
      { cause },
    )
  }
}

/** A store without anything in it and without a file, for who reads where there is none. What is put into it throws, as it would be lost. */
export const openEmpty = async (): Promise<Store> => {
  const database = new DatabaseSync(':memory:')
  const db = new Kysely<Tables>({ dialect: new SqliteDialect({ database: faceOf(database) }) })
  await migrate(database, db)
  const tables = database
    .prepare(`select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'`)
    .all()
  for (const { name } of tables)
    database.exec(
      `create trigger "no_${name}" before insert on "${name}" begin select raise(abort, 'no store was made'); end`,
    )
  return storeOf(database, db)
}

const storeOf = (database: DatabaseSync, db: Kysely<Tables>): Store => ({
  keys: keysOf(db),
  tokens: tokensOf(db),
  secrets: {
    put: async (provider, sealed) => {
      await db
        .insertInto('secrets')
        .values({ provider, sealed })
        .onConflict((conflict) => conflict.column('provider').doUpdateSet({ sealed }))
        .execute()
    },
    all: async () => {
      const rows = await db.selectFrom('secrets').selectAll().orderBy('provider').execute()
      return Object.fromEntries(rows.map(({ provider, sealed }) => [provider, sealed]))
    },
    remove: async (provider) => {
      const done = await db.deleteFrom('secrets').where('provider', '=', provider).executeTakeFirst()
      return done.numDeletedRows > 0n
    },
  },
  outcomes: outcomesOf(db),
  rules: rulesOf(db),
  closes: closesOf(db),
  alerts: alertsOf(db),
  budgets: budgetsOf(db),
  // SQLite counts commits of other connections in `data_version`; a connection's own writes do not move it.
  revision: async () => Number(database.prepare('pragma data_version').get()?.['data_version']),
  close: () => db.destroy(),
})
