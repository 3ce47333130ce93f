/** Says which rules of FOCUS a file breaks. */
import { WeirError } from '../../core/errors.ts'
import { columnsOf, detectVersion, holdsIn, type Support, type Version } from '../../playbook/allocate/focus/columns.ts'
import { rules } from '../../playbook/allocate/focus/rules.ts'
import { type Check, checksOf } from './checks.ts'
import { type Engine, named, reasonOf, withEngine } from './engine.ts'
import { textOf } from './predicate.ts'
import { openSource, type Source } from './source.ts'

export type Violation = Readonly<{
  rule: string
  column: string
  level: 'must' | 'should'
  says: string
  /** How many rows break it; null where it is the file that does. */
  rows: number | null
  /** The first of them: their number, from 1 after the head, and the values that it is about. */
  first: readonly Readonly<{ row: number; values: Readonly<Record<string, string | null>> }>[]
}>

export type Checked = Readonly<{
  version: Version
  /** The version was not told but read from the columns. */
  detected: boolean
  rows: number
  columns: number
  /** Rules that could be tried on this file: the presence of each column, and what its columns let be tried. */
  rules: number
  violations: readonly Violation[]
}>

export type CheckFileOptions = Readonly<{
  version?: Version | undefined
  supports?: readonly Support[]
  official?: boolean
  /** How many wrong rows are shown for a rule; 5 by default. */
  examples?: number
}>

type Found = Readonly<{ check: Check; rows: number | null; first: readonly number[] }>

/**
 * Counts every check in one scan, and finds the first wrong rows of those that found some in another: numbering rows holds up
 * a scan, and most files are right. (As columns of a subquery the predicates take the planner six times as long.)
 */
const scan = async ({ rows }: Engine, checks: readonly Check[], examples: number) => {
  const tried = checks.filter((check) => check.wrong !== undefined)
  const counts = tried.map(({ wrong }, at) => `count_if(${wrong}) AS c${at}`)
  const [counted = {}] = await rows(`SELECT ${['count(*) AS total', ...counts].join(', ')} FROM focus`)
  const failed = tried
    .map((check, at) => ({ check, rows: Number(counted[`c${at}`] ?? 0) }))
    .filter(({ rows: many }) => many > 0)
  const firsts = failed.map(({ check }, at) => `min("row #", ${examples}) FILTER (WHERE ${check.wrong}) AS f${at}`)
  const [found = {}] = failed.length === 0 ? [] : await rows(`SELECT ${firsts.join(', ')} FROM focus`)
  const withRows = failed.map(({ check, rows: many }, at): Found => {
    const first = (found[`f${at}`] ?? []) as readonly (string | number)[]
    return { check, rows: many, first: first.map(Number) }
  })
  const files = checks
    .filter((check) => check.wrong === undefined)
    .map((check): Found => ({ check, rows: null, first: [] }))
  return { total: Number(counted['total'] ?? 0), found: [...files, ...withRows] }
}

/** Rules about many rows: a child has one parent. */
const crossRows = async ({ rows }: Engine, source: Source, version: Version, examples: number) => {
  const found: Found[] = []
  for (const { demand, when: _when, ...rule } of rules.filter((one) => holdsIn(one, version))) {
    if (!('one' in demand) || ![demand.one, demand.for].every((name) => source.types.has(name))) continue
    const [child, parent] = [textOf(source, demand.for), textOf(source, demand.one)]
    const torn = `SELECT ${child} AS child FROM focus WHERE ${child} IS NOT NULL GROUP BY 1 HAVING count(DISTINCT ${parent}) > 1`
    if ((await rows(`${torn} LIMIT 1`)).length === 0) continue
    const [row = {}] = await rows(
      `SELECT count(*) AS n, min("row #", ${examples}) AS first FROM focus WHERE ${child} IN (SELECT child FROM (${torn}))`,
    )
    const first = ((row['first'] ?? []) as readonly (string | number)[]).map(Number)
    const check: Check = { ...rule, shows: [demand.for, demand.one] }
    found.push({ check, rows: Number(row['n']), first })
  }
  return found
}

/** The values of the rows that are shown. */
const valuesOf = async ({ rows }: Engine, source: Source, found: readonly Found[]) => {
  const wanted = [...new Set(found.flatMap(({ first }) => first))].sort((a, b) => a - b)
  if (wanted.length === 0) return new Map<number, Readonly<Record<string, unknown>>>()
  const shown = [...new Set(found.flatMap(({ check }) => check.shows))].filter((name) => source.types.has(name))
  const selected = shown.map((name) => `${textOf(source, name)} AS ${named(name)}`)
  const answer = await rows(
    `SELECT ${['"row #"', ...selected].join(', ')} FROM focus WHERE "row #" IN (${wanted.join(', ')})`,
  )
  return new Map(answer.map((row) => [Number(row['row #']), row]))
}

const violationsOf = async (engine: Engine, source: Source, found: readonly Found[]): Promise<readonly Violation[]> => {
  const values = await valuesOf(engine, source, found)
  const cell = (value: unknown) => (value === null || value === undefined ? null : String(value))
  const order = { must: 0, should: 1 } as const
  return found
    .map(
      ({ check, rows, first }): Violation => ({
        rule: check.id,
        column: check.column,
        level: check.level,
        says: check.says,
        rows,
        first: first.map((row) => {
          const shown = check.shows.filter((name) => source.types.has(name))
          return { row, values: Object.fromEntries(shown.map((name) => [name, cell(values.get(row)?.[name])])) }
        }),
      }),
    )
    .sort((a, b) => order[a.level] - order[b.level])
}

/**
 * Checks a FOCUS Cost and Usage file (CSV, plain or .gz, or Parquet) against version 1.2, 1.3 or 1.4. Throws WeirError
 * `bad-input` when it cannot be read at all.
 */
export const checkFile = (path: string, options: CheckFileOptions = {}): Promise<Checked> =>
  withEngine(async (engine) => {
    const source = await openSource(engine, path)
    const version = options.version ?? detectVersion(source.names)
    const { supports = [], official = false, examples = 5 } = options
    const checks = checksOf(source, { version, supports, official })
    try {
      const { total, found } = await scan(engine, checks, examples)
      const torn = await crossRows(engine, source, version, examples)
      const known = columnsOf(version)
      return {
        version,
        detected: options.version === undefined,
        rows: total,
        columns: source.names.filter((name) => known.has(name)).length,
        rules: checks.filter(({ wrong }) => wrong !== undefined).length + known.size,
        violations: await violationsOf(engine, source, [...found, ...torn]),
      }
    } catch (cause) {
      throw new WeirError('bad-input', `${path} cannot be read to its end: ${reasonOf(cause)}`, { cause })
    }
  })
