import { hint } from '../../config/suggest.ts'
import { WeirError } from '../../core/errors.ts'
import { globMatches } from '../../core/glob.ts'
import type { Wire } from '../../core/wire.ts'
import { wires } from '../../wires/index.ts'
import type { Context } from '../verb.ts'

const all: readonly Wire[] = Object.values(wires)
const names = [...new Set(all.flatMap(({ endpoints }) => endpoints))]

/** A scope that names no endpoint there is would lock its key out. Throws WeirError `bad-input` with what was probably meant. */
export const checkEndpoints = (globs: readonly string[], { field }: Pick<Context, 'field'>): void => {
  const unknown = globs.find((glob) => !names.some((name) => globMatches(glob, name)))
  if (unknown === undefined) return
  throw new WeirError(
    'bad-input',
    `${field('endpoints')} ${unknown}: there is no such endpoint; ${hint(unknown, names) || `known are: ${names.join(', ')}`}`,
  )
}
