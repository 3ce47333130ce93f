/** Paths on their way to a provider: checked so that none leaves its place, joined to the base path, never rebuilt. */
import { WeirError } from '../../core/errors.ts'

const LONGEST = 8192
const PRINTABLE = /^\/[\x21-\x7e]*$/
const VERSION = /^v\d+[a-z0-9]*$/

/** Undoes percent-escapes until nothing changes, so that `%252e` is judged as what a careless server makes of it. */
const unescaped = (text: string): string | undefined => {
  let now = text
  for (let round = 0; round < 4 && now.includes('%'); round++) {
    try {
      const next = decodeURIComponent(now)
      if (next === now) return now
      now = next
    } catch {
      // The first round reads the client's own escapes, which must be right; later ones may meet a literal `%`.
      return round === 0 ? undefined : now
    }
  }
  return now
}

const isDots = (segment: string) => segment === '.' || segment === '..'

/** Why this is not a plain path, or undefined when it is one. `path` is without query. */
export const flawOf = (path: string): string | undefined => {
  if (!path.startsWith('/')) return 'it does not begin with /'
  if (path.length > LONGEST) return `it is longer than ${LONGEST} characters`
  if (!PRINTABLE.test(path) || /[\\?#<>"`{}|^]/.test(path)) return 'it holds a character that must be percent-escaped'
  if (path.includes('//')) return 'it holds an empty segment: look for a slash at the end of the base URL'
  if (/\/(v\d[a-z0-9]*)\/\1\//.test(path)) return 'it holds its version twice: take it off the end of the base URL'
  if (!path.includes('%') && !path.includes('.')) return undefined
  const plain = unescaped(path)
  if (plain === undefined) return 'it holds a malformed percent-escape'
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  if (/[\x00-\x1f\x7f\\]/.test(plain)) return 'it holds an escaped control character or backslash'
  if (plain.split('/').some(isDots)) return 'it holds a dot segment'
  return undefined
}

/**
 * The path without a slash at its end and without escapes of characters that may stand for themselves in a segment
 * (RFC 3986 §3.3): what a server reads in it anyway. `%2F` and `%25` keep what they hide.
 */
export const plainPath = (path: string): string => {
  const open = path.replace(/%[2-7][0-9a-f]/gi, (escaped) => {
    const char = decodeURIComponent(escaped)
    return /[\w.~:@!$&'()*+,;=-]/.test(char) ? char : escaped
  })
  return open.length > 1 && open.endsWith('/') ? open.slice(0, -1) : open
}

/** The client's path, as it came. Throws WeirError `bad-request` when it is not a plain path; the path is not echoed. */
export const checkPath = (path: string): string => {
  const flaw = flawOf(path)
  if (flaw !== undefined) throw new WeirError('bad-request', `The request path is not accepted: ${flaw}.`)
  return path
}

/** The client's query, as it came. Throws WeirError `bad-request` when it could not stand in a request line. */
export const checkQuery = (query: string): string => {
  if (query === '' || query === '?') return ''
  if (!/^\?[\x21-\x7e]*$/.test(query) || query.includes('#') || query.length > 4 * LONGEST)
    throw new WeirError('bad-request', 'The request query is not accepted: it holds a character that must be escaped.')
  return query
}

const segments = (path: string) => path.split('/').filter((segment) => segment !== '')

/** How many of the base's last segments the path begins with: `/openai/v1` and `/v1/models` share one. */
const shared = (base: readonly string[], path: readonly string[]): number => {
  for (let count = Math.min(base.length, path.length); count > 0; count--) {
    const tail = base.slice(base.length - count)
    if (tail.every((segment, index) => segment === path[index])) return count
  }
  return 0
}

/** Joined paths by base and path: few, and asked for with every call. */
const joined = new Map<string, Map<string, string>>()
const MOST_JOINED = 1000

/**
 * Base path + path. What stands at the end of the one and the beginning of the other is written once, and a version at
 * the end of the base stands for the client's (`/api/paas/v4` + `/v1/chat/completions`), because SDKs write their own.
 */
export const join = (base: string, path: string): string => {
  if (base === '' || base === '/') return path
  const known = joined.get(base) ?? new Map<string, string>()
  joined.set(base, known)
  const found = known.get(path) ?? joinAnew(base, path)
  if (known.size < MOST_JOINED) known.set(path, found)
  return found
}

const joinAnew = (base: string, path: string): string => {
  const before = segments(base)
  const after = segments(path)
  const version = VERSION.test(before.at(-1) ?? '') && VERSION.test(after[0] ?? '') ? 1 : 0
  const rest = after.slice(shared(before, after) || version)
  const trailing = path.length > 1 && path.endsWith('/') ? '/' : ''
  return `/${[...before, ...rest].join('/')}${trailing}`
}

/**
 * A model as one path segment: everything but unreserved characters is escaped, `/` and `:` too (RFC 3986 §2.3). Throws
 * WeirError `bad-request` for a dot segment, which no escape can hide.
 */
export const segment = (model: string): string => {
  if (isDots(model)) throw new WeirError('bad-request', 'The request names no model: . and .. are not names.')
  return encodeURIComponent(model.toWellFormed()).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

/** A query without some of its parameters; the others stay as they came. */
export const without = (query: string, names: readonly string[]): string => {
  if (query === '') return ''
  const kept = query
    .slice(1)
    .split('&')
    .filter((pair) => !names.includes((unescaped(pair.split('=', 1)[0] ?? '') ?? '').toLowerCase()))
  return kept.length === 0 ? '' : `?${kept.join('&')}`
}
