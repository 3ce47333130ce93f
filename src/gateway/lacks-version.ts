import { WeirError } from '../core/errors.ts'
import type { Call } from './call.ts'
import type { Upstream } from './world.ts'

/** SDKs differ in whether the API's version belongs to the base URL. */
export const VERSIONS = ['/v1beta', '/v2', '/v1'] as const

const reads = ({ method, headers }: Call, { wires }: Upstream, path: string): boolean =>
  wires.some((wire) => wire.recognise(method, path, headers))

/** Does a provider read the path with this version before it, and not as it is? */
export const lacks = (call: Call, upstream: Upstream, version: string): boolean =>
  reads(call, upstream, version + call.path) && !reads(call, upstream, call.path)

export const lacksVersion = ({ name }: Upstream, version: string): WeirError =>
  new WeirError(
    'unknown-path',
    `The path lacks its version, and ${name} serves it below ${version}: put ${version} at the end of the base URL.`,
  )

/** Of a path that no wire of its provider reads. Throws `unknown-path` where one does with a version before it. */
export const checkVersion = (call: Call, upstream: Upstream): void => {
  const version = VERSIONS.find((one) => lacks(call, upstream, one))
  if (version !== undefined) throw lacksVersion(upstream, version)
}
