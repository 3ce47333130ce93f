import type { ConditionalPrice, MatchLogic, ModelInfo, ModelPrice, Provider } from '@pydantic/genai-prices'
import type { ContextBand, PriceRow, PriceWindow } from '../../core/price.ts'
import { rateOfUnit } from './units.ts'

/** Our provider names and whose data they take. A later one fills what the earlier lack (Azure has OpenAI's list). */
export const providersFrom: Readonly<Record<string, readonly string[]>> = {
  openai: ['openai'],
  'azure-openai': ['azure', 'openai'],
  anthropic: ['anthropic'],
  google: ['google'],
  'vertex-ai': ['google'],
  'aws-bedrock': ['aws'],
  cohere: ['cohere'],
  deepseek: ['deepseek'],
  mistral: ['mistral'],
  'x-ai': ['x-ai'],
  perplexity: ['perplexity'],
  openrouter: ['openrouter'],
  groq: ['groq'],
  together: ['together'],
  fireworks: ['fireworks'],
  voyage: ['voyageai'],
}

/** Only equality, alone or in an `or`, is a name; starts_with, contains and patterns are guesses, and no price. */
const exactNames = (match: MatchLogic): string[] => {
  if ('equals' in match) return [match.equals]
  return 'or' in match ? match.or.flatMap(exactNames) : []
}

type Rates = PriceRow['rates']
type Banded = Readonly<{ context?: ContextBand; rates: Rates }>

type Tiered = Readonly<{ base: number; tiers: readonly Readonly<{ start: number; price: number }>[] }>
const isTiered = (value: unknown): value is Tiered => typeof value === 'object' && value !== null && 'tiers' in value

/** `start` means more than so many tokens; a start of 271,999 is said as 272,000 and more, which is the same. */
const bandFrom = (start: number): ContextBand =>
  start % 1000 === 999 ? { operator: '>=', tokens: start + 1 } : { operator: '>', tokens: start }

/** Rates below (or without) a threshold. A zero means that nobody knows, so it is left out, but for models that are free. */
const ratesAt = (price: ModelPrice, start: number | undefined, isFree: boolean): Rates => {
  const rates: Record<string, string> = {}
  for (const [key, value] of Object.entries(price)) {
    if (value === undefined) continue
    const tier = isTiered(value) ? value.tiers.findLast((one) => start !== undefined && one.start <= start) : undefined
    const amount = isTiered(value) ? (tier?.price ?? value.base) : value
    if (typeof amount !== 'number' || (amount === 0 && !isFree)) continue
    const found = rateOfUnit(key, amount)
    if (found) rates[found[0]] ??= found[1]
  }
  return rates
}

const bandsOf = (price: ModelPrice, isFree: boolean): Banded[] => {
  const starts = new Set<number>()
  for (const value of Object.values(price)) if (isTiered(value)) for (const { start } of value.tiers) starts.add(start)
  const upper = [...starts].sort((a, b) => a - b)
  return [
    { rates: ratesAt(price, undefined, isFree) },
    ...upper.map((start) => ({ context: bandFrom(start), rates: ratesAt(price, start, isFree) })),
  ]
}

const minuteOf = (time: string): number => {
  const [hour = 0, minute = 0] = time.split(':').map((part) => Number.parseInt(part, 10))
  return hour * 60 + minute
}

/** Hours in UTC; those over midnight become two pieces. */
const windowOf = (start: string, end: string): PriceWindow => {
  const [from, to] = [minuteOf(start), minuteOf(end)]
  const minutes: (readonly [number, number])[] =
    from < to
      ? [[from, to]]
      : [
          [from, 1440],
          [0, to],
        ]
  return { zone: 'UTC', minutes: minutes.filter(([low, high]) => low < high) }
}

type Placed = Readonly<{ from?: string; to?: string; window?: PriceWindow; price: ModelPrice }>

/** Dated prices follow each other; hours hold on every date, because the data gives them none. */
const placed = (prices: ModelInfo['prices']): Placed[] => {
  if (!Array.isArray(prices)) return [{ price: prices }]
  const hours: Placed[] = []
  const dated: { from?: string; price: ModelPrice }[] = []
  for (const { constraint, prices: price } of prices as ConditionalPrice[]) {
    if (constraint?.type === 'time_of_date')
      hours.push({ window: windowOf(constraint.start_time, constraint.end_time), price })
    else dated.push(constraint?.type === 'start_date' ? { from: constraint.start_date, price } : { price })
  }
  dated.sort((a, b) => ((a.from ?? '') < (b.from ?? '') ? -1 : 1))
  const closed = dated.map((one, index): Placed => {
    const to = dated[index + 1]?.from
    return to === undefined ? one : { ...one, to }
  })
  return [...closed, ...hours]
}

const freeRates: Rates = { 'in.text.fresh': '0', 'out.text.visible': '0' }

type Naming = Readonly<{ provider: string; models: string[]; isFree: boolean; stamp: Stamp }>

/** The dates and hours of a price, as a row has them. */
const whenOf = ({ from, to, window }: Placed): Partial<PriceRow> => ({
  ...(window === undefined ? {} : { window }),
  ...(from === undefined ? {} : { effective_from: from }),
  ...(to === undefined ? {} : { effective_to: to }),
})

const rowOf = (naming: Naming, one: Placed, place: number, { context, rates }: Banded): PriceRow[] => {
  const { provider, models, isFree, stamp } = naming
  const priced = isFree && Object.keys(rates).length === 0 ? freeRates : rates
  if (Object.keys(priced).length === 0) return []
  const band = context === undefined ? '' : `#context${context.operator}${context.tokens}`
  const when = one.window === undefined ? (one.from ?? 'ever') : `hours-${place}`
  return [
    {
      id: `genai:${provider}/${models[0]}@${when}${band}`,
      layer: 'catalog',
      provider,
      models,
      ...(context === undefined ? {} : { context }),
      ...whenOf(one),
      rates: priced,
      ...(isFree ? { free: true } : {}),
      ...stamp,
    },
  ]
}

const rowsOfModel = (provider: string, model: ModelInfo, models: string[], stamp: Stamp): PriceRow[] => {
  const isFree = models.every((name) => name.endsWith(':free'))
  const naming = { provider, models, isFree, stamp }
  return placed(model.prices).flatMap((one, place) =>
    bandsOf(one.price, isFree).flatMap((banded) => rowOf(naming, one, place, banded)),
  )
}

export type Stamp = Readonly<{ source: string; checked_at: string }>

/** Each name belongs to the first model that states it, so that no two rows of the catalogue can tie. */
const rowsOfProvider = (provider: string, models: readonly ModelInfo[], stamp: Stamp): PriceRow[] => {
  const owners = new Map<string, ModelInfo>()
  const claim = (name: string, model: ModelInfo) => {
    if (!owners.has(name)) owners.set(name, model)
  }
  for (const model of models) for (const name of exactNames(model.match)) claim(name, model)
  for (const model of models) claim(model.id, model)
  const names = new Map<ModelInfo, string[]>()
  for (const [name, model] of owners) names.set(model, [...(names.get(model) ?? []), name])
  return [...names].flatMap(([model, owned]) => rowsOfModel(provider, model, owned, stamp))
}

/** The rows of the public catalogue for the providers that we know, under our names. */
export const genaiRows = (data: readonly Provider[], stamp: Stamp): PriceRow[] =>
  Object.entries(providersFrom).flatMap(([provider, sources]) =>
    rowsOfProvider(
      provider,
      sources.flatMap((id) => data.find((one) => one.id === id)?.models ?? []),
      stamp,
    ),
  )
