/**
 * Columns of the table `receipts` that are computed when a query names them and never stored: they are taken out of the
 * columns that hold several values each, and out of `whole`, the JSON of a receipt that has no form by position, where
 * there is one. The engine allows no lambda in them.
 */
import { type ColumnKind, columns, factFields, ownFields, restFields } from '../../core/columns.ts'
import { valueMark } from '../../core/journal-line.ts'

type Field = keyof typeof columns

const LINE =
  'STRUCT(kind VARCHAR, model VARCHAR, meter VARCHAR, quantity DOUBLE, rate_usd VARCHAR, cost_usd DECIMAL(38,12), price_row VARCHAR)'
const LEVER =
  'STRUCT(name VARCHAR, action VARCHAR, saving_usd DECIMAL(38,12), why VARCHAR, tokens BIGINT, removed INTEGER[])'

/** Types as a query sees them. Money of one receipt has 26 digits before the point and 12 after it. */
export const shownTypes: Readonly<Record<ColumnKind, string>> = {
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
  lines: `${LINE}[]`,
  levers: `${LEVER}[]`,
}

const json: ReadonlySet<ColumnKind> = new Set(['tags', 'texts', 'lines', 'levers'])
const listed: ReadonlySet<ColumnKind> = new Set(['hashes', 'counts'])
const asIs: ReadonlySet<ColumnKind> = new Set(['text', 'hash'])

const fromJson = (kind: ColumnKind, text: string): string =>
  `TRY_CAST(TRY_CAST(${text} AS JSON) AS ${shownTypes[kind]})`

/** From the text of a position to the type of the field. A value that is broken is null. */
const fromText = (kind: ColumnKind, text: string): string => {
  if (asIs.has(kind)) return text
  if (json.has(kind)) return fromJson(kind, text)
  return `TRY_CAST(${listed.has(kind) ? `string_split(${text}, ',')` : text} AS ${shownTypes[kind]})`
}

const inWhole = (name: Field): string => {
  const text = `json_extract_string(whole, '$.r.${name}')`
  const kind = columns[name]
  return listed.has(kind) ? fromJson(kind, text) : fromText(kind, text)
}

/** The value at a place of a column that holds several; null where it is absent. */
const valueAt = (column: string, at: number): string =>
  `nullif(split_part(${column}, chr(${valueMark.codePointAt(0)}), ${at + 1}), '')`

const lists = (text: string): string => `from_json(TRY_CAST(${text} AS JSON), '[["VARCHAR"]]')`
const shown = lists('meters')
const counted = lists(valueAt('rest', 0))
const lines = `TRY_CAST(list_zip(${shown}[1], ${shown}[2], ${shown}[3], ${counted}[1], ${shown}[4], ${counted}[2], ${shown}[5]) AS ${LINE}[])`

const placeOf = (name: Field): string => {
  const fact = (factFields as readonly string[]).indexOf(name)
  return fact >= 0 ? valueAt('facts', fact) : valueAt('rest', 1 + (restFields as readonly string[]).indexOf(name))
}

const packed = (name: Field): string => {
  if (name === 'lines') return `CASE WHEN meters IS NULL THEN NULL ELSE ${lines} END`
  return fromText(columns[name], placeOf(name))
}

const isOwn = (name: string): boolean => (ownFields as readonly string[]).includes(name)

/** Definitions of the columns, in SQL. The tags of a payer are a column of their own, as text. */
export const takenColumns: readonly string[] = [
  `tags ${shownTypes.tags} AS (${fromText('tags', 'tags_text')})`,
  ...(Object.keys(columns) as Field[])
    .filter((name) => !isOwn(name))
    .map(
      (name) =>
        `"${name}" ${shownTypes[columns[name]]} AS (CASE WHEN whole IS NULL THEN ${packed(name)} ELSE ${inWhole(name)} END)`,
    ),
]
