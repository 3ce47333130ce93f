import { z } from 'zod'
import { loadBook } from '../catalogs/load.ts'
import { compileBook } from '../playbook/price/book.ts'
import { modelPrices } from './answers/bill.ts'
import { name } from './asking/fields.ts'
import { parseTime } from './asking/time.ts'
import { noPrice, type Shown, showModel } from './prices/show.ts'
import { defineVerb } from './verb.ts'

type ModelPrices = Readonly<{ book: string; at_us: number; models: readonly Shown[] }>

export const verb = defineVerb({
  name: 'prices show',
  describes: 'Every price of a model, past, current and announced, with its source and the date it was checked.',
  access: 'admin',
  http: { method: 'GET', path: '/v1/prices/model' },
  input: z.strictObject({
    model: name('the exact name of a model').describe('The exact name, as in calls'),
    provider: name('a provider').optional().describe('Only at this provider'),
    at: name('a time').default('now').describe('The moment whose prices hold, e.g. 2026-12-01'),
  }),
  output: modelPrices,
  async run({ model, provider, at }, context): Promise<ModelPrices> {
    const at_us = parseTime(at, context.now_us() / 1000, 'UTC', context.field('at')) * 1000
    const { prices } = await context.settings()
    const book = compileBook(await loadBook(prices))
    const models = showModel(book, model, at_us, provider)
    if (models.length === 0) throw noPrice(book, model)
    return { book: book.version, at_us, models }
  },
})
