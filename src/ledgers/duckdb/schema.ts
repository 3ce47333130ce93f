import { type ColumnKind, columns } from '../columns.ts'
import { countNames, dailyColumns, moneyNames } from './names.ts'

/** Money of one receipt has 26 digits before the point and 12 after it; times are µs since the epoch, UTC, as the name says. */
const types: Readonly<Record<ColumnKind, string>> = {
  text: 'VARCHAR',
  flag: 'BOOLEAN',
  count: 'BIGINT',
  small: 'INTEGER',
  score: 'DOUBLE',
  time: 'BIGINT',
  money: 'DECIMAL(38,12)',
  hash: 'VARCHAR',
  tags: 'MAP(VARCHAR, VARCHAR)',
  texts: 'VARCHAR[]',
  hashes: 'VARCHAR[]',
  counts: 'INTEGER[]',
  lines:
    'STRUCT(kind VARCHAR, model VARCHAR, meter VARCHAR, quantity DOUBLE, rate_usd VARCHAR, cost_usd DECIMAL(38,12), price_row VARCHAR)[]',
  levers: 'STRUCT(name VARCHAR, action VARCHAR, saving_usd DECIMAL(38,12), why VARCHAR)[]',
}

export const columnNames = Object.keys(columns)

const typed = Object.entries(columns).map(([name, kind]) => `"${name}" ${types[kind]}`)

/** The shape of a journal line for `read_json`: nothing is guessed from the data. */
export const lineShape = `{k: 'VARCHAR', r: 'STRUCT(${typed.join(', ')})'}`

const dailyShape = [
  ...dailyColumns.map((name) => `${name} VARCHAR`),
  ...countNames.map((name) => `${name} BIGINT`),
  ...moneyNames.map((name) => `${name} ${types.money}`),
].join(', ')

/**
 * Migrations, forward only: each is run once, in order, and never edited after a release. A new ledger has every column of
 * `columns.ts` from the first one on, so a later one adds a column with IF NOT EXISTS.
 */
export const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE receipts (${typed.join(', ')})`,
    'CREATE TABLE segments (name VARCHAR PRIMARY KEY, receipts BIGINT NOT NULL, appended_at TIMESTAMP NOT NULL)',
  ],
  [`CREATE TABLE daily (started_at_us BIGINT, ${dailyShape})`, 'CREATE TABLE daily_days (day BIGINT PRIMARY KEY)'],
]
