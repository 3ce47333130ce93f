/**
 * The views `receipts` and `spending`, in front of the two tables that hold them: `packed`, in the columns of a journal line, and `spelt`, the
 * few that have no form by position, a column for each field. Queries read a view and see fields as columns.
 */
import { type ColumnKind, columns, layout, packs } from '../../core/columns.ts'
import { fieldMark, lineMark } from '../../core/line-marks.ts'

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

/** What `from_json` makes of a text, by kind. */
const shapes: Partial<Record<ColumnKind, string>> = {
  tags: '"MAP(VARCHAR, VARCHAR)"',
  texts: '["VARCHAR"]',
  hashes: '["VARCHAR"]',
  counts: '["INTEGER"]',
  lines:
    '[{"kind":"VARCHAR","model":"VARCHAR","meter":"VARCHAR","quantity":"DOUBLE","rate_usd":"VARCHAR","cost_usd":"DECIMAL(38,12)","price_row":"VARCHAR"}]',
  levers:
    '[{"name":"VARCHAR","action":"VARCHAR","saving_usd":"DECIMAL(38,12)","why":"VARCHAR","tokens":"BIGINT","removed":["INTEGER"]}]',
}

const listed: ReadonlySet<ColumnKind> = new Set(['hashes', 'counts'])
const asIs: ReadonlySet<ColumnKind> = new Set(['text', 'hash'])

/** From the JSON text of a value to its type: of what stands in `spelt`. Throws for a value of another type. */
export const fromJsonText = (name: Field, text: string): string => {
  const kind = columns[name]
  const shape = shapes[kind]
  if (shape !== undefined) return `from_json(${text}, '${shape}')`
  return asIs.has(kind) ? text : `CAST(${text} AS ${shownTypes[kind]})`
}

const chr = (mark: string): string => `chr(${mark.codePointAt(0)})`
/** The fields of a pack, split once under a name of their own: the engine's `split_part` takes longer to plan than to run. */
const FIELD = chr(fieldMark)
const fieldsOf = (pack: string): string => `${pack}_fields`
export const splitsOf = (some: readonly string[]): string =>
  some.map((pack) => `string_split(${pack}, ${FIELD}) AS ${fieldsOf(pack)}`).join(', ')

/** From the text in a pack to the type of the field. What is empty or broken is null. */
const fromPack = (kind: ColumnKind, text: string): string => {
  if (asIs.has(kind)) return `nullif(${text}, '')`
  const shape = shapes[kind]
  if (listed.has(kind)) return `TRY_CAST(string_split(nullif(${text}, ''), ',') AS ${shownTypes[kind]})`
  if (shape !== undefined) return `from_json(TRY_CAST(${text} AS JSON), '${shape}')`
  return `TRY_CAST(${text} AS ${shownTypes[kind]})`
}

/** What repeats in lines is asked of each entry of a dictionary once, so it is taken apart before the amounts come beside it. */
const metersOf = (at: number): string =>
  `list_transform(string_split(meters, ${chr(lineMark)}), lambda one: nullif(string_split(one, ${FIELD})[${at}], ''))`
const amountsOf = (at: number, type: string): string =>
  `list_transform(string_split(left(rest, strpos(rest, ${FIELD}) - 1), ';'), lambda one: TRY_CAST(string_split(one, ',')[${at}] AS ${type}))`
const lines = `CASE WHEN meters IS NOT NULL THEN list_zip(${metersOf(1)}, ${metersOf(2)}, ${metersOf(3)},
  ${amountsOf(1, 'DOUBLE')}, ${metersOf(4)}, ${amountsOf(2, 'DECIMAL(38,12)')}, ${metersOf(5)})::${LINE}[] END`

/** `meters` of lines that are spelt. */
const spelled = `array_to_string(list_transform(lines, lambda one: concat_ws(${FIELD},
  one.kind, one.model, one.meter, coalesce(one.rate_usd, ''), coalesce(one.price_row, ''))), ${chr(lineMark)})`

const packOf = (name: Field): Readonly<{ pack: string; at: number }> | undefined => {
  for (const [pack, fields] of Object.entries(packs)) {
    const at = (fields as readonly Field[]).indexOf(name)
    if (at >= 0) return { pack, at: at + (pack === 'rest' ? 2 : 1) }
  }
  return undefined
}

/** A field of a packed receipt as it stands in its line, where `splitsOf` has taken the packs apart; moments are whole. */
export const storedText = (name: Field): string => {
  if (name === 'call_id') return 'coalesce(call_id, receipt_id)'
  if (name === 'first_token_at_us' || name === 'ended_at_us') return `started_at_us + ${name}`
  const found = packOf(name)
  return found === undefined ? `"${name}"` : `${fieldsOf(found.pack)}[${found.at}]`
}

/** Where a field of the view comes from, of a packed receipt. */
const taken = (name: Field): string => {
  if (name === 'lines') return lines
  if (name === 'tags') return fromPack('tags', 'tags')
  if (name === 'call_id') return 'coalesce(call_id, receipt_id)'
  if (name === 'first_token_at_us' || name === 'ended_at_us') return `started_at_us + ${name}`
  const kind = columns[name]
  const found = packOf(name)
  if (found !== undefined) return fromPack(kind, `${fieldsOf(found.pack)}[${found.at}]`)
  return kind === 'money' ? `"${name}"::${shownTypes.money}` : `"${name}"`
}

const everyField = Object.keys(columns) as Field[]

/** What is grouped, filtered and summed: of the packs only the fields that questions about spend ask for. */
const ofPacks: readonly Field[] = [
  ...packs.payer,
  'wire',
  'endpoint',
  'model_asked',
  'provider',
  'model_served',
  'region',
  'service_tier',
  'outcome',
  'error_code',
  'usage_source',
  'price_state',
  'experiment',
  'arm',
]
const spendFields = everyField.filter((name) => (layout as readonly string[]).includes(name) || ofPacks.includes(name))
const named = (fields: readonly Field[], expression: (name: Field) => string): string =>
  fields.map((name) => `${expression(name)} AS "${name}"`).join(', ')
const asNamed = (name: Field): string => `"${name}"`

/** Receipts that are spelt have the places behind all that are packed. */
export const SPELT_FROM = 2 ** 48

function receiptsOf(packed: string, spelt: string): string {
  return `SELECT place, meters, ${named(everyField, taken)}
  FROM (SELECT rowid AS place, *, ${splitsOf(Object.keys(packs))} FROM ${packed})
  UNION ALL SELECT ${SPELT_FROM} + rowid AS place, ${spelled} AS meters, ${named(everyField, asNamed)} FROM ${spelt}`
}

/**
 * All receipts with every field. Beside the fields there are `place`, where a receipt lies (later ones have higher places),
 * and `meters`, what many receipts have alike in their lines.
 */
export const receiptsSelect = receiptsOf('packed', 'spelt')

/** The same of some places: the engine finds them by their rows, where of the view it would read every row. */
export const receiptsAt = (places: readonly number[]): string => {
  const rows = (all: readonly number[]) => `WHERE rowid IN (SELECT unnest([${all.join(', ')}]::BIGINT[]))`
  const spelt = places.filter((place) => place >= SPELT_FROM).map((place) => place - SPELT_FROM)
  return receiptsOf(`packed ${rows(places.filter((place) => place < SPELT_FROM))}`, `spelt ${rows(spelt)}`)
}

/**
 * All receipts with the fields that spend is asked by: the engine plans a question about them in a fraction of the time.
 * `sample`, e.g. `TABLESAMPLE …`, is put on both tables.
 */
export const spendingSelect = (sample = ''): string => `SELECT place, ${named(spendFields, taken)}
  FROM (SELECT rowid AS place, *, ${splitsOf(['payer', 'what', 'ended'])} FROM packed ${sample})
  UNION ALL SELECT ${SPELT_FROM} + rowid AS place, ${named(spendFields, asNamed)} FROM spelt ${sample}`

/** Types of the columns of `packed`. Money by position has at most six digits before the point, and 64 bits hold it. */
const storedType = (column: (typeof layout)[number]): string => {
  const kind = Object.hasOwn(columns, column) ? columns[column as Field] : 'text'
  if (kind === 'money') return 'DECIMAL(18,12)'
  return kind === 'tags' ? 'VARCHAR' : shownTypes[kind]
}

export const storedColumns: readonly (readonly [name: string, type: string])[] = layout.map((column) => [
  column,
  storedType(column),
])
