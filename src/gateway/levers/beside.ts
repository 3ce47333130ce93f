import { canonical } from '../../playbook/measure/canonical.ts'
import { digest } from '../prompt.ts'

type Place = { readonly home: Record<string, unknown>; readonly name: string }

/** A copy of a body, and the last place in it where exactly this text stands. */
const copyOf = (json: unknown, text: string): Readonly<{ copy: unknown; last: Place | undefined }> => {
  let last: Place | undefined
  const copied = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value
    const home = (Array.isArray(value) ? [] : Object.create(null)) as Record<string, unknown>
    for (const [name, inner] of Object.entries(value)) {
      home[name] = copied(inner)
      if (inner === text) last = { home, name }
    }
    return home
  }
  return { copy: copied(json), last }
}

/**
 * Hash of everything in a body that can change an answer (`canonical.ts`), but for the last place where exactly `text` stands: pictures,
 * calls of tools and options as much as words. Undefined where the text stands nowhere, or the body is nested too deep.
 */
export const besideText = (json: unknown, text: string): string | undefined => {
  try {
    const { copy, last } = copyOf(json, text)
    if (!last) return undefined
    last.home[last.name] = ''
    return digest(canonical(copy, digest, (_, write) => write()))
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}
