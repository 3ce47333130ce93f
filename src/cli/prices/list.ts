import { defineCommand } from 'citty'
import { perform } from '../../verbs/perform.ts'
import type { Listed } from '../../verbs/prices/list.ts'
import { verb as listPrices } from '../../verbs/prices-list.ts'
import { withContext } from '../calling.ts'
import { nothing } from '../show/format.ts'
import { type Look, lookOf } from '../show/look.ts'
import { checkForm, note, print, printCsv, printJson } from '../show/output.ts'
import { type Column, table } from '../show/table.ts'
import { bookArgs } from './book.ts'

const amount = (usd: string | null): string => usd ?? nothing

const columns: readonly Column<Listed>[] = [
  { head: 'provider', cell: (row) => row.provider },
  { head: 'model', cell: (row) => row.model, shrink: 18, style: (text, _, colours) => colours.bold(text) },
  { head: 'input', cell: (row) => amount(row.input), align: 'right' },
  { head: 'output', cell: (row) => amount(row.output), align: 'right' },
  { head: 'cache read', cell: (row) => amount(row.cache_read), align: 'right' },
  { head: 'cache write', cell: (row) => amount(row.cache_write), align: 'right', drop: 1 },
  { head: 'long from', cell: (row) => row.long_from?.toLocaleString('en-US') ?? '', align: 'right', drop: 2 },
  { head: 'next change', cell: (row) => row.next_change ?? '', drop: 3 },
  { head: 'from', cell: (row) => row.layer, drop: 4 },
]

export const renderList = (rows: readonly Listed[], look: Look): string => table(rows, columns, look)

export const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'List the standard prices of all models, in USD per million tokens.' },
    args: {
      provider: {
        type: 'string',
        valueHint: 'NAME',
        description: 'Only this provider, with every price the catalogue has',
      },
      all: { type: 'boolean', description: 'Also the models that only the public catalogue has' },
      json: { type: 'boolean', description: 'Print the answer as JSON' },
      csv: { type: 'boolean', description: 'Print the answer as CSV' },
      ...bookArgs,
    },
    run: async ({ args }) => {
      checkForm(args)
      const { provider, all, at, config } = args
      const { prices: rows, ...answer } = await withContext({ config }, 'weir prices list', (context) =>
        perform(listPrices, { provider, all: all === true, at }, context),
      )
      if (args.json) return printJson({ ...answer, prices: rows })
      if (args.csv) {
        const keys = Object.keys(rows[0] ?? {}) as (keyof Listed)[]
        printCsv(rows, Object.fromEntries(keys.map((key) => [key, (row: Listed) => row[key]])))
        return
      }
      print(renderList(rows, lookOf()))
      note(`${rows.length} models on ${answer.at}, USD per million tokens, book ${answer.book}.`)
    },
  }),
  examples: [
    ['weir prices list', 'our own prices'],
    ['weir prices list --provider mistral --at 2026-06-01', 'one provider on a day'],
  ],
} as const
