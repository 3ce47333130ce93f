import { multiply, type Picodollars, parseUsd, picodollars } from '../../core/money.ts'
import type { Billable, PriceBook, Priced, PricedLine, PriceLayer } from '../../core/price.ts'
import type { Bucket, Unit, UnitCount, UsageLine } from '../../core/usage.ts'
import { type Entry, indexOf, layerOrder, modeOf } from './book.ts'
import { attrsHold, type Circumstances, type Compiled, holds, tokenRate } from './conditions.ts'
import { sideOf } from './meters.ts'

/** A rate in force and the row it stands in. */
type InForce = Readonly<{ rate: string; row?: string; note?: string }>

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

type Lookup = Readonly<{
  token(bucket: Bucket): InForce | undefined
  unit(unit: Unit, count: UnitCount): InForce | undefined
}>

const lookupFor = (candidates: Candidates, circumstances: Circumstances): Lookup => {
  const chosen = candidates.map((group) => group.find((row) => row.pricesTokens && holds(row, circumstances)))
  return {
    token(bucket) {
      for (const compiled of chosen) {
        const found = compiled && tokenRate(compiled, bucket)
        if (!found) continue
        const note = found.inherited ? `rate-inherited: ${bucket} is priced as ${found.meter}` : undefined
        return { rate: found.rate, row: compiled.row.id, ...(note === undefined ? {} : { note }) }
      }
      return undefined
    },
    unit(unit, { attrs }) {
      for (const group of candidates) {
        const compiled = group.find(
          (one) => one.row.rates[unit] !== undefined && attrsHold(one, attrs) && holds(one, circumstances),
        )
        const rate = compiled?.row.rates[unit]
        if (compiled && rate !== undefined) return { rate, row: compiled.row.id }
      }
      return undefined
    },
  }
}

const nothing: Lookup = { token: () => undefined, unit: () => undefined }

/** Why no row prices a line, for the warning. */
const unpriced = (billable: Billable, model: string, mode: string, known: boolean): string =>
  known
    ? `unpriced: no price for ${billable.provider}/${model} (${mode}) at that moment`
    : `unpriced: ${billable.provider}/${model} is not in the price book`

type Sheet = { lines: PricedLine[]; warnings: Set<string> }

const put = (sheet: Sheet, line: UsageLine, model: string, meter: Bucket | Unit, quantity: number, found?: InForce) => {
  const countable = Number.isFinite(quantity) && quantity >= 0
  if (!countable) sheet.warnings.add(`unpriced: ${meter} has no countable quantity`)
  if (found?.note !== undefined) sheet.warnings.add(found.note)
  const cost = found && countable ? multiply(quantity, found.rate) : null
  sheet.lines.push({
    kind: line.kind,
    model,
    meter,
    quantity,
    ...(found === undefined ? {} : { rate: found.rate }),
    ...(found?.row === undefined ? {} : { row: found.row }),
    cost,
  })
}

/** Funded by nobody here, or declined before it was billed: the quantities are kept, and cost nothing. */
const unbilled = (line: UsageLine): string | undefined => {
  if (line.kind === 'declined') return 'declined: not billed'
  if (line.funding === 'free') return 'free: nobody is billed'
  return line.funding === 'provisioned' ? 'provisioned: covered by committed capacity' : undefined
}

const gratis: Lookup = { token: () => ({ rate: '0' }), unit: () => ({ rate: '0' }) }

const putOther = (sheet: Sheet, line: UsageLine, model: string, other_usd: string): void => {
  let cost: Picodollars | null = null
  try {
    cost = parseUsd(other_usd)
  } catch {
    sheet.warnings.add(`unpriced: a stated charge of ${JSON.stringify(other_usd)} is no amount`)
  }
  sheet.lines.push({ kind: line.kind, model, meter: 'provider.other', quantity: 1, cost })
}

const findLookup = (
  line: UsageLine,
  billable: Billable,
  book: PriceBook,
  layers: readonly PriceLayer[],
  sheet: Sheet,
) => {
  const model = line.model_served ?? billable.model
  const found = indexOf(book).find(billable.provider, model)
  const mode = modeOf(line.service_tier, line.speed, billable.batch === true || line.kind === 'batch_item')
  if (!found) return { lookup: nothing, missing: unpriced(billable, model, mode, false) }
  if (found.dated) sheet.warnings.add(`dated-alias: ${model} is priced as its undated name`)
  const candidates = candidatesOf(found.entry, mode, billable.at_us, layers)
  const lookup = lookupFor(candidates, {
    at_us: billable.at_us,
    region: line.region ?? billable.region,
    geo: line.geo,
    context_tokens: line.context_tokens,
  })
  return { lookup, missing: unpriced(billable, model, mode, true) }
}

const putAll = (sheet: Sheet, line: UsageLine, model: string, lookup: Lookup): void => {
  for (const bucket in line.tokens) {
    const quantity = line.tokens[bucket as Bucket] ?? 0
    if (quantity !== 0) put(sheet, line, model, bucket as Bucket, quantity, lookup.token(bucket as Bucket))
  }
  for (const unit in line.units) {
    const count = line.units[unit as Unit]
    if (count && count.n !== 0) put(sheet, line, model, unit as Unit, count.n, lookup.unit(unit as Unit, count))
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
    sheet.warnings.add(waived)
    putAll(sheet, line, model, gratis)
    return
  }
  if (line.funding === 'byok') sheet.warnings.add('byok: the upstream account is billed; the cost is a shadow cost')
  const before = sheet.lines.length
  const { lookup, missing } = findLookup(line, billable, book, layers, sheet)
  putAll(sheet, line, model, lookup)
  const lacking = sheet.lines.slice(before).filter(({ cost }) => cost === null)
  if (lacking.length > 0) sheet.warnings.add(`${missing}: ${lacking.map(({ meter }) => meter).join(', ')}`)
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
  const sheet: Sheet = { lines: [], warnings: new Set() }
  for (const line of billable.usage.lines) priceLine(line, billable, book, layers, sheet)
  const sums = { input: 0n, output: 0n, fees: 0n }
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
    warnings: [...sheet.warnings],
  }
}
