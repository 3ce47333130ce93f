import { columns } from '../../core/columns.ts'
import { briefColumns, countNames, dailyColumns, measureNames, moneyNames } from './names.ts'
import { receiptsSelect, shownTypes, spendingSelect, storedColumns } from './taken.ts'

export const columnNames = Object.keys(columns)

/** Texts that hardly repeat: to look for a better form of them takes longer than to write them. */
const unlike = new Set<string>([
  'receipt_id',
  'call_id',
  'provider_response_id',
  'session',
  'fingerprint_exact',
  'rest',
  'chain',
])

/** The shape of `packed`: the columns of a journal line. */
export const packedShape = storedColumns
  .map(([name, type]) => `"${name}" ${type}${unlike.has(name) ? ' USING COMPRESSION uncompressed' : ''}`)
  .join(', ')

const rolledShape = (names: readonly string[]): string =>
  [
    ...names.map((name) => `${name} VARCHAR`),
    ...countNames.map((name) => `${name} BIGINT`),
    ...moneyNames.map((name) => `${name} ${shownTypes.money}`),
  ].join(', ')

/** The coarser roll-up, of the rows of the finer one. */
export const briefSelect = `SELECT started_at_us, ${briefColumns.join(', ')},
  ${measureNames.map((name) => `sum(${name}) AS ${name}`).join(', ')} FROM daily`
export const briefGroups = `GROUP BY started_at_us, ${briefColumns.join(', ')}`

/** The shape of `spelt`, and of the one table of the first two versions: a column for each field. */
const speltShape = Object.entries(columns)
  .map(([name, kind]) => `"${name}" ${shownTypes[kind]}`)
  .join(', ')

/**
 * Migrations, forward only: each is run once, in order, and never edited after a release. A new ledger has every column of
 * `columns.ts` from the first one on, so a later one adds a column with IF NOT EXISTS.
 */
export const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE receipts (${speltShape})`,
    'CREATE TABLE segments (name VARCHAR PRIMARY KEY, receipts BIGINT NOT NULL, appended_at TIMESTAMP NOT NULL)',
  ],
  [
    `CREATE TABLE daily (started_at_us BIGINT, ${rolledShape(dailyColumns)})`,
    'CREATE TABLE daily_days (day BIGINT PRIMARY KEY)',
  ],
  // The third version was never released. Its one table computed columns, and has the same names as that of the first two.
  [],
  [
    'ALTER TABLE receipts RENAME TO earlier',
    `CREATE TABLE spelt (${speltShape})`,
    `INSERT INTO spelt SELECT ${columnNames.map((name) => `"${name}"`).join(', ')} FROM earlier`,
    'DROP TABLE earlier',
    `CREATE TABLE packed (${packedShape})`,
    `CREATE VIEW receipts AS ${receiptsSelect}`,
    `CREATE VIEW spending AS ${spendingSelect()}`,
  ],
  [
    `CREATE TABLE daily_brief (started_at_us BIGINT, ${rolledShape(briefColumns)})`,
    `INSERT INTO daily_brief BY NAME ${briefSelect} ${briefGroups}`,
  ],
  [`CREATE OR REPLACE VIEW spending AS ${spendingSelect()}`],
]
