import type { DatabaseSync, SQLOutputValue } from 'node:sqlite'
import type { Answers, StoredAnswer } from '../core/lever.ts'
import { openFlights } from './answers/flights.ts'
import { openShelf, type Shelf, statement } from './shelf.ts'

export type AnswersOptions = Readonly<{
  path: string
  now_us: () => number
  /** True where other threads use the file too: then calls in flight are told to them as well. */
  shared?: boolean
  /** How long another's write is waited for, ms. */
  busy_ms?: number
}>

/** A stored answer without its body, as `weir cache list` shows it. */
export type AnswerRow = Readonly<{
  partition: string
  key: string
  lever: string
  tags: readonly string[]
  size_bytes: number
  content_type: string
  receipt_id: string
  stored_at_us: number
  expires_at_us: number
  used_at_us: number
}>

export type AnswerStats = Readonly<{ answers: number; bytes: number; expired: number; partitions: number }>

/** Answers and the keeping of them. */
export type AnswerStore = Answers &
  Readonly<{
    list(most: number): readonly AnswerRow[]
    stats(): AnswerStats
    /** Takes out the answers with this tag, or all; returns how many. */
    purge(what: Readonly<{ tag?: string }>): number
    close(): void
  }>

const TABLES = `
  create table if not exists answers (
    partition text not null, key text not null, lever text not null, tags text not null, body blob not null,
    content_type text not null, receipt_id text not null, stored_at_us integer not null, expires_at_us integer not null,
    used_at_us integer not null, size_bytes integer not null, primary key (partition, key));
  drop index if exists answers_by_use;
  create index if not exists answers_by_size on answers (lever, used_at_us, size_bytes);
  create index if not exists answers_by_end on answers (expires_at_us);
  create table if not exists flights (
    partition text not null, key text not null, call_id text not null, ends_at_us integer not null,
    primary key (partition, key)) without rowid;
`

/** An answer's last use is written down this seldom: a hit is a read. */
const USE_US = 60_000_000
/** The bound in bytes is looked at when such a share of it was added, and this often to let go what is over its time. */
const ROOM_SHARE = 128
const ROOM_US = 60_000_000

type Row = Record<string, SQLOutputValue>

const asRow = (row: Row): AnswerRow => ({
  partition: String(row['partition']),
  key: String(row['key']),
  lever: String(row['lever']),
  tags: JSON.parse(String(row['tags'])) as string[],
  size_bytes: Number(row['size_bytes']),
  content_type: String(row['content_type']),
  receipt_id: String(row['receipt_id']),
  stored_at_us: Number(row['stored_at_us']),
  expires_at_us: Number(row['expires_at_us']),
  used_at_us: Number(row['used_at_us']),
})

const COLUMNS =
  'partition, key, lever, tags, content_type, receipt_id, stored_at_us, expires_at_us, used_at_us, size_bytes'

const SUM = 'select total(size_bytes) as bytes from answers where lever = ?'
/** Of the few that were used least lately as many as make room for so many bytes. */
const REMOVE = `
  delete from answers where rowid in (
    select id from (
      select id, sum(size_bytes) over (order by used_at_us, id) - size_bytes as before from (
        select rowid as id, size_bytes, used_at_us from answers where lever = ? order by used_at_us limit 256))
    where before < ?)`

/** Takes out what is over its time, then what was used least lately until the rest fits. Indexes say which: answers are long to read. */
const makeRoom = (database: DatabaseSync, lever: string, most_bytes: number, now_us: number): void => {
  statement(database, 'delete from answers where expires_at_us <= ?').run(now_us)
  for (;;) {
    const over = Number(statement(database, SUM).get(lever)?.['bytes'] ?? 0) - most_bytes
    if (over <= 0 || statement(database, REMOVE).run(lever, over).changes === 0) return
  }
}

/** What the command line asks of the file. */
const openKeeping = (shelf: Shelf, now_us: () => number): Pick<AnswerStore, 'list' | 'stats' | 'purge'> => ({
  list: (most) =>
    shelf.use(
      (database) =>
        database.prepare(`select ${COLUMNS} from answers order by stored_at_us desc limit ?`).all(most).map(asRow),
      [],
    ),
  stats: () =>
    shelf.use(
      (database) => {
        const row = database
          .prepare(
            `select count(*) as answers, total(size_bytes) as bytes, count(distinct partition) as partitions,
                 count(*) filter (where expires_at_us <= ?) as expired from answers`,
          )
          .get(now_us())
        const count = (name: string) => Number(row?.[name] ?? 0)
        return {
          answers: count('answers'),
          bytes: count('bytes'),
          expired: count('expired'),
          partitions: count('partitions'),
        }
      },
      { answers: 0, bytes: 0, expired: 0, partitions: 0 },
    ),
  purge: ({ tag }) =>
    shelf.use((database) => {
      // What is deleted is overwritten, and leaves the log of the file, too.
      database.exec('pragma secure_delete = on')
      const tagged = 'exists (select 1 from json_each(answers.tags) where value = ?)'
      const { changes } =
        tag === undefined
          ? database.prepare('delete from answers').run()
          : database.prepare(`delete from answers where ${tagged}`).run(tag)
      database.exec('pragma wal_checkpoint(truncate); pragma secure_delete = off')
      return Number(changes)
    }, 0),
})

/**
 * Stored answers in one SQLite file, shared by threads and with the command line. Nothing here throws: a file that is broken is set
 * aside and created again, one that cannot be used counts as empty, and `trouble` says so.
 */
export const openAnswers = (options: AnswersOptions): AnswerStore => {
  const { now_us } = options
  const shelf = openShelf({ ...options, tables: TABLES, holds: 'stored answers' })
  const added = new Map<string, number>()
  let room_at_us = 0

  const keepTo = (database: DatabaseSync, lever: string, most_bytes: number, size_bytes: number): void => {
    const bytes = (added.get(lever) ?? most_bytes) + size_bytes
    added.set(lever, bytes)
    if (bytes * ROOM_SHARE < most_bytes && now_us() < room_at_us) return
    makeRoom(database, lever, most_bytes, now_us())
    added.set(lever, 0)
    room_at_us = now_us() + ROOM_US
  }

  const get = (partition: string, key: string, other = key): StoredAnswer | undefined =>
    shelf.use((database) => {
      const row = statement(
        database,
        'select partition, key, body, content_type, receipt_id, stored_at_us, used_at_us from answers where partition = ? and key in (?, ?) and expires_at_us > ? order by key = ? desc limit 1',
      ).get(partition, key, other, now_us(), key)
      const found = row?.['key']
      // Looked at again on the hit: what comes back must be what was asked for.
      if (!row || row['partition'] !== partition || (found !== key && found !== other)) return undefined
      if (now_us() - Number(row['used_at_us']) > USE_US)
        database
          .prepare('update answers set used_at_us = ? where partition = ? and key = ?')
          .run(now_us(), partition, found)
      return {
        body: row['body'] as Uint8Array,
        content_type: String(row['content_type']),
        receipt_id: String(row['receipt_id']),
        stored_at_us: Number(row['stored_at_us']),
      }
    }, undefined)

  const { stop, ...flights } = openFlights({ now_us, get, ...(options.shared ? { use: shelf.use } : {}) })

  return {
    trouble: shelf.trouble,
    get,
    put(partition, key, { body, content_type, receipt_id, stored_at_us }, { ttl_s, tags, most_bytes, lever }) {
      shelf.use((database) => {
        statement(database, 'insert or replace into answers values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)').run(
          partition,
          key,
          lever,
          JSON.stringify(tags),
          body,
          content_type,
          receipt_id,
          stored_at_us,
          now_us() + Math.round(ttl_s * 1e6),
          now_us(),
          body.length,
        )
        keepTo(database, lever, most_bytes, body.length)
      }, undefined)
    },
    ...flights,
    ...openKeeping(shelf, now_us),
    close() {
      stop()
      shelf.close()
    },
  }
}
