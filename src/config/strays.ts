import type { PriceRow } from '../core/price.ts'
import type { Settings } from '../core/settings.ts'
import { pricedAs } from './assemble.ts'
import { nearest } from './suggest.ts'

/** A contract price that no call will have, or a provider whose calls will have none: a name is not as it was meant. */
export type Stray = Readonly<{ row: string; says: string }>

const digits = (name: string): string => name.replace(/\D/g, '')

/** The known name that was probably meant. Other digits are another version, which may be newer than our files. */
const misspelt = (name: string, known: Iterable<string>): string | undefined =>
  nearest(
    name,
    [...known].filter((one) => digits(one) === digits(name)),
  )

/** Models that Weir's files and the catalogue know, by the provider whose prices they are. */
const knownModels = (rows: readonly PriceRow[]): ReadonlyMap<string, ReadonlySet<string>> => {
  const known = new Map<string, Set<string>>()
  for (const { layer, provider, models } of rows) {
    if (layer === 'contract') continue
    const names = known.get(provider) ?? new Set<string>()
    known.set(provider, names)
    for (const model of models) names.add(model)
  }
  return known
}

const ofProvider = (provider: string, known: Iterable<string>): string => {
  const meant = misspelt(provider, known)
  return `no call is priced as ${provider}${meant === undefined ? '' : `: did you mean ${meant}?`}`
}

/** Providers whose calls are priced as something that no price names. */
const ofNoPrice = (rows: readonly PriceRow[], providers: Settings['providers'], known: Iterable<string>) => {
  const priced = new Set(rows.map(({ provider }) => provider))
  return providers.flatMap(({ name, price_as }): readonly Stray[] => {
    if (price_as === undefined || priced.has(price_as)) return []
    const meant = misspelt(price_as, known)
    const says = `no price is of ${price_as}${meant === undefined ? '' : `: did you mean ${meant}?`}`
    return [{ row: `providers.${name}.price_as`, says }]
  })
}

/**
 * Contract prices whose provider is none that calls are priced as, or whose model differs in spelling from one that is known. A
 * model that is like no other is taken at its word: many serve their own.
 */
export const strayPrices = (
  rows: readonly PriceRow[],
  { providers }: Pick<Settings, 'providers'>,
): readonly Stray[] => {
  const known = knownModels(rows)
  const asked = new Set([...known.keys(), ...providers.map(pricedAs)])
  const agreed = rows
    .filter(({ layer }) => layer === 'contract')
    .flatMap(({ id, provider, models }): readonly Stray[] => {
      if (!asked.has(provider)) return [{ row: id, says: ofProvider(provider, asked) }]
      const names = known.get(provider) ?? new Set<string>()
      return models.flatMap((model) => {
        const meant = names.has(model) ? undefined : misspelt(model, names)
        return meant === undefined ? [] : [{ row: id, says: `no file knows ${model}: did you mean ${meant}?` }]
      })
    })
  return [...agreed, ...ofNoPrice(rows, providers, known.keys())]
}
