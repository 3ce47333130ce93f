import type { Budget } from '../core/budget.ts'
import { hint } from './suggest.ts'

/** What is wrong with the providers that a budget falls back to, each that is not there with the name that was probably meant. */
export const unknownFallBacks = ({ when_exhausted }: Budget, names: readonly string[]): readonly string[] => {
  if (when_exhausted === 'refuse') return []
  return when_exhausted
    .filter(({ provider }) => !names.includes(provider))
    .map(({ provider }) => {
      const meant = hint(provider, names)
      return `there is no provider ${provider}${meant === '' ? '' : `; ${meant}`}`
    })
}
