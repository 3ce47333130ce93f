import { nearest } from '../../config/suggest.ts'
import { WeirError } from '../../core/errors.ts'
import type { PriceBook } from '../../core/price.ts'
import { type Explained, explain } from '../../playbook/price/explain.ts'

/** The rows of one model at one provider. */
export type Shown = Readonly<{ provider: string; model: string; rows: readonly Explained[] }>

/** The providers that have the model under exactly this name, with every row and its standing at the moment. */
export const showModel = (book: PriceBook, model: string, at_us: number, provider?: string): Shown[] => {
  const providers = [...new Set([...book.all()].map((row) => row.provider))]
  return providers
    .filter((name) => provider === undefined || name === provider)
    .map((name) => ({ provider: name, model, rows: explain(book, name, model, at_us) }))
    .filter(({ rows }) => rows.length > 0)
}

/** The error for a model that nobody has a price for, with what was probably meant. */
export const noPrice = (book: PriceBook, model: string): WeirError => {
  const names = [...new Set([...book.all()].flatMap((row) => row.models))]
  const near = names
    .filter((name) => name.includes(model))
    .sort((a, b) => a.length - b.length)
    .slice(0, 6)
  const meant = near.length > 0 ? near.join(', ') : nearest(model, names)
  const hint = meant === undefined ? 'weir prices list shows all' : `did you mean ${meant}?`
  return new WeirError('not-found', `${model} is not in the price book, so its calls are unpriced; ${hint}`)
}
