import type { Notes } from '../core/lever.ts'
import { openShelf, statement } from './shelf.ts'

const TABLES = `create table if not exists notes (
    position integer primary key autoincrement, partition text not null, note text not null);
  create index if not exists notes_by_partition on notes (partition, position);`

/** A file that is made anew counts on from the time, so that who has read the one before reads on. */
const BEGIN = `insert into sqlite_sequence (name, seq)
  select 'notes', ? where not exists (select 1 from sqlite_sequence where name = 'notes')`

/** A partition's oldest notes are taken out once in so many new ones. */
const PRUNE_EVERY = 256

export type NoteStore = Notes & Readonly<{ close(): void }>

/** What levers have learnt, in one SQLite file shared by the threads. Nothing throws: a file that cannot be used counts as empty. */
export const openNotes = (options: Readonly<{ path: string; now_us: () => number }>): NoteStore => {
  const shelf = openShelf({
    ...options,
    tables: TABLES,
    holds: 'what levers have learnt',
    begin: (database) => void database.prepare(BEGIN).run(options.now_us()),
  })
  let added = 0
  return {
    trouble: shelf.trouble,
    add: (partition, note, most) =>
      shelf.use((database) => {
        statement(database, 'insert into notes (partition, note) values (?, ?)').run(partition, note)
        added += 1
        if (added % PRUNE_EVERY === 0)
          database
            .prepare(
              `delete from notes where partition = ?1 and position <=
                 (select position from notes where partition = ?1 order by position desc limit 1 offset ?2)`,
            )
            .run(partition, most)
        return true
      }, false),
    after: (partition, position) =>
      shelf.use(
        (database) => {
          const rows = statement(
            database,
            'select position, note from notes where partition = ? and position > ? order by position',
          ).all(partition, position)
          return {
            notes: rows.map((row) => String(row['note'])),
            position: Number(rows.at(-1)?.['position'] ?? position),
          }
        },
        { notes: [], position },
      ),
    close: shelf.close,
  }
}
