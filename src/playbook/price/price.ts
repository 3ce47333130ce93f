import { multiply, type Picodollars, parseUsd, picodollars } from '../../core/money.ts'
import type { Billable, PriceBook, Priced, PricedLine, PriceLayer } from '../../core/price.ts'
import type { Bucket, Unit, UnitCount, UsageLine } from '../../core/usage.ts'
import { type Entry, indexOf, layerOrder, modeOf } from './book.ts'
import { attrsHold, type Circumstances, type Compiled, holds, tokenRate } from './conditions.ts'
import { sideOf } from './meters.ts'

/** A rate in force and the row it stands in. */
type InForce = Readonly<{ rate: string; row: string | undefined; note: string | undefined }>

export type PriceOptions = Readonly<{
  /** Layers to ask; all by default. `['weir', 'catalog']` gives the list price. */
  layers?: readonly PriceLayer[]
}>

/** The rows that may price a line, best layer first. */
type Candidates = readonly (readonly Compiled[])[]

/** From their first moment on our own rows speak for a model; the catalogue's are asked only where we have none. */
const candidatesOf = (entry: Entry, mode: string, at_us: number, layers: readonly PriceLayer[]): Candidates => {
  const own = at_us >= entry.own_from_us
  const groups: (readonly Compiled[])[] = []
  for (const layer of layers) {
    if (layer === 'catalog' && own) continue
    const group = entry.layers[layer].get(mode)
    if (group) groups.push(group)
  }
  return groups
}

/** The rows that hold for a line: for its tokens one of each layer, best first; for units those of their attributes. */
type Lookup = Readonly<{
  /** Everything costs nothing. */
  gratis: boolean
  candidates: Candidates
  circumstances: Circumstances | undefined
  chosen: readonly Compiled[]
}>

const gratis: Lookup = { gratis: true, candidates: [], circumstances: undefined, chosen: [] }
const nothing: Lookup = { gratis: false, candidates: [], circumstances: undefined, chosen: [] }
const FREE: InForce = { rate: '0', row: undefined, note: undefined }

const lookupFor = (candidates: Candidates, circumstances: Circumstances): Lookup => {
  const chosen: Compiled[] = []
  for (const group of candidates) {
    for (const row of group) {
      if (!(row.pricesTokens && holds(row, circumstances))) continue
      chosen.push(row)
      break
    }
  }
  return { gratis: false, candidates, circumstances, chosen }
}

const findToken = (lookup: Lookup, bucket: Bucket): InForce | undefined => {
  if (lookup.gratis) return FREE
  for (const compiled of lookup.chosen) {
    const found = tokenRate(compiled, bucket)
    if (!found) continue
    const note = found.inherited ? `rate-inherited: ${bucket} is priced as ${found.meter}` : undefined
    return { rate: found.rate, row: compiled.row.id, note }
  }
  return undefined
}

const findUnit = (lookup: Lookup, unit: Unit, { attrs }: UnitCount): InForce | undefined => {
  if (lookup.gratis) return FREE
  const { candidates, circumstances } = lookup
  if (!circumstances) return undefined
  for (const group of candidates) {
    const compiled = group.find(
      (one) => one.row.rates[unit] !== undefined && attrsHold(one, attrs) && holds(one, circumstances),
    )
    const rate = compiled?.row.rates[unit]
    if (compiled && rate !== undefined) return { rate, row: compiled.row.id, note: undefined }
  }
  return undefined
}

/** Why no row prices a line, for the warning. */
const unpriced = (billable: Billable, model: string, mode: string, known: boolean): string =>
  known
    ? `unpriced: no price for ${billable.provider}/${model} (${mode}) at that moment`
    : `unpriced: ${billable.provider}/${model} is not in the price book`

/** Warnings are few, and each is kept once. */
type Sheet = Readonly<{ lines: PricedLine[]; warnings: string[] }>

const warn = ({ warnings }: Sheet, warning: string): void => {
  if (!warnings.includes(warning)) warnings.push(warning)
}

const put = (
  sheet: Sheet,
  { kind }: UsageLine,
  model: string,
  meter: Bucket | Unit,
  quantity: number,
  found: InForce | undefined,
): void => {
  const countable = Number.isFinite(quantity) && quantity >= 0
  if (!countable) warn(sheet, `unpriced: ${meter} has no countable quantity`)
  if (found === undefined) {
    sheet.lines.push({ kind, model, meter, quantity, cost: null })
    return
  }
  const { rate, row, note } = found
  if (note !== undefined) warn(sheet, note)
  const cost = countable ? multiply(quantity, rate) : null
  sheet.lines.push(
    row === undefined
      ? { kind, model, meter, quantity, rate, cost }
      : { kind, model, meter, quantity, rate, row, cost },
  )
}

/** Funded by nobody here, or declined before it was billed: the quantities are kept, and cost nothing. */
const unbilled = (line: UsageLine): string | undefined => {
  if (line.kind === 'declined') return 'declined: not billed'
  if (line.funding === 'free') return 'free: nobody is billed'
  return line.funding === 'provisioned' ? 'provisioned: covered by committed capacity' : undefined
}

const putOther = (sheet: Sheet, line: UsageLine, model: string, other_usd: string): void => {
  let cost: Picodollars | null = null
  try {
    cost = parseUsd(other_usd)
  } catch {
    warn(sheet, `unpriced: a stated charge of ${JSON.stringify(other_usd)} is no amount`)
  }
  sheet.lines.push({ kind: line.kind, model, meter: 'provider.other', quantity: 1, cost })
}

const lineMode = (line: UsageLine, billable: Billable): string =>
  modeOf(line.service_tier, line.speed, billable.batch === true || line.kind === 'batch_item')

const findLookup = (
  line: UsageLine,
  billable: Billable,
  book: PriceBook,
  layers: readonly PriceLayer[],
  sheet: Sheet,
): Lookup => {
  const model = line.model_served ?? billable.model
  const found = indexOf(book).find(billable.provider, model)
  if (!found) return nothing
  if (found.dated) warn(sheet, `dated-alias: ${model} is priced as its undated name`)
  const candidates = candidatesOf(found.entry, lineMode(line, billable), billable.at_us, layers)
  return lookupFor(candidates, {
    at_us: billable.at_us,
    region: line.region ?? billable.region,
    geo: line.geo,
    context_tokens: line.context_tokens,
  })
}

/** Says which meters of a line have no price, and why. */
const warnOfLacking = (sheet: Sheet, from: number, why: () => string): void => {
  let lacking = ''
  for (let index = from; index < sheet.lines.length; index++) {
    const line = sheet.lines[index]
    if (line?.cost === null) lacking += lacking === '' ? line.meter : `, ${line.meter}`
  }
  if (lacking !== '') warn(sheet, `${why()}: ${lacking}`)
}

const putAll = (sheet: Sheet, line: UsageLine, model: string, lookup: Lookup): void => {
  for (const bucket in line.tokens) {
    const quantity = line.tokens[bucket as Bucket] ?? 0
    if (quantity !== 0) put(sheet, line, model, bucket as Bucket, quantity, findToken(lookup, bucket as Bucket))
  }
  for (const unit in line.units) {
    const count = line.units[unit as Unit]
    if (count && count.n !== 0) put(sheet, line, model, unit as Unit, count.n, findUnit(lookup, unit as Unit, count))
  }
}

const priceLine = (
  line: UsageLine,
  billable: Billable,
  book: PriceBook,
  layers: readonly PriceLayer[],
  sheet: Sheet,
): void => {
  const model = line.model_served ?? billable.model
  const waived = unbilled(line)
  if (waived !== undefined) {
    warn(sheet, waived)
    putAll(sheet, line, model, gratis)
    return
  }
  if (line.funding === 'byok') warn(sheet, 'byok: the upstream account is billed; the cost is a shadow cost')
  const before = sheet.lines.length
  const lookup = findLookup(line, billable, book, layers, sheet)
  putAll(sheet, line, model, lookup)
  warnOfLacking(sheet, before, () => unpriced(billable, model, lineMode(line, billable), lookup !== nothing))
  if (line.other_usd !== undefined) putOther(sheet, line, model, line.other_usd)
}

/**
 * Prices the usage of a call: pure, exact, each line rounded once. Every usage line is priced at its own served model;
 * contract rows are asked first, then ours, then the catalogue's where we have none in force. A class without a rate makes
 * its line and the whole null with a warning: unpriced is a state. Never throws on odd usage.
 */
export const price = (billable: Billable, book: PriceBook, options: PriceOptions = {}): Priced => {
  const { layers: asked } = options
  const layers = asked === undefined ? layerOrder : layerOrder.filter((layer) => asked.includes(layer))
  const sheet: Sheet = { lines: [], warnings: [] }
  for (const line of billable.usage.lines) priceLine(line, billable, book, layers, sheet)
  const sums: Record<ReturnType<typeof sideOf>, bigint> = { input: 0n, output: 0n, fees: 0n }
  let complete = true
  for (const { meter, cost } of sheet.lines) {
    if (cost === null) complete = false
    else sums[sideOf(meter)] += cost
  }
  return {
    cost: complete ? picodollars(sums.input + sums.output + sums.fees) : null,
    input: picodollars(sums.input),
    output: picodollars(sums.output),
    fees: picodollars(sums.fees),
    lines: sheet.lines,
    book: book.version,
    warnings: sheet.warnings,
  }
}
