/** Providers that keep each wire under a fixed root: nearly all of them. */
import { WeirError } from '../../core/errors.ts'
import type { Address, AddressRequest, Provider, ProviderSettings } from '../../core/provider.ts'
import { type Base, baseOf } from './base.ts'
import { operationOf } from './operation.ts'
import { checkPath, checkQuery, join, without } from './path.ts'

/** Parameters that mean something to one provider only, or hold its key. They do not go to another. */
const OWN_PARAMETERS = ['key', 'api-version', 'api_version']

/** Wire → the path above its operations, below the base URL. */
export type Roots = Readonly<Partial<Record<string, string>>>

/** The wire's root here. Throws WeirError `bad-config` when the provider does not speak the wire. */
export const rootOf = (roots: Roots, settings: ProviderSettings, wire: string | undefined): string => {
  if (wire === undefined) return ''
  const root = roots[wire]
  if (root !== undefined) return root
  throw new WeirError(
    'bad-config',
    `Provider ${settings.name}: ${settings.adapter} does not speak ${wire}. Route such calls to another provider, or take the target out of the route.`,
  )
}

/** The client's own path under the base. */
export const nativeAddress = (base: Base, request: AddressRequest): Address => ({
  origin: base.origin,
  path: join(base.path, checkPath(request.path)) + checkQuery(request.query),
})

/** The query of a call that comes from another provider's path. */
export const foreignQuery = (request: AddressRequest): string => without(checkQuery(request.query), OWN_PARAMETERS)

/** An address for providers whose model stands in the body. */
export const rooted =
  (roots: Roots, base_url?: string): Provider['address'] =>
  (settings, request) => {
    const base = baseOf(settings, base_url)
    if (request.native) return nativeAddress(base, request)
    const operation = operationOf(request.wire, checkPath(request.path))
    const path = join(base.path, rootOf(roots, settings, request.wire) + operation)
    return { origin: base.origin, path: path + foreignQuery(request) }
  }
