/** How sure a provider is that a bare path, one without a provider's name before it, is its own. */
import type { Headers } from '../../core/wire.ts'

export const claim = {
  none: 0,
  /** Many servers have this path; taken by the one whose SDK leaves the base path out. */
  weak: 5,
  /** The path of an API that others copy. */
  common: 10,
  /** The path is this provider's alone. */
  own: 30,
  /** A header or the shape of the key names the provider. */
  named: 40,
  /** Path and header, or a path that names the service itself. */
  sure: 50,
} as const

/** Does the bearer token begin so? Providers mark their keys, and a key says better than a copied path whom it is for. */
export const bearer = (headers: Headers, prefix: string): boolean =>
  headers['authorization']?.slice(0, 7).toLowerCase() === 'bearer ' && headers['authorization'].startsWith(prefix, 7)

/** Is the path one of these, or below one of them? */
export const within = (path: string, roots: readonly string[]): boolean =>
  roots.some((root) => path === root || path.startsWith(`${root}/`))
