import { WeirError } from '../../core/errors.ts'
import type { PriceBook, PriceLayer, PriceRow } from '../../core/price.ts'
import type { ServiceTier } from '../../core/usage.ts'
import { bySpecificity, type Compiled, compileRow } from './conditions.ts'
import { findTies } from './ties.ts'
import { problemsOf } from './validity.ts'

/** Layers in the order in which they are asked. */
export const layerOrder: readonly PriceLayer[] = ['contract', 'weir', 'catalog']

const STANDARD = 'standard standard'

/** How a call is served. Exactly one holds for a call, so a row that states none is the standard one and never stands in for another. */
export const modeOf = (
  tier: ServiceTier | undefined,
  speed: 'standard' | 'fast' | undefined,
  batch: boolean,
): string => {
  const served = batch ? 'batch' : (tier ?? 'standard')
  // The usual ones are not put together anew for each call.
  if (served === 'standard' && speed !== 'fast') return STANDARD
  return `${served} ${speed ?? 'standard'}`
}

type Modes = ReadonlyMap<string, readonly Compiled[]>

/** All that is known of one model: rows by layer and mode, and since when our own rows speak for it (then the catalogue is not asked, also after we ended a price). */
export type Entry = Readonly<{
  layers: Readonly<Record<PriceLayer, Modes>>
  own_from_us: number
  rows: readonly PriceRow[]
}>

/** The entry of a model and whether it was found by taking a date off the name. */
export type Found = Readonly<{ entry: Entry; dated: boolean }>

export type Index = Readonly<{ find(provider: string, model: string): Found | undefined }>

const indexes = new WeakMap<PriceBook, Index>()

const fail = (problem: string): never => {
  throw new WeirError('bad-config', problem)
}

const checkRow = (row: PriceRow): void => {
  const problems = problemsOf(row)
  if (problems.length > 0) fail(`price row ${row.id} (${row.provider}): ${problems.join('; ')}`)
}

const groupByMode = (rows: readonly Compiled[]): Modes => {
  const modes = new Map<string, Compiled[]>()
  for (const compiled of rows) {
    const mode = modeOf(compiled.row.tier, compiled.row.speed, compiled.row.batch === true)
    const group = modes.get(mode)
    if (group) group.push(compiled)
    else modes.set(mode, [compiled])
  }
  for (const group of modes.values()) group.sort(bySpecificity)
  return modes
}

const buildEntry = (rows: readonly Compiled[]): Entry => {
  const of = (layer: PriceLayer) => rows.filter(({ row }) => row.layer === layer)
  const own = of('weir')
  return {
    layers: { contract: groupByMode(of('contract')), weir: groupByMode(own), catalog: groupByMode(of('catalog')) },
    own_from_us: own.reduce((first, { from_us }) => Math.min(first, from_us), Number.POSITIVE_INFINITY),
    rows: layerOrder.flatMap((layer) => of(layer).sort(bySpecificity)).map(({ row }) => row),
  }
}

const dateSuffix = /[-@](20\d{2}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])|20\d{2}(0[1-9]|1[0-2])(0[1-9]|[12]\d|3[01]))$/

/** The name without its date (`gpt-6-sol-2026-11-02`, `claude-opus-5-5@20260922`), or undefined when it has none. */
export const undated = (model: string): string | undefined =>
  dateSuffix.test(model) ? model.replace(dateSuffix, '') : undefined

type Lists = ReadonlyMap<string, ReadonlyMap<string, Compiled[]>>

const isAgreed = ({ row }: Compiled): boolean => row.layer === 'contract'

/**
 * Providers answer with the dated name of a model, and a contract names the model. Where our rows say that both names are one
 * model, what was agreed for the undated one holds for the dated one too, unless that is named itself.
 */
const agreeOnDated = (models: ReadonlyMap<string, Compiled[]>): void => {
  for (const [model, list] of models) {
    const base = models.get(undated(model) ?? '')
    const agreed = base?.filter(isAgreed) ?? []
    if (agreed.length === 0 || list.some(isAgreed)) continue
    if (list.some((one) => base?.includes(one))) list.push(...agreed)
  }
}

const gather = (rows: readonly PriceRow[]): Lists => {
  const byProvider = new Map<string, Map<string, Compiled[]>>()
  for (const row of rows) {
    const compiled = compileRow(row)
    const models = byProvider.get(row.provider) ?? new Map<string, Compiled[]>()
    byProvider.set(row.provider, models)
    for (const model of new Set(row.models)) {
      const list = models.get(model)
      if (list) list.push(compiled)
      else models.set(model, [compiled])
    }
  }
  for (const models of byProvider.values()) agreeOnDated(models)
  return byProvider
}

/** Entries are built when they are first asked for: a book has thousands of models and a call needs one. */
const makeIndex = (lists: Lists): Index => {
  const entries = new Map<Compiled[], Readonly<{ exact: Found; dated: Found }>>()
  const foundOf = (list: Compiled[] | undefined) => {
    if (!list) return undefined
    const known = entries.get(list)
    if (known) return known
    const entry = buildEntry(list)
    const built = { exact: { entry, dated: false }, dated: { entry, dated: true } }
    entries.set(list, built)
    return built
  }
  return {
    find(provider, model) {
      const models = lists.get(provider)
      const exact = foundOf(models?.get(model))
      if (exact) return exact.exact
      const base = undated(model)
      return base === undefined ? undefined : foundOf(models?.get(base))?.dated
    },
  }
}

const checkRows = (rows: readonly PriceRow[]): void => {
  const ids = new Set<string>()
  for (const row of rows) {
    checkRow(row)
    if (ids.has(row.id)) fail(`price row id ${row.id} is used twice: ids are unique`)
    ids.add(row.id)
  }
}

/** Rows of one layer and mode, the only ones between which a tie can be. */
const rivals = (list: readonly Compiled[]): Compiled[][] => {
  const groups = new Map<string, Compiled[]>()
  for (const compiled of list) {
    const { layer, tier, speed, batch } = compiled.row
    const key = `${layer} ${modeOf(tier, speed, batch === true)}`
    const group = groups.get(key)
    if (group) group.push(compiled)
    else groups.set(key, [compiled])
  }
  return [...groups.values()].filter((group) => group.length > 1)
}

/** Aliases share their rows, so a list of the same rows is looked at once. */
const checkTies = (lists: Lists): void => {
  const numbers = new Map<Compiled, number>()
  const numberOf = (compiled: Compiled) => {
    const number = numbers.get(compiled) ?? numbers.size
    numbers.set(compiled, number)
    return number
  }
  const seen = new Set<string>()
  for (const [provider, models] of lists)
    for (const [model, list] of models) {
      const key = list.map(numberOf).join(' ')
      if (list.length < 2 || seen.has(key)) continue
      seen.add(key)
      const tie = rivals(list).flatMap(findTies)[0]
      if (tie)
        fail(
          `price rows ${tie.a.row.id} and ${tie.b.row.id} both hold for ${provider}/${model} and neither is more specific: end one, or add a row with the conditions of both`,
        )
    }
}

/**
 * Makes a price book of rows. Throws WeirError `bad-config` that names the row and the field, or both rows of a tie.
 * `checked` leaves the checks out for rows that a book was made of before (a worker thread gets them from the main one).
 */
export const compileBook = (options: { rows: readonly PriceRow[]; version: string; checked?: boolean }): PriceBook => {
  const { rows, version, checked = false } = options
  if (!checked) checkRows(rows)
  const lists = gather(rows)
  if (!checked) checkTies(lists)
  const index = makeIndex(lists)
  const book: PriceBook = {
    version,
    rows: (provider, model) => index.find(provider, model)?.entry.rows ?? [],
    all: () => rows,
  }
  indexes.set(book, index)
  return book
}

/** The look-up of a book; a book that was made elsewhere is compiled once. */
export const indexOf = (book: PriceBook): Index => {
  const found = indexes.get(book)
  if (found) return found
  const index = makeIndex(gather([...book.all()]))
  indexes.set(book, index)
  return index
}
