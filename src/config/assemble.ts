import type { Budget } from '../core/budget.ts'
import type { PriceRow } from '../core/price.ts'
import type { Credentials, ProviderSettings } from '../core/provider.ts'
import type { Route } from '../core/settings.ts'
import { readBudgets } from '../playbook/allocate/budget/read.ts'
import { environmentCredentials, environmentRegion } from './credentials.ts'
import type { Tell } from './document.ts'
import { unknownFallBacks } from './fall-backs.ts'
import { checkMatch, type Names } from './match.ts'
import { adapterOf, checkEntry, compatible, type Providers } from './provider-entry.ts'
import type { File, PriceFields, ProviderFields } from './schema.ts'
import { hint } from './suggest.ts'

/** A copy without the fields that are undefined. */
export const known = <T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } =>
  Object.fromEntries(Object.entries(value).filter(([, inner]) => inner !== undefined)) as never

const reserved = /^(healthz|readyz|metrics|weir|v\d.*)$/

type Sources = Readonly<{
  mode: 'pass-through' | 'keys'
  env: Readonly<Record<string, string | undefined>>
  /** Credentials that `weir keys provider set` keeps. */
  stored: Readonly<Record<string, Credentials>>
}>

/** Keys come from the file, then from the store, then (only when keys are ours to give) from the environment. */
const credentialsOf = (name: string, fields: ProviderFields, sources: Sources): Credentials => {
  const { api_key, access_key_id, secret_access_key, session_token } = fields
  const written = known({ api_key, access_key_id, secret_access_key, session_token })
  if (Object.keys(written).length > 0) return written
  if (sources.mode !== 'keys') return {}
  return sources.stored[name] ?? environmentCredentials(name, sources.env)
}

/** Every provider: those of the file first, in its order, then the built-in ones that it does not name. */
export const providersOf = (file: File, providers: Providers, sources: Sources, tell: Tell): ProviderSettings[] => {
  const written: Readonly<Record<string, ProviderFields>> = file.providers ?? {}
  const rest = Object.keys(providers).filter((name) => !(name in written) && name !== compatible)
  return [...Object.keys(written), ...rest].map((name) => {
    const fields = written[name] ?? {}
    if (reserved.test(name)) tell(['providers', name], 'the gateway has a path of this name; choose another')
    if ((fields.access_key_id === undefined) !== (fields.secret_access_key === undefined)) {
      tell(['providers', name], 'access_key_id and secret_access_key belong together: set both, or neither')
    }
    const adapter = name in written ? adapterOf(name, fields, providers, tell) : name
    const region = fields.region ?? environmentRegion(adapter, sources.env)
    if (name in written) checkEntry(name, { ...fields, region }, providers[adapter], tell)
    return known({
      name,
      adapter,
      base_url: fields.base_url,
      region,
      options: fields.options ?? {},
      credentials: credentialsOf(name, fields, sources),
      price_as: fields.price_as,
    })
  })
}

export const routesOf = (file: File, names: Names, tell: Tell): Route[] =>
  (file.routes ?? []).map(({ match, targets }, i) => {
    checkMatch(match, ['routes', i, 'match'], names, tell)
    targets.forEach(({ provider }, j) => {
      if (names.provider.includes(provider)) return
      const meant = hint(provider, names.provider)
      tell(['routes', i, 'targets', j], `there is no provider ${provider}${meant === '' ? '' : `; ${meant}`}`)
    })
    return { match: known(match), targets: targets.map(known) }
  })

/** Budgets, with every problem of theirs told at its line. A budget falls back to providers that there are. */
export const budgetsOf = (file: File, names: readonly string[], tell: Tell): readonly Budget[] => {
  const { budgets, problems } = readBudgets(file.budgets ?? [])
  for (const { path, message } of problems) tell(['budgets', ...path], message)
  for (const [i, budget] of budgets.entries())
    for (const message of unknownFallBacks(budget, names)) tell(['budgets', i, 'when_exhausted'], message)
  return budgets
}

const priceId = (price: PriceFields, taken: Set<string>): string => {
  const base =
    price.id ?? `contract/${price.provider}/${price.models[0]}@${price.effective_from?.slice(0, 10) ?? 'always'}`
  let id = base
  for (let number = 2; taken.has(id); number += 1) id = `${base}#${number}`
  taken.add(id)
  return id
}

const asInstant = (given: string | undefined): string | undefined =>
  given === undefined ? undefined : new Date(given).toISOString()

/** What calls to a provider are priced as. */
export const pricedAs = ({ price_as, adapter }: ProviderSettings): string => price_as ?? adapter

/** A row under the name of a provider whose calls are priced under another would hold for no call. */
const checkPriced = (name: string, providers: readonly ProviderSettings[], told: (message: string) => void): void => {
  const named = providers.find((provider) => provider.name === name)
  if (named === undefined || providers.some((provider) => pricedAs(provider) === name)) return
  told(
    `found ${name}, whose calls are priced as ${pricedAs(named)}: write that, or set price_as: ${name} at the provider`,
  )
}

type Around = Readonly<{
  providers: readonly ProviderSettings[]
  /** Day of the file's last change. */
  written_at: string
  tell: Tell
}>

/** Contract rows. One without `checked_at` counts as checked when the file was last written. */
export const pricesOf = (file: File, { providers, written_at, tell }: Around): PriceRow[] => {
  const taken = new Set<string>()
  return (file.prices ?? []).map((price, i): PriceRow => {
    const id = priceId(price, taken)
    checkPriced(price.provider, providers, (message) => tell(['prices', i, 'provider'], message))
    if (price.id !== undefined && id !== price.id) tell(['prices', i, 'id'], `${price.id} is the id of another row`)
    const zero = Object.entries(price.rates).find(([, rate]) => Number(rate) === 0)
    if (zero && price.free !== true) {
      tell(['prices', i, 'rates', zero[0]], 'a rate of 0 needs free: true beside it, so that no gap reads as free')
    }
    const { effective_from: from, effective_to: to } = price
    if (from !== undefined && to !== undefined && Date.parse(to) <= Date.parse(from)) {
      tell(['prices', i, 'effective_to'], `found ${to}; expected an instant after effective_from (${from})`)
    }
    return known({
      ...price,
      window: price.window === undefined ? undefined : known(price.window),
      id,
      layer: 'contract' as const,
      effective_from: asInstant(from),
      effective_to: asInstant(to),
      checked_at: price.checked_at ?? written_at,
    })
  })
}
