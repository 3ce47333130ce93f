import { createHash } from 'node:crypto'
import { existsSync, statSync } from 'node:fs'
import { parse } from 'csv-parse'
import { WeirError } from '../../core/errors.ts'
import type { OutcomeEvent } from '../../core/outcome.ts'
import type { Store } from '../../core/store.ts'
import { openSource } from '../../importers/source.ts'
import {
  type OutcomeDraft,
  type OutcomeField,
  outcomeFields,
  readOutcome,
} from '../../playbook/allocate/unit-cost/read-outcome.ts'
import type { Field } from '../asking/time.ts'
import { readMoment } from './moment.ts'

export type ImportedOutcomes = Readonly<{
  added: number
  already: number
  /** Ids that are there with other content; the first of them. */
  conflicts: readonly string[]
  bad: number
  /** The first rows that could not be read. */
  bad_rows: readonly Readonly<{ line: number; why: string }>[]
}>

type Cells = Readonly<Record<string, string>>
type Columns = Readonly<Partial<Record<OutcomeField, string>>>

export type OutcomeImport = Readonly<{
  path: string
  columns: Readonly<Record<string, string>>
  /** Fields that every row gets where it says none itself. */
  standard: OutcomeDraft
  zone: string
  field: Field
  now_us: number
}>

const MOST_SHOWN = 10
const BATCH = 1000

/** Which column holds which field: as mapped, else the column of the field's own name. Throws WeirError `bad-input`, also where none says the time. */
const columnsOf = (heads: readonly string[], { path, columns: mapped, standard, field }: OutcomeImport): Columns => {
  const flag = field('columns')
  for (const [field, column] of Object.entries(mapped)) {
    if (!outcomeFields.some((one) => one === field))
      throw new WeirError('bad-input', `${flag} ${field}: no such field; there are ${outcomeFields.join(', ')}`)
    if (!heads.includes(column))
      throw new WeirError(
        'bad-input',
        `${flag} ${field}=${column}: the file has no such column, but ${heads.join(', ')}`,
      )
  }
  const columns: Columns = Object.fromEntries(
    outcomeFields.flatMap((name) => {
      const column = mapped[name] ?? (heads.includes(name) ? name : undefined)
      return column === undefined ? [] : [[name, column]]
    }),
  )
  if (columns.at !== undefined || standard.at !== undefined) return columns
  throw new WeirError(
    'bad-input',
    `${path} has no column at: say which column holds the time, e.g. ${flag} at=closed_at`,
    { field: 'columns' },
  )
}

/** Rows without an id get one of their content and of how many equal rows came before, so that a file twice is one file. */
const identities = () => {
  const seen = new Map<string, number>()
  return (content: unknown): string => {
    const hash = createHash('sha256').update(JSON.stringify(content)).digest('hex').slice(0, 32)
    const copy = seen.get(hash) ?? 0
    seen.set(hash, copy + 1)
    return `csv/${hash}/${copy}`
  }
}

/** A row is uneven where it has fewer or more columns than the first line: which cell is whose is not known then. */
type OutcomeRow = Readonly<{ cells: Cells; line: number; uneven: boolean }>

/** The rows of a CSV file, plain or packed by gzip. `begin` is told the names of its columns, and may throw. */
async function* rowsOf(path: string, begin: (heads: readonly string[]) => void): AsyncGenerator<OutcomeRow> {
  const columns = (names: string[]): string[] => {
    begin(names)
    return names
  }
  const relax = { relax_column_count: true, skip_empty_lines: true, trim: true } as const
  const parser = parse({ columns, bom: true, info: true, ...relax })
  const source = openSource(path, () => {})
  source.on('error', (error) => parser.destroy(error))
  source.pipe(parser)
  try {
    type Parsed = Readonly<{ record: Cells; info: Readonly<{ lines: number; error?: Error }> }>
    for await (const { record, info } of parser as AsyncIterable<Parsed>)
      yield { cells: record, line: info.lines, uneven: info.error !== undefined }
  } catch (cause) {
    if (cause instanceof WeirError) throw cause
    throw new WeirError('bad-input', `${path} is not readable as CSV: ${(cause as Error).message}`, { cause })
  }
}

const draftOf = (cells: Cells, columns: Columns, standard: OutcomeDraft): OutcomeDraft =>
  Object.fromEntries(
    outcomeFields.map((field) => {
      const column = columns[field]
      const text = column === undefined ? undefined : cells[column]
      return [field, text === undefined || text === '' ? standard[field] : text]
    }),
  )

const checkEven = (uneven: boolean): void => {
  if (uneven) throw new WeirError('bad-input', 'the row does not have as many columns as the first line')
}

/** What was taken and what was not, as it goes. */
const tally = (store: Store) => {
  const sum = { added: 0, already: 0, bad: 0 }
  const conflicts: string[] = []
  const bad_rows: { line: number; why: string }[] = []
  let batch: OutcomeEvent[] = []
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return
    const done = await store.outcomes.add(batch)
    batch = []
    sum.added += done.added
    sum.already += done.already
    conflicts.push(...done.conflicts)
  }
  return {
    take: async (event: OutcomeEvent): Promise<void> => {
      batch.push(event)
      if (batch.length >= BATCH) await flush()
    },
    refuse: (line: number, why: string): void => {
      sum.bad += 1
      if (bad_rows.length < MOST_SHOWN) bad_rows.push({ line, why })
    },
    end: async (): Promise<ImportedOutcomes> => {
      await flush()
      return { ...sum, conflicts, bad_rows }
    },
  }
}

/** Brings outcomes of a CSV file into the store. A bad row is counted and named, the rest kept; doing it twice changes nothing. */
export const importOutcomes = async (store: Store, options: OutcomeImport): Promise<ImportedOutcomes> => {
  const { path, standard, zone, field, now_us } = options
  if (!existsSync(path) || !statSync(path).isFile())
    throw new WeirError('bad-input', `${path} is no file: name a CSV file with a line of column names`)
  const identify = identities()
  const into = tally(store)
  let columns: Columns = {}
  const begin = (heads: readonly string[]) => {
    columns = columnsOf(heads, options)
  }
  for await (const { cells, line, uneven } of rowsOf(path, begin)) {
    try {
      const name = columns.at ?? field('at')
      checkEven(uneven)
      const draft = draftOf(cells, columns, standard)
      if ((draft.at ?? '') === '') throw new WeirError('bad-input', `${name}: empty`)
      const read = (text: string) => readMoment(text, { zone, name, now_us })
      await into.take(readOutcome(draft, { at_us: read, now_us: 0, id: () => identify(draft) }))
    } catch (error) {
      if (!(error instanceof WeirError)) throw error
      into.refuse(line, error.message)
    }
  }
  return into.end()
}
