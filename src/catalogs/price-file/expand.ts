import { WeirError } from '../../core/errors.ts'
import type { PriceRow, PriceWindow } from '../../core/price.ts'
import { isBucket, type Meter } from '../../core/usage.ts'
import { multiplyDecimal } from '../../playbook/price/decimal.ts'
import { closeDates, overlap } from './dates.ts'
import type { FileModel, FileRow, FileVariant, PriceFile } from './schema.ts'
import { meterOf } from './words.ts'

/** A file with its name, for messages. */
export type Named = Readonly<{ name: string; file: PriceFile }>

/** A row on its way: rates by meter, the source written out. */
type Draft = FileRow & { source: string }

const fail = (name: string, model: string, problem: string): never => {
  throw new WeirError('bad-config', `${name}: models.${model}: ${problem}`)
}

/** The conditions of a row as text: what makes two rows of a model the same. */
const conditionsKey = (row: FileRow): string => {
  const mode = [
    row.batch && 'batch',
    row.tier && row.tier !== 'standard' && `tier=${row.tier}`,
    row.speed && row.speed !== 'standard' && row.speed,
  ]
  const rest = [
    row.context && `context${row.context.operator}${row.context.tokens}`,
    row.region && `region=${row.region}`,
    row.geo && `geo=${row.geo}`,
    row.window && `window=${row.window}`,
    ...Object.entries(row.attrs ?? {}).map(([key, value]) => `${key}=${value}`),
  ]
  return [...mode, ...rest].filter(Boolean).join(',')
}

const hasMode = (row: Pick<FileRow, 'tier' | 'speed' | 'batch'>) =>
  row.tier !== undefined || row.speed !== undefined || row.batch !== undefined

/** Tier, speed and batch are one dimension: a call is served in one way. */
const clashes = (row: FileRow, when: FileVariant['when']): boolean =>
  (hasMode(when) && hasMode(row)) ||
  (when.region !== undefined && row.region !== undefined) ||
  (when.geo !== undefined && row.geo !== undefined) ||
  (when.context !== undefined && row.context !== undefined)

const scaleRates = (
  rates: FileRow['rates'],
  multiply: Readonly<{ in: string; out: string }>,
  except: readonly string[] = [],
): FileRow['rates'] => {
  const kept = new Set(except.map(meterOf))
  return Object.fromEntries(
    Object.entries(rates).map(([meter, rate]) => {
      if (!isBucket(meter) || kept.has(meter as Meter)) return [meter, rate]
      return [meter, multiplyDecimal(rate, meter.startsWith('in.') ? multiply.in : multiply.out)]
    }),
  )
}

const applyVariant = (row: Draft, variant: FileVariant): Draft[] => {
  if (clashes(row, variant.when)) return []
  const { region, ...when } = variant.when
  const regions = region === undefined ? [{}] : region.map((one) => ({ region: one }))
  const rates = scaleRates(row.rates, variant.multiply, variant.except)
  return regions.map((where) => ({ ...row, ...when, ...where, rates }))
}

/** Explicit rows and all they give under the variants; a row that is written out wins over one that is derived. */
const withVariants = (rows: readonly Draft[], variantsOf: (row: Draft) => readonly FileVariant[]): Draft[] => {
  const taken = new Map<string, Draft[]>()
  const explicitFirst = [...rows].sort(
    (a, b) => conditionsKey(b).split(',').length - conditionsKey(a).split(',').length,
  )
  const claim = (row: Draft): boolean => {
    const key = conditionsKey(row)
    const same = taken.get(key) ?? []
    if (same.some((other) => overlap(other, row))) return false
    taken.set(key, [...same, row])
    return true
  }
  const derived: Draft[] = []
  for (const row of rows) claim(row)
  for (const row of explicitFirst) {
    let all: Draft[] = [row]
    for (const variant of variantsOf(row)) all = [...all, ...all.flatMap((one) => applyVariant(one, variant))]
    derived.push(...all.slice(1).filter(claim))
  }
  return [...rows, ...derived]
}

const windowOf = ({ name, file }: Named, model: string, key: string): PriceWindow => {
  const found = file.windows?.[key] ?? fail(name, model, `window ${key} is not among the file's windows`)
  return {
    zone: found.zone,
    minutes: found.hours,
    ...(found.weekdays === undefined ? {} : { weekdays: found.weekdays }),
    ...(found.except_dates === undefined ? {} : { except_dates: found.except_dates }),
  }
}

/** A model that another host serves under its own name keeps its aliases there. */
const inherited = (model: string, { like }: FileModel, files: readonly Named[]): readonly string[] => {
  const origin = files.find(({ file }) => like === `${file.provider}/${model}`)
  return origin?.file.models[model]?.aliases ?? []
}

const namesOf = (model: string, entry: FileModel, files: readonly Named[]): string[] => {
  const { aliases = [], prefixes = [] } = entry
  const names = [...new Set([model, ...aliases, ...inherited(model, entry, files)])]
  return [...names, ...prefixes.flatMap((prefix) => names.map((name) => `${prefix}.${name}`))]
}

const finish = (named: Named, names: string[], entry: FileModel, row: Draft): PriceRow => {
  const [model = ''] = names
  const { file } = named
  const key = conditionsKey(row)
  const { from, to, window, rates, use: _use, source, tier, speed, checked_at, ...plain } = row
  const fees = row.attrs === undefined ? { ...file.fees, ...entry.fees } : {}
  const base = `${file.provider}/${model}@${from ?? 'ever'}`
  return {
    id: key === '' ? base : `${base}#${key}`,
    layer: 'weir',
    provider: file.provider,
    models: names,
    ...(Object.fromEntries(Object.entries(plain).filter(([, value]) => value !== undefined)) as Partial<PriceRow>),
    ...(tier === undefined || tier === 'standard' ? {} : { tier }),
    ...(speed === undefined || speed === 'standard' ? {} : { speed }),
    ...(window === undefined ? {} : { window: windowOf(named, model, window) }),
    ...(from === undefined ? {} : { effective_from: from }),
    ...(to === undefined ? {} : { effective_to: to }),
    rates: { ...fees, ...rates },
    source,
    checked_at: checked_at ?? file.checked_at,
  }
}

const sourceOf = ({ name, file }: Named, model: string, row: FileRow, entry: FileModel): string => {
  const key = row.source ?? entry.source ?? file.source
  return file.sources[key] ?? fail(name, model, `source ${key} is not among the file's sources`)
}

/** The standard prices of a model in another file, times a factor. Their fees, tiers and hours stay there. */
const copied = (named: Named, model: string, entry: FileModel, files: readonly Named[]): Draft[] => {
  if (entry.like === undefined) return []
  const [provider = ''] = entry.like.split('/')
  const wanted = entry.like.slice(provider.length + 1)
  const origin = files.find(({ file }) => file.provider === provider)
  const theirs = origin?.file.models[wanted]
  if (!origin || theirs?.prices === undefined)
    return fail(named.name, model, `like: ${entry.like} names no model with prices of its own`)
  const factor = entry.multiply ?? '1'
  return theirs.prices
    .filter((row) => !hasMode(row) && row.window === undefined && row.attrs === undefined && row.region === undefined)
    .map((row) => {
      const { use: _use, ...rest } = row
      const source = `${sourceOf(origin, wanted, row, theirs)} (as ${entry.like}${factor === '1' ? '' : ` × ${factor}`}; ${sourceOf(named, model, { rates: {} }, entry)})`
      return { ...rest, source, rates: scaleRates(row.rates, { in: factor, out: factor }) }
    })
}

const expandModel = (named: Named, model: string, entry: FileModel, files: readonly Named[]): PriceRow[] => {
  const own = [...(entry.prices ?? []), ...(named.file.every ?? [])].map((row) => ({
    ...row,
    source: sourceOf(named, model, row, entry),
  }))
  const drafts = closeDates([...copied(named, model, entry, files), ...own], conditionsKey)
  if (entry.prices === undefined && entry.like === undefined) fail(named.name, model, 'has no prices')
  const names = namesOf(model, entry, files)
  const variantsOf = (row: Draft) =>
    (row.use ?? entry.use ?? named.file.use ?? []).map(
      (key) => named.file.variants?.[key] ?? fail(named.name, model, `variant ${key} is not among the file's variants`),
    )
  return withVariants(drafts, variantsOf).map((row) => finish(named, names, entry, row))
}

/** The rows of all files: variants written out, dates closed. Throws WeirError `bad-config` naming file, model and field. */
export const expandFiles = (files: readonly Named[]): PriceRow[] =>
  files.flatMap((named) =>
    Object.entries(named.file.models).flatMap(([model, entry]) => expandModel(named, model, entry, files)),
  )
