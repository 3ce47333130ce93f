/** Where a provider lives. Destinations come from the settings and nowhere else. */
import { WeirError } from '../../core/errors.ts'
import type { ProviderSettings } from '../../core/provider.ts'
import { flawOf } from './path.ts'

export type Base = Readonly<{ origin: string; path: string }>

const bad = (settings: ProviderSettings, message: string) =>
  new WeirError('bad-config', `Provider ${settings.name}: ${message}`)

/** The value is not repeated in the message, because a URL may hold a password. */
const parse = (settings: ProviderSettings, text: string): Base => {
  let url: URL
  try {
    url = new URL(text)
  } catch {
    throw bad(settings, 'base_url is not a URL. Write it as https://host/path.')
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:')
    throw bad(settings, 'base_url must begin with https:// or http://.')
  if (url.username !== '' || url.password !== '') throw bad(settings, 'base_url must not hold a user or password.')
  if (url.search !== '' || url.hash !== '') throw bad(settings, 'base_url must not hold a query or fragment.')
  const path = url.pathname.replace(/\/+$/, '')
  const flaw = path === '' ? undefined : flawOf(path)
  if (flaw !== undefined) throw bad(settings, `the path of base_url is not accepted: ${flaw}.`)
  return { origin: url.origin, path }
}

/** Settings are read once and never change, so each URL is parsed once. */
const parsed = new WeakMap<ProviderSettings, Base>()

/** Origin and path of the settings' base URL, or of the adapter's default. Throws WeirError `bad-config`. */
export const baseOf = (settings: ProviderSettings, fallback?: string): Base => {
  const known = parsed.get(settings)
  if (known !== undefined) return known
  const text = settings.base_url ?? fallback
  if (text === undefined)
    throw bad(settings, `${settings.adapter} has no address of its own: set its base_url in weir.yaml.`)
  const base = parse(settings, text)
  parsed.set(settings, base)
  return base
}

/** A region, fit to stand in a host name. */
export const REGION = /^[a-z0-9][a-z0-9-]{0,39}$/

/** The settings' region, fit to stand in a host name. Throws WeirError `bad-config`. */
export const regionOf = (settings: ProviderSettings): string => {
  const region = settings.region
  if (region === undefined) throw bad(settings, `${settings.adapter} needs a region: set its region in weir.yaml.`)
  if (!REGION.test(region)) throw bad(settings, 'region may hold only a-z, 0-9 and -.')
  return region
}

type Options = Readonly<Record<string, RegExp>>

/** An adapter's own option, checked against what it may be, because it may stand in a URL. Throws WeirError `bad-config`. */
export const optionOf = <Own extends Options>(
  settings: ProviderSettings,
  options: Own,
  option: keyof Own & string,
): string | undefined => {
  const value = settings.options[option]
  const pattern = options[option]
  if (value === undefined || pattern?.test(value)) return value
  throw bad(settings, `options.${option} is not valid: it must match ${pattern?.source}.`)
}

/** As `optionOf`, for an option that cannot be left out. */
export const neededOption = <Own extends Options>(
  settings: ProviderSettings,
  options: Own,
  option: keyof Own & string,
): string => {
  const value = optionOf(settings, options, option)
  if (value === undefined)
    throw bad(settings, `${settings.adapter} needs options.${option} for calls of another provider.`)
  return value
}
