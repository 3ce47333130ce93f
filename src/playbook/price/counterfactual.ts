import type { Picodollars } from '../../core/money.ts'
import type { Billable, PriceBook } from '../../core/price.ts'
import type { Bucket, UsageLine } from '../../core/usage.ts'
import { price } from './price.ts'

/** Every input class but tool results as fresh input of its modality. */
const uncached = (tokens: UsageLine['tokens']): UsageLine['tokens'] => {
  const fresh: Partial<Record<Bucket, number>> = {}
  for (const [bucket, quantity] of Object.entries(tokens)) {
    const meter = bucket.replace(/\.cache_(read|write|write_5m|write_1h)$/, '.fresh') as Bucket
    fresh[meter] = (fresh[meter] ?? 0) + quantity
  }
  return fresh
}

const withoutStorage = (units: UsageLine['units']): UsageLine['units'] =>
  Object.fromEntries(Object.entries(units).filter(([unit]) => !unit.startsWith('cache_storage.')))

/** An advisor or a tool runs its own model whatever was asked; every other line stands for the asked one. */
const keepsModel = (line: UsageLine) => line.kind === 'advisor' || line.kind === 'tool'

/** The tier is left out: a row without one is the standard price. */
const plainLine = (line: UsageLine, asked_model: string): UsageLine => {
  const { service_tier: _tier, model_served, ...rest } = line
  const model = keepsModel(line) && model_served !== undefined ? model_served : asked_model
  return {
    ...rest,
    kind: line.kind === 'batch_item' ? 'message' : line.kind,
    model_served: model,
    tokens: uncached(line.tokens),
    units: withoutStorage(line.units),
  }
}

/**
 * What the call would have cost with no lever: the asked model, standard tier, no cache (all input fresh), no batch, at
 * the customer's own prices and the same moment. Null where that is unpriced. Token counts are those of the model that served; a
 * model with another tokenizer would have counted otherwise.
 */
export const counterfactual = (
  billable: Billable,
  book: PriceBook,
  asked: Readonly<{ asked_model: string; provider?: string }>,
): Picodollars | null => {
  const { batch: _batch, ...rest } = billable
  const lines = billable.usage.lines.map((line) => plainLine(line, asked.asked_model))
  const plain: Billable = {
    ...rest,
    provider: asked.provider ?? billable.provider,
    model: asked.asked_model,
    usage: { ...billable.usage, lines },
  }
  return price(plain, book).cost
}
