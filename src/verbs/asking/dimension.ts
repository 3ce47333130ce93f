import { nearest } from '../../config/suggest.ts'
import { type Dimension, dimensions, type Filter } from '../../core/dimension.ts'
import { WeirError } from '../../core/errors.ts'

/** Is this word the name of a dimension? Budgets, policies and advice call a receipt's `key_id` the key. */
const isNamed = (dimension: Dimension, word: string): boolean =>
  dimension === word || dimension.replace('_', '-') === word || (dimension === 'key_id' && word === 'key')

/** Reads the name of a dimension. Throws WeirError `bad-input` with what was probably meant. */
export const dimensionOf = (name: string, field: string): Dimension => {
  const found = dimensions.find((dimension) => isNamed(dimension, name))
  if (found !== undefined) return found
  if (/^tag:.+/.test(name)) return name as Dimension
  const meant = nearest(name, dimensions)
  const known = `${dimensions.join(', ')}, tag:NAME`
  throw new WeirError('bad-input', `${field} ${name}: ${meant ? `did you mean ${meant}?` : `use one of ${known}`}`)
}

/** Filters as people write them: name=value, name!=value, commas for several values, nothing for "not tagged". */
export const readFilters = (texts: readonly string[], field: string): Filter[] =>
  texts.map((text) => {
    const match = /^([^=!]+)(!?)=(.*)$/.exec(text)
    if (!match) throw new WeirError('bad-input', `${field} ${text}: write NAME=VALUE, e.g. ${field} team=search`)
    const [, name = '', not = '', values = ''] = match
    return {
      dimension: dimensionOf(name.trim(), field),
      values: values.split(',').map((value) => (value === '' ? null : value)),
      ...(not === '' ? {} : { negate: true }),
    }
  })

/** Not what came from a FOCUS file: that is a bill, in the tool that the file was for, and no call that was metered. */
export const notImported: Filter = { dimension: 'origin', values: ['focus'], negate: true }
