import { nearest } from '../../config/suggest.ts'
import type { Dimension, Filter } from '../../core/dimension.ts'
import { WeirError } from '../../core/errors.ts'
import { ownerOf } from '../../playbook/allocate/statement/owners.ts'
import type { UnitCostRow } from '../../playbook/allocate/unit-cost/ask.ts'
import type { Field } from '../asking/time.ts'
import type { Context } from '../verb.ts'

/** What both a call and an outcome can name. */
const common = ['team', 'feature', 'customer', 'user', 'environment'] as const

export const dimensionFor = (by: string | undefined, field: Field): Dimension => {
  const name = by ?? 'team'
  const found = common.find((one) => one === name)
  if (found !== undefined) return found
  throw new WeirError(
    'bad-input',
    `${field('per')} with ${field('by')} ${name}: an outcome knows only ${common.join(', ')}; use one of these`,
  )
}

/** Splits need every owner's spend, so a filter can only choose among the rows of an answer. Throws WeirError `bad-input` for any other. */
export const chosen = (by: string, filters: readonly Filter[], field: Field): ((row: UnitCostRow) => boolean) => {
  const other = filters.find(({ dimension }) => dimension !== by)
  if (other !== undefined)
    throw new WeirError(
      'bad-input',
      `${field('where')} ${other.dimension} with ${field('per')}: only ${field('where')} ${by} can choose among its rows`,
    )
  return (row) =>
    filters.every(({ values, negate }) => values.some((value) => ownerOf(value) === row.owner) !== (negate ?? false))
}

/** Throws WeirError `not-found` for an outcome that nobody ever reported. A team is not told which others there are. */
export const checkKind = async ({ store, field, team }: Context, kind: string): Promise<void> => {
  if (team !== undefined) return
  const kinds = (await (await store()).outcomes.kinds()).map((one) => one.kind)
  if (kinds.includes(kind)) return
  const meant = nearest(kind, kinds)
  const known =
    kinds.length === 0 ? 'none was reported yet (weir outcomes add --help)' : `there are ${kinds.join(', ')}`
  throw new WeirError(
    'not-found',
    `${field('per')} ${kind}: no such outcome; ${meant === undefined ? known : `did you mean ${meant}?`}`,
  )
}
