import { ownFields } from '../../core/columns.ts'
import { WeirError } from '../../core/errors.ts'
import { endMark, openMark, receiptMark } from '../../core/journal-line.ts'
import type { Appended, Segment } from '../../core/ledger.ts'
import { unrollDays } from './daily.ts'
import type { Session } from './engine.ts'
import { storedColumns, storedShape } from './schema.ts'
import { raw, type Sql, sql } from './sql.ts'
import { count } from './values.ts'

/** A path is a pattern to the engine; brackets keep each special character itself. */
const literal = (path: string): string => path.replace(/[[*?]/g, (character) => `[${character}]`)

/** Money by position has at most six digits before the point, and 64 bits are read twice as fast as 128. */
const readType = (type: string): string => (type === 'DECIMAL(38,12)' ? 'DECIMAL(18,12)' : type)

const lineShape = raw(
  `{mark: 'VARCHAR', ${storedColumns.map(([name, type]) => `'${name}': '${readType(type)}'`).join(', ')}, ending: 'VARCHAR'}`,
)

/** A line of JSON has no tab, so it is a mark and nothing else. */
const linesOf = (path: string): Sql => sql`read_csv(${literal(path)}, columns = ${lineShape}, auto_detect = false,
  header = false, delim = '\t', quote = '', escape = '', comment = '', nullstr = '', null_padding = true,
  new_line = '\\n', max_line_size = 2097152)`

const namesOf = (some: typeof storedColumns): Sql => raw(some.map(([name]) => `"${name}"`).join(', '))
const stored = namesOf(storedColumns)
const own = storedColumns.slice(0, ownFields.length)

const NOT_A_LINE = `error('a line of the segment is cut, or no line of a journal')`

/** What is neither an open line nor a receipt, or is cut, stops everything. */
const isReceipt = raw(`CASE
  WHEN mark = '${receiptMark}' AND ending = '${endMark}' AND receipt_id IS NOT NULL THEN true
  WHEN mark = '${openMark}' AND ending = '${endMark}' THEN false
  WHEN starts_with(mark, '{') THEN true
  ELSE ${NOT_A_LINE} END`)

/** Where a line of JSON has what is stored in columns of their own: one look at the text finds all of it. */
const paths = raw(`['$.k', ${ownFields.map((name) => `'$.r.${name}'`).join(', ')}]`)
const found = raw(
  own
    .map(([name, type], at) => {
      const value = `found[${at + 2}]`
      return name === 'receipt_id' ? `coalesce(${value}, ${NOT_A_LINE})` : `CAST(${value} AS ${type})`
    })
    .join(', '),
)

const rowsIn = async (session: Session, table: Sql): Promise<number> =>
  count((await session.rows(sql`SELECT count(*) AS n FROM ${table}`))[0]?.['n'])

/** Receipts that are said as JSON come in as their text alone; here their own columns are filled from it. */
const spellOut = async (session: Session, table: Sql, first_row: number): Promise<number> => {
  const unread = sql`rowid >= ${first_row} AND receipt_id IS NULL`
  const [waiting] = await session.rows(sql`SELECT count(*) AS n FROM ${table} WHERE ${unread}`)
  if (count(waiting?.['n']) === 0) return 0
  const spelt = await session.run(sql`
    INSERT INTO ${table} (${namesOf(own)}, whole)
    SELECT ${found}, whole
    FROM (SELECT whole, json_extract_string(whole, ${paths}) AS found FROM ${table} WHERE ${unread})
    WHERE found[1] = 'receipt'`)
  return spelt - (await session.run(sql`DELETE FROM ${table} WHERE ${unread}`))
}

/** Reads a segment into a table. Resolves to the number of receipts in it. */
const read = async (session: Session, table: Sql, path: string): Promise<number> => {
  const first_row = await rowsIn(session, table)
  const lines = await session.run(sql`
    INSERT INTO ${table} (${stored}, whole)
    SELECT ${stored}, CASE WHEN ending IS NULL THEN mark END FROM ${linesOf(path)} WHERE ${isReceipt}`)
  return lines + (await spellOut(session, table, first_row))
}

/** Leaves out receipts that are in the ledger, and the repetitions within the segment. */
const readNew = async (session: Session, path: string) => {
  const incoming = raw('incoming')
  await session.run(sql`CREATE OR REPLACE TEMP TABLE ${incoming} (${raw(storedShape)})`)
  const all = await read(session, incoming, path)
  const receipts = await session.run(sql`
    INSERT INTO receipts (${stored}, whole)
    SELECT DISTINCT ON (receipt_id) ${stored}, whole FROM ${incoming}
    WHERE receipt_id NOT IN (SELECT receipt_id FROM receipts)`)
  await session.run(sql`DROP TABLE ${incoming}`)
  return { receipts, skipped: all - receipts }
}

const insert = async (session: Session, { path, deduplicate }: Segment) =>
  deduplicate === 'receipts'
    ? readNew(session, path)
    : { receipts: await read(session, raw('receipts'), path), skipped: 0 }

/**
 * Appends a segment in one transaction with its name: both are in the ledger, or neither is. Throws `bad-input` when a line
 * of it cannot be read; nothing is appended then.
 */
export const append = async (session: Session, segment: Segment): Promise<Appended> => {
  await session.run(sql`BEGIN`)
  try {
    const [known] = await session.rows(sql`SELECT 1 FROM segments WHERE name = ${segment.name}`)
    if (known) {
      await session.run(sql`ROLLBACK`)
      return { segment: 'already', receipts: 0, skipped: 0 }
    }
    const first_row = await rowsIn(session, raw('receipts'))
    const { receipts, skipped } = await insert(session, segment)
    await unrollDays(session, first_row)
    await session.run(sql`INSERT INTO segments VALUES (${segment.name}, ${receipts}, now()::TIMESTAMP)`)
    await session.run(sql`COMMIT`)
    return { segment: 'appended', receipts, skipped }
  } catch (cause) {
    await session.run(sql`ROLLBACK`).catch(() => 0)
    throw new WeirError('bad-input', `The ledger cannot append ${segment.name}: ${(cause as Error).message}`, { cause })
  }
}
