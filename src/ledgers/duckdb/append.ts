import { WeirError } from '../../core/errors.ts'
import type { Appended, Segment } from '../../core/ledger.ts'
import { unrollDays } from './daily.ts'
import type { Session } from './engine.ts'
import { columnNames, lineShape } from './schema.ts'
import { raw, type Sql, sql } from './sql.ts'
import { count } from './values.ts'

/** A path is a pattern to `read_json`; brackets keep each special character itself. */
const literal = (path: string): string => path.replace(/[[*?]/g, (character) => `[${character}]`)

const receiptsOf = (path: string): Sql =>
  sql`(SELECT r FROM read_json(${literal(path)}, format = 'newline_delimited', maximum_object_size = 2097152, columns = ${raw(lineShape)}) WHERE k = 'receipt')`

const fields = (of: string): Sql => raw(columnNames.map((name) => `${of}."${name}"`).join(', '))
const target = raw(`receipts (${columnNames.map((name) => `"${name}"`).join(', ')})`)

const insertAll = (path: string): Sql => sql`INSERT INTO ${target} SELECT ${fields('r')} FROM ${receiptsOf(path)}`

/** Leaves out receipts that are in the ledger, and the repetitions within the segment. */
const insertNew = (path: string): Sql => sql`
  INSERT INTO ${target}
  SELECT ${fields('r')}
  FROM (SELECT any_value(r) AS r FROM ${receiptsOf(path)} GROUP BY r.receipt_id) AS fresh
  WHERE r.receipt_id NOT IN (SELECT receipt_id FROM receipts)`

const insert = async (session: Session, { path, deduplicate }: Segment) => {
  if (deduplicate !== 'receipts') return { receipts: await session.run(insertAll(path)), skipped: 0 }
  const [counted] = await session.rows(sql`SELECT count(*) AS n FROM ${receiptsOf(path)}`)
  const receipts = await session.run(insertNew(path))
  return { receipts, skipped: Number(counted?.['n'] ?? 0) - receipts }
}

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
    const [before] = await session.rows(sql`SELECT count(*) AS n FROM receipts`)
    const { receipts, skipped } = await insert(session, segment)
    await unrollDays(session, count(before?.['n']))
    await session.run(sql`INSERT INTO segments VALUES (${segment.name}, ${receipts}, now()::TIMESTAMP)`)
    await session.run(sql`COMMIT`)
    return { segment: 'appended', receipts, skipped }
  } catch (cause) {
    await session.run(sql`ROLLBACK`).catch(() => 0)
    throw new WeirError('bad-input', `The ledger cannot append ${segment.name}: ${(cause as Error).message}`, { cause })
  }
}
