import { WeirError } from '../core/errors.ts'
import type { Provider, ProviderSettings } from '../core/provider.ts'
import type { Wire } from '../core/wire.ts'
import type { Upstream } from './world.ts'

const upstreamOf = (
  settings: ProviderSettings,
  adapters: Readonly<Record<string, Provider>>,
  wires: Readonly<Record<string, Wire>>,
): Upstream => {
  const adapter = adapters[settings.adapter]
  if (!adapter) {
    const known = Object.keys(adapters).join(', ')
    throw new WeirError(
      'bad-config',
      `Provider ${settings.name}: there is no adapter ${settings.adapter}. Use one of: ${known}.`,
    )
  }
  return {
    name: settings.name,
    settings,
    adapter,
    wires: adapter.traits.wires.flatMap((name) => wires[name] ?? []),
    has_credentials: Object.values(settings.credentials).some((secret) => secret !== undefined),
    price_as: settings.price_as ?? settings.adapter,
  }
}

/** Every configured provider by name, joined to its adapter and the wires it speaks. Throws WeirError `bad-config`. */
export const openUpstreams = (
  providers: readonly ProviderSettings[],
  adapters: Readonly<Record<string, Provider>>,
  wires: Readonly<Record<string, Wire>>,
): ReadonlyMap<string, Upstream> =>
  new Map(providers.map((settings) => [settings.name, upstreamOf(settings, adapters, wires)]))
