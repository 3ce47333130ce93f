import { columns, ownFields } from '../../core/columns.ts'
import { countNames, dailyColumns, moneyNames } from './names.ts'
import { shownTypes, takenColumns } from './taken.ts'

export const columnNames = Object.keys(columns)

/** Texts that hardly repeat: to look for a better form of them takes longer than to write them. */
const unlike = new Set<string>([
  'receipt_id',
  'call_id',
  'provider_response_id',
  'session',
  'fingerprint_exact',
  'rest',
])

/** Columns that are stored, in the order of a journal line, and their types; times are µs since the epoch, UTC. */
export const storedColumns: readonly (readonly [name: string, type: string])[] = [
  ...ownFields.map((name) =>
    name === 'tags' ? (['tags_text', 'VARCHAR'] as const) : ([name, shownTypes[columns[name]]] as const),
  ),
  ['facts', 'VARCHAR'],
  ['meters', 'VARCHAR'],
  ['rest', 'VARCHAR'],
]

/** Columns of a table of receipts that are stored: those of a line by position, and a line of JSON. */
export const storedShape = [
  ...storedColumns.map(
    ([name, type]) => `"${name}" ${type}${unlike.has(name) ? ' USING COMPRESSION uncompressed' : ''}`,
  ),
  'whole VARCHAR',
].join(', ')

const dailyShape = [
  ...dailyColumns.map((name) => `${name} VARCHAR`),
  ...countNames.map((name) => `${name} BIGINT`),
  ...moneyNames.map((name) => `${name} ${shownTypes.money}`),
].join(', ')

/** The table of the first two versions stored every column. */
const firstShape = Object.entries(columns).map(([name, kind]) => `"${name}" ${shownTypes[kind]}`)

/** Money in the lists of the first table becomes text, so that JSON keeps its digits. */
const asText: Readonly<Record<string, string>> = {
  lines:
    'list_transform(lines, lambda x: {kind: x.kind, model: x.model, meter: x.meter, quantity: x.quantity, rate_usd: x.rate_usd, cost_usd: x.cost_usd::VARCHAR, price_row: x.price_row})',
  levers:
    'list_transform(levers, lambda x: {name: x.name, action: x.action, saving_usd: x.saving_usd::VARCHAR, why: x.why})',
}
const packed = columnNames
  .filter((name) => !(ownFields as readonly string[]).includes(name))
  .map(
    (name) =>
      `"${name}": ${asText[name] ?? (columns[name as keyof typeof columns] === 'money' ? `"${name}"::VARCHAR` : `"${name}"`)}`,
  )
const own = ownFields.map((name) => (name === 'tags' ? 'tags_text' : `"${name}"`)).join(', ')
const ownOfFirst = ownFields.map((name) => (name === 'tags' ? 'to_json(tags)::VARCHAR' : `"${name}"`)).join(', ')

/**
 * Migrations, forward only: each is run once, in order, and never edited after a release. A new ledger has every column of
 * `columns.ts` from the first one on, so a later one adds a column with IF NOT EXISTS.
 */
export const migrations: readonly (readonly string[])[] = [
  [
    `CREATE TABLE receipts (${firstShape.join(', ')})`,
    'CREATE TABLE segments (name VARCHAR PRIMARY KEY, receipts BIGINT NOT NULL, appended_at TIMESTAMP NOT NULL)',
  ],
  [`CREATE TABLE daily (started_at_us BIGINT, ${dailyShape})`, 'CREATE TABLE daily_days (day BIGINT PRIMARY KEY)'],
  [
    'ALTER TABLE receipts RENAME TO first_receipts',
    `CREATE TABLE receipts (${storedShape}, ${takenColumns.join(', ')})`,
    `INSERT INTO receipts (${own}, whole) SELECT ${ownOfFirst}, to_json({k: 'receipt', r: {${packed.join(', ')}}})::VARCHAR FROM first_receipts`,
    'DROP TABLE first_receipts',
  ],
]
