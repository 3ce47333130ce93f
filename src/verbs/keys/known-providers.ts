import { hint } from '../../config/suggest.ts'
import { WeirError } from '../../core/errors.ts'
import { globMatches } from '../../core/glob.ts'
import type { Context } from '../verb.ts'

/** A scope that names no provider there is would lock its key out. Throws WeirError `bad-input` with what was probably meant. */
export const checkProviders = async (
  globs: readonly string[],
  { settings, field }: Pick<Context, 'settings' | 'field'>,
): Promise<void> => {
  if (globs.length === 0) return
  const names = (await settings()).providers.map(({ name }) => name)
  const unknown = globs.find((glob) => !names.some((name) => globMatches(glob, name)))
  if (unknown === undefined) return
  throw new WeirError(
    'bad-input',
    `${field('providers')} ${unknown}: there is no such provider; ${hint(unknown, names) || `known here: ${names.join(', ')}`}`,
  )
}
