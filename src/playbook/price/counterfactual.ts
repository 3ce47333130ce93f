import type { Picodollars } from '../../core/money.ts'
import type { Billable, PriceBook, Priced } from '../../core/price.ts'
import type { Bucket, UsageLine } from '../../core/usage.ts'
import { indexOf } from './book.ts'
import { price } from './price.ts'

const hasCache = (tokens: UsageLine['tokens']): boolean => {
  for (const bucket in tokens) if (bucket.includes('.cache_')) return true
  return false
}

/** Every input class but tool results as fresh input of its modality. */
const uncached = (tokens: UsageLine['tokens']): UsageLine['tokens'] => {
  if (!hasCache(tokens)) return tokens
  const fresh: Partial<Record<Bucket, number>> = {}
  for (const [bucket, quantity] of Object.entries(tokens)) {
    const meter = bucket.replace(/\.cache_(read|write|write_5m|write_1h)$/, '.fresh') as Bucket
    fresh[meter] = (fresh[meter] ?? 0) + quantity
  }
  return fresh
}

const isStorage = (unit: string): boolean => unit.startsWith('cache_storage.')

const withoutStorage = (units: UsageLine['units']): UsageLine['units'] => {
  for (const unit in units)
    if (isStorage(unit)) return Object.fromEntries(Object.entries(units).filter(([name]) => !isStorage(name)))
  return units
}

/** An advisor or a tool runs its own model whatever was asked; every other line stands for the asked one. */
const keepsModel = (line: UsageLine) => line.kind === 'advisor' || line.kind === 'tool'

/** The tier is left out: a row without one is the standard price. */
const plainLine = (line: UsageLine, asked_model: string): UsageLine => {
  const { region, geo, speed, other_usd, model_served } = line
  const plain: { -readonly [Field in keyof UsageLine]: UsageLine[Field] } = {
    kind: line.kind === 'batch_item' ? 'message' : line.kind,
    model_served: keepsModel(line) && model_served !== undefined ? model_served : asked_model,
    funding: line.funding,
    context_tokens: line.context_tokens,
    tokens: uncached(line.tokens),
    units: withoutStorage(line.units),
  }
  if (region !== undefined) plain.region = region
  if (geo !== undefined) plain.geo = geo
  if (speed !== undefined) plain.speed = speed
  if (other_usd !== undefined) plain.other_usd = other_usd
  return plain
}

const isStandard = ({ service_tier }: UsageLine): boolean => service_tier === undefined || service_tier === 'standard'

/** Have two names of models the same rows in the book? A dated name and its alias nearly always do. */
const pricedAlike = (book: PriceBook, provider: string, one: string, other = one): boolean => {
  if (one === other) return true
  const index = indexOf(book)
  const rows = index.find(provider, one)?.entry.rows
  const others = index.find(provider, other)?.entry.rows
  if (!(rows && others) || rows.length !== others.length) return false
  for (let at = 0; at < rows.length; at++) if (rows[at] !== others[at]) return false
  return true
}

/** Is the line priced the same with no lever, but for its model? */
const isPlain = (line: UsageLine, plain: UsageLine): boolean =>
  isStandard(line) && line.kind === plain.kind && line.tokens === plain.tokens && line.units === plain.units

/**
 * What the call would have cost with no lever: the asked model, standard tier, no cache (all input fresh), no batch, at
 * the customer's own prices and the same moment. Null where that is unpriced. Token counts are those of the model that served; a
 * model with another tokenizer would have counted otherwise. `priced` is what the call costs as it was, where that is
 * known: it is the answer where no lever acted.
 */
export const counterfactual = (
  billable: Billable,
  book: PriceBook,
  asked: Readonly<{ asked_model: string; provider?: string | undefined }>,
  priced?: Priced,
): Picodollars | null => {
  const { region, at_us, usage, batch = false, model } = billable
  const provider = asked.provider ?? billable.provider
  let same = priced !== undefined && provider === billable.provider && !batch
  const lines: UsageLine[] = []
  for (const line of usage.lines) {
    const plain = plainLine(line, asked.asked_model)
    lines.push(plain)
    same &&= isPlain(line, plain) && pricedAlike(book, provider, line.model_served ?? model, plain.model_served)
  }
  if (priced && same) return priced.cost
  const { totals, quality, warnings, raw } = usage
  const plain: Billable = {
    provider,
    model: asked.asked_model,
    at_us,
    usage: { lines, totals, quality, warnings, raw },
    ...(region === undefined ? {} : { region }),
  }
  return price(plain, book).cost
}
