import { hint, nearest } from '../../config/suggest.ts'
import { type Dimension, dimensions, type Filter } from '../../core/dimension.ts'
import { WeirError } from '../../core/errors.ts'
import { outcomes } from '../../core/receipt.ts'

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

/** The value of a filter. Of outcomes there are few, so a mistyped one is told, instead of finding no call. */
const filterValue = (dimension: Dimension, value: string, field: string): string | null => {
  if (value === '') return null
  if (dimension !== 'outcome' || outcomes.some((outcome) => outcome === value)) return value
  throw new WeirError('bad-input', `${field} outcome=${value}: ${hint(value, outcomes)}`)
}

/** Filters as people write them: name=value, name!=value, commas for several values, nothing for "not tagged". */
export const readFilters = (texts: readonly string[], field: string): Filter[] =>
  texts.map((text) => {
    const match = /^([^=!]+)(!?)=(.*)$/.exec(text)
    if (!match) throw new WeirError('bad-input', `${field} ${text}: write NAME=VALUE, e.g. ${field} team=search`)
    const [, name = '', not = '', values = ''] = match
    const dimension = dimensionOf(name.trim(), field)
    return {
      dimension,
      values: values.split(',').map((value) => filterValue(dimension, value, field)),
      ...(not === '' ? {} : { negate: true }),
    }
  })

/** Not what came from a FOCUS file: that is a bill, in the tool that the file was for, and no call that was metered. */
export const notImported: Filter = { dimension: 'origin', values: ['focus'], negate: true }
