import type { Provider } from '../core/provider.ts'
import type { Tell } from './document.ts'
import type { ProviderFields } from './schema.ts'
import { hint } from './suggest.ts'

export type Providers = Readonly<Record<string, Provider>>

export const compatible = 'openai-compatible'

/** The adapter that was meant: the one named, the one of the same name, or any server that speaks OpenAI's format. */
export const adapterOf = (name: string, fields: ProviderFields, providers: Providers, tell: Tell): string => {
  const names = Object.keys(providers)
  if (fields.adapter !== undefined) {
    if (fields.adapter in providers) return fields.adapter
    const meant = hint(fields.adapter, names)
    tell(
      ['providers', name, 'adapter'],
      `there is no adapter ${fields.adapter}; ${meant || `use one of ${names.join(', ')}`}`,
    )
    return fields.adapter
  }
  if (name in providers) return name
  if (fields.base_url === undefined) {
    const meant = hint(name, names)
    tell(
      ['providers', name],
      `no built-in provider has this name${meant === '' ? '' : ` (${meant})`}; one of your own needs base_url, ` +
        `and adapter where it is not ${compatible}`,
    )
  }
  return compatible
}

/** Where the reports of `weir reconcile` lie, an option of every adapter; what it may be its readers know. */
const BILLING_URL = 'billing_url'

/** An entry may also only say where reports lie, or at whose prices a provider sells. */
const isForCalls = ({ options = {}, price_as: _, ...rest }: ProviderFields): boolean =>
  Object.values(rest).some((value) => value !== undefined) || Object.keys(options).some((name) => name !== BILLING_URL)

const addresses = {
  base_url: (adapter: string) => `${adapter} has no address of its own: set base_url`,
  region: (adapter: string) =>
    `the address of ${adapter} depends on a region: set region (us-east-1 is one of AWS, europe-west4 one of Google) or base_url`,
}

const checkAddress = (name: string, fields: ProviderFields, { name: adapter, traits }: Provider, tell: Tell): void => {
  const { needs } = traits
  const isKnown = name === adapter || fields.adapter !== undefined
  const isAddressed = fields.base_url !== undefined || (needs === 'region' && fields.region !== undefined)
  if (needs && isKnown && !isAddressed && isForCalls(fields)) tell(['providers', name], addresses[needs](adapter))
}

const checkOptions = (name: string, { options = {} }: ProviderFields, adapter: Provider, tell: Tell): void => {
  const known = adapter.traits.options ?? {}
  for (const [option, value] of Object.entries(options)) {
    if (option === BILLING_URL) continue
    const pattern = known[option]
    const path = ['providers', name, 'options', option]
    if (pattern?.test(value)) continue
    if (pattern) tell(path, `expected text that matches ${pattern.source}`)
    else tell(path, `${adapter.name} has no such option; ${hint(option, [...Object.keys(known), BILLING_URL])}`)
  }
}

/** What an adapter asks of its entry, which would else fail with every call: an address, and options that it knows. */
export const checkEntry = (name: string, fields: ProviderFields, adapter: Provider | undefined, tell: Tell): void => {
  if (!adapter) return
  checkAddress(name, fields, adapter, tell)
  checkOptions(name, fields, adapter, tell)
}
