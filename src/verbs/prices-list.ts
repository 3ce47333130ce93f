import { z } from 'zod'
import { loadBook } from '../catalogs/load.ts'
import { WeirError } from '../core/errors.ts'
import { compileBook } from '../playbook/price/book.ts'
import { prices as pricesAnswer } from './answers/bill.ts'
import { flag, name } from './asking/fields.ts'
import { day, parseTime } from './asking/time.ts'
import { type Listed, listModels } from './prices/list.ts'
import { defineVerb } from './verb.ts'

type Prices = Readonly<{ book: string; at: string; prices: readonly Listed[] }>

export const verb = defineVerb({
  name: 'prices list',
  describes: 'Standard prices of all models at a moment, US dollars per million tokens.',
  access: 'admin',
  http: { method: 'GET', path: '/v1/prices' },
  input: z.strictObject({
    provider: name('a provider').optional().describe('Only this provider, with all that the catalogue has'),
    all: flag('Also the models that only the public catalogue has'),
    at: name('a time').default('now').describe('The moment whose prices hold, e.g. 2026-12-01'),
  }),
  output: pricesAnswer,
  async run({ provider, all, at }, context): Promise<Prices> {
    const at_us = parseTime(at, context.now_us() / 1000, 'UTC', context.field('at')) * 1000
    const { prices } = await context.settings()
    const book = compileBook(await loadBook(prices))
    const found = listModels(book, at_us, { provider, all })
    if (found.length > 0) return { book: book.version, at: day(at_us), prices: found }
    const known = [...new Set([...book.all()].map((row) => row.provider))]
    throw new WeirError('not-found', `no prices of ${provider}; there are those of ${known.join(', ')}`)
  },
})
