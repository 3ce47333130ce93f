import { catalog } from '../../src/catalogs/weir.ts'
import { formatUsd } from '../../src/core/money.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { price } from '../../src/playbook/price/price.ts'
import { call } from './usage.ts'

const loaded = await catalog.rows()

/** The package's own price files alone, as a book. */
export const weirBook = compileBook(loaded)

/** What a call costs by our own files: decimal US dollars, or null. */
export const usd = (...args: Parameters<typeof call>): string | null => {
  const { cost } = price(call(...args), weirBook)
  return cost === null ? null : formatUsd(cost)
}

type Where = Readonly<{ provider: string; model: string; moment: string; region?: string; batch?: boolean }>
type How = Parameters<typeof call>[1]

const M = 1_000_000

/** In, out, cache read, cache write and one-hour write as USD per million, at a context of `context` tokens. */
export const rates = (where: Where, context = 1000, how: How = {}): string => {
  const of = (
    bucket:
      | 'in.text.fresh'
      | 'out.text.visible'
      | 'in.text.cache_read'
      | 'in.text.cache_write'
      | 'in.text.cache_write_1h',
  ) => usd({ ...where, tokens: { [bucket]: M } }, { ...how, context_tokens: context }) ?? '–'
  return [
    of('in.text.fresh'),
    of('out.text.visible'),
    of('in.text.cache_read'),
    of('in.text.cache_write'),
    of('in.text.cache_write_1h'),
  ].join(' ')
}
