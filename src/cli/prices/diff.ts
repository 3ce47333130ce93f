import { defineCommand } from 'citty'
import { catalogs } from '../../catalogs/index.ts'
import { nearest } from '../../config/suggest.ts'
import { WeirError } from '../../core/errors.ts'
import type { PriceBook } from '../../core/price.ts'
import { compileBook } from '../../playbook/price/book.ts'
import { compare, type Difference } from '../../playbook/price/compare.ts'
import { nothing, plural } from '../show/format.ts'
import { type Look, lookOf } from '../show/look.ts'
import { checkForm, print, printCsv, printJson } from '../show/output.ts'
import { type Column, table } from '../show/table.ts'
import { bookArgs, momentOf } from './book.ts'

const names = Object.keys(catalogs) as (keyof typeof catalogs)[]
/** Those that come with the package; the others read a file. */
const installed: ReadonlySet<string> = new Set(['weir', 'genai-prices'])

const openCatalog = async (name: string, file: string | undefined): Promise<PriceBook> => {
  const known = names.find((one) => one === name)
  if (known === undefined) {
    const meant = nearest(name, names)
    throw new WeirError(
      'bad-input',
      `there is no catalogue ${name}; ${meant ? `did you mean ${meant}?` : `use two of ${names.join(', ')}`}`,
    )
  }
  const { version, rows } = await catalogs[known].rows(installed.has(known) ? undefined : file)
  // Foreign catalogues may hold ties; they are compared, and never bill.
  return compileBook({ version, rows, checked: true })
}

const columnsFor = (a: string, b: string): Column<Difference>[] => [
  { head: 'provider', cell: (row) => row.provider },
  { head: 'model', cell: (row) => row.model, shrink: 18, names: true },
  { head: 'what', cell: (row) => row.what, shrink: 16 },
  { head: a, cell: (row) => row.a ?? nothing, align: 'right' },
  { head: b, cell: (row) => row.b ?? nothing, align: 'right' },
]

type Compared = ReturnType<typeof compare>

export const renderDiff = (a: string, b: string, found: Compared, look: Look): string => {
  const rest = `${plural(found.shared, 'name')} in both; ${found.only_a} only in ${a}, ${found.only_b} only in ${b}.`
  if (found.differences.length === 0) return `No difference. ${rest}`
  const summary = `${plural(found.differences.length, 'difference')}, USD per million of a standard call. ${rest}`
  return `${table(found.differences, columnsFor(a, b), look)}\n\n${summary}`
}

export const diff = {
  ...defineCommand({
    meta: {
      name: 'diff',
      description: `Compare two price catalogues: ${names.join(', ')}. All but weir and genai-prices read a file that you downloaded.`,
    },
    args: {
      a: { type: 'positional', required: true, description: 'A catalogue' },
      b: { type: 'positional', required: true, description: 'Another' },
      file: { type: 'string', valueHint: 'FILE', description: 'The downloaded file of litellm, models-dev or portkey' },
      provider: { type: 'string', valueHint: 'NAME', description: 'Only this provider' },
      json: { type: 'boolean', description: 'Print the answer as JSON' },
      csv: { type: 'boolean', description: 'Print the answer as CSV' },
      at: bookArgs.at,
    },
    run: async ({ args }) => {
      checkForm(args)
      const [a, b] = [await openCatalog(args.a, args.file), await openCatalog(args.b, args.file)]
      const found = compare(a, b, momentOf(args.at), args.provider)
      if (args.json) return printJson({ a: args.a, b: args.b, ...found })
      if (args.csv) {
        printCsv(found.differences, {
          provider: (row) => row.provider,
          model: (row) => row.model,
          what: (row) => row.what,
          [args.a]: (row) => row.a,
          [args.b]: (row) => row.b,
        })
        return
      }
      print(renderDiff(args.a, args.b, found, lookOf()))
    },
  }),
  examples: [
    ['weir prices diff weir genai-prices --provider openai', 'ours beside the public catalogue'],
    ['weir prices diff weir litellm --file model_prices_and_context_window.json', 'ours beside a download'],
  ],
} as const
