import { columns, layout } from '../../core/columns.ts'
import { HOUR_US } from '../../core/date.ts'
import { WeirError } from '../../core/errors.ts'
import type { Appended, Segment } from '../../core/ledger.ts'
import { endMark, openMark, receiptMark } from '../../core/line-marks.ts'
import { unrollDays } from './daily.ts'
import type { Session } from './engine.ts'
import { retell } from './retell.ts'
import { packedShape } from './schema.ts'
import { join, raw, type Sql, sql } from './sql.ts'
import { fromJsonText, storedColumns } from './taken.ts'
import { count } from './values.ts'

/** A path is a pattern to the engine; brackets keep each special character itself. */
const literal = (path: string): string => path.replace(/[[*?]/g, (character) => `[${character}]`)

const lineShape = raw(
  `{mark: 'VARCHAR', ${storedColumns.map(([name, type]) => `'${name}': '${type}'`).join(', ')}, ending: 'VARCHAR'}`,
)

/** An open line and a line of JSON have no tab, so they are a mark and nothing else. */
const linesOf = (paths: readonly string[]): Sql => sql`read_csv([${join(
  paths.map((path) => sql`${literal(path)}`),
  ', ',
)}], columns = ${lineShape}, auto_detect = false, header = false, delim = '\t', quote = '', escape = '', comment = '',
  nullstr = '', null_padding = true, new_line = '\\n', max_line_size = 2097152)`

const stored = raw(layout.map((name) => `"${name}"`).join(', '))

const NOT_A_LINE = `error('a line of the segment is cut, or no line of a journal')`

/** What is neither an open line nor a receipt, or is cut, stops everything. */
const isReceipt = raw(`CASE
  WHEN mark = '${receiptMark}' AND ending = '${endMark}' AND receipt_id IS NOT NULL AND attempt IS NOT NULL
    AND started_at_us IS NOT NULL AND ended_at_us IS NOT NULL THEN true
  WHEN starts_with(mark, '${openMark}') AND ends_with(mark, '${endMark}') THEN false
  WHEN starts_with(mark, '{') THEN CASE
    WHEN json_extract_string(mark, '$.k') = 'open' THEN false
    WHEN json_extract_string(mark, '$.k') = 'receipt' AND json_extract_string(mark, '$.r.receipt_id') IS NOT NULL THEN true
    ELSE ${NOT_A_LINE} END
  ELSE ${NOT_A_LINE} END`)

/** A receipt that is said as JSON comes in with its id, and its text in the place of `rest`. */
const placed = raw(
  layout
    .map((name) => {
      if (name === 'receipt_id') return `coalesce(receipt_id, json_extract_string(mark, '$.r.receipt_id'))`
      return name === 'rest' ? 'coalesce(rest, mark)' : `"${name}"`
    })
    .join(', '),
)

const rowsIn = async (session: Session, table: string): Promise<number> =>
  count((await session.rows(sql`SELECT count(*) AS n FROM ${raw(table)}`))[0]?.['n'])

const fields = Object.keys(columns) as (keyof typeof columns)[]
const names = raw(fields.map((name) => `"${name}"`).join(', '))
const paths = raw(`[${fields.map((name) => `'$.r.${name}'`).join(', ')}]`)
const found = raw(fields.map((name, at) => fromJsonText(name, `found[${at + 1}]`)).join(', '))

/** Moves receipts that came in as JSON from row `first_row` on to the table that has a column for each field. */
const spellOut = async (session: Session, first_row: number): Promise<void> => {
  const waiting = sql`rowid >= ${first_row} AND attempt IS NULL`
  if (count((await session.rows(sql`SELECT count(*) AS n FROM packed WHERE ${waiting}`))[0]?.['n']) === 0) return
  await session.run(sql`
    INSERT INTO spelt (${names})
    SELECT ${found} FROM (SELECT json_extract_string(rest, ${paths}) AS found FROM packed WHERE ${waiting})`)
  await session.run(sql`DELETE FROM packed WHERE ${waiting}`)
}

/** Reads segments into a table of the shape of `packed`. Resolves to the number of receipts in them. */
const read = (session: Session, table: Sql, files: readonly string[]): Promise<number> =>
  session.run(sql`INSERT INTO ${table} (${stored}) SELECT ${placed} FROM ${linesOf(files)} WHERE ${isReceipt}`)

type Counts = Pick<Appended, 'receipts' | 'skipped'>

/** A log names its own time for the beginning of an answer, and providers draw new ids: within an hour, the same id is the same answer. */
const SAME_ANSWER_US = HOUR_US

/** Has the gateway a receipt of the answer that a line tells of? */
const isLive = (incoming: Sql): Sql => sql`
  EXISTS (
    SELECT 1 FROM (
      SELECT provider_response_id AS id, started_at_us AS moment FROM spending
      WHERE origin = 'live' AND provider_response_id IS NOT NULL
        AND started_at_us BETWEEN (SELECT min(started_at_us) - ${SAME_ANSWER_US} FROM ${incoming})
          AND (SELECT max(started_at_us) + ${SAME_ANSWER_US} FROM ${incoming})
    ) WHERE id = provider_response_id AND abs(moment - started_at_us) <= ${SAME_ANSWER_US}
  )`

/**
 * Leaves out receipts that are in the ledger, answers of which the gateway has a receipt of its own, and the repetitions
 * within the segments.
 */
const readNew = async (session: Session, files: readonly string[]): Promise<Counts> => {
  const incoming = raw('temp.incoming')
  await session.run(sql`CREATE OR REPLACE TEMP TABLE incoming (${raw(packedShape)})`)
  const all = await read(session, incoming, files)
  const receipts = await session.run(sql`
    INSERT INTO packed (${stored})
    SELECT DISTINCT ON (receipt_id) ${stored} FROM ${incoming}
    WHERE receipt_id NOT IN (SELECT receipt_id FROM spending) AND NOT ${isLive(incoming)}`)
  await session.run(sql`DROP TABLE ${incoming}`)
  return { receipts, skipped: all - receipts }
}

const insert = async (session: Session, files: readonly string[], each: boolean): Promise<Counts> => {
  const first_row = await rowsIn(session, 'packed')
  const first_spelt = await rowsIn(session, 'spelt')
  const counts = each
    ? await readNew(session, files)
    : { receipts: await read(session, raw('packed'), files), skipped: 0 }
  await spellOut(session, first_row)
  await unrollDays(session, first_row, first_spelt)
  return counts
}

/** Runs in a transaction: all of it is in the ledger, or nothing. */
const together = async <T>(session: Session, act: () => Promise<T>): Promise<T> => {
  await session.run(sql`BEGIN`)
  try {
    const done = await act()
    await session.run(sql`COMMIT`)
    return done
  } catch (error) {
    await session.run(sql`ROLLBACK`).catch(() => 0)
    throw error
  }
}

const unknownOf = async (session: Session, segments: readonly Segment[]): Promise<readonly Segment[]> => {
  const given = join(
    segments.map(({ name }) => sql`${name}`),
    ', ',
  )
  const rows = await session.rows(sql`SELECT name FROM segments WHERE name IN (${given})`)
  const known = new Set(rows.map(({ name }) => name))
  return segments.filter(({ name }) => !known.has(name))
}

const appendNow = (session: Session, segments: readonly Segment[], files: readonly string[]): Promise<Appended> =>
  together(session, async () => {
    const each = segments.some(({ deduplicate }) => deduplicate === 'receipts')
    const counts = await insert(session, files, each)
    // What was read together was counted together.
    for (const [at, { name }] of segments.entries())
      await session.run(sql`INSERT INTO segments VALUES (${name}, ${at === 0 ? counts.receipts : 0}, now()::TIMESTAMP)`)
    return { segment: 'appended', ...counts }
  })

/** The same with copies of the files in which lines of an earlier form are told anew, where there are any. */
const appendRetold = async (session: Session, segments: readonly Segment[], files: readonly string[], why: unknown) => {
  const retold = await retell(files)
  if (retold === undefined) throw why
  try {
    return await appendNow(session, segments, retold.files)
  } finally {
    retold.remove()
  }
}

/**
 * Appends segments in one transaction with their names: all are in the ledger, or none is; those that were before are left
 * out. A segment with lines of an earlier form is told anew first. Throws `bad-input` when a line of one cannot be read;
 * nothing is appended then.
 */
export const append = async (session: Session, segments: readonly Segment[]): Promise<Appended> => {
  const fresh = await unknownOf(session, segments)
  if (fresh.length === 0) return { segment: 'already', receipts: 0, skipped: 0 }
  const files = fresh.map(({ path }) => path)
  try {
    return await appendNow(session, fresh, files).catch((why) => appendRetold(session, fresh, files, why))
  } catch (cause) {
    const names = fresh.map(({ name }) => name).join(', ')
    throw new WeirError('bad-input', `The ledger cannot append ${names}: ${(cause as Error).message}`, { cause })
  }
}
