import { isGlob } from '../core/glob.ts'
import type { Provider } from '../core/provider.ts'
import type { Path, Tell } from './document.ts'
import { hint } from './suggest.ts'

/** Fields of a match whose values are names that there are: any other text could never match, but for a pattern. */
export type Names = Readonly<Record<'provider' | 'wire', readonly string[]>>

/** The providers that are configured, and the wires that any adapter speaks. */
export const namesOf = (configured: readonly string[], adapters: Readonly<Record<string, Provider>>): Names => ({
  provider: configured,
  wire: [...new Set(Object.values(adapters).flatMap(({ traits }) => traits.wires))],
})

type Match = Readonly<Partial<Record<keyof Names, string | undefined>>>

/** Tells names in a match that there are not, each with the one that was probably meant. */
export const checkMatch = (match: Match, path: Path, names: Names, tell: Tell): void => {
  for (const field of ['provider', 'wire'] as const) {
    const name = match[field]
    if (name === undefined || isGlob(name) || names[field].includes(name)) continue
    const meant = hint(name, names[field])
    tell([...path, field], `there is no ${field} ${name}${meant === '' ? '' : `; ${meant}`}`)
  }
}
