import { readFileSync } from 'node:fs'
import { defineCommand } from 'citty'
import { WeirError } from '../core/errors.ts'
import type { TokenRatio } from '../core/ledger.ts'
import { pieces } from '../playbook/measure/estimate.ts'
import { type Ratios, ratios } from '../playbook/measure/ratios.ts'
import { hasLedger } from '../verbs/data.ts'
import { type FolderFlags, folderArgs, folderOf, withLedger } from './asking.ts'
import { countFlag } from './numbers.ts'
import { bookArgs, momentOf, openBook } from './prices/book.ts'
import { count, money, nothing, percent, plural } from './show/format.ts'
import { type Look, lookOf, paint } from './show/look.ts'
import { checkForm, print, printCsv, printJson } from './show/output.ts'
import { type Column, table } from './show/table.ts'
import { type Quote, quote } from './tokens/quote.ts'
import { type CountedPart, countParts, type Draft, readDraft } from './tokens/read.ts'

/** Models beside each other when none is asked: the strong, the usual and the small of each house. */
const usualModels = [
  'claude-opus-5-5',
  'claude-sonnet-5-5',
  'claude-haiku-5-5',
  'gpt-6.1-sol',
  'gpt-6-luna',
  'gemini-3.8-flash',
  'deepseek-flash',
  'mistral-large-latest',
]

export type Counted = Readonly<{
  file: string
  draft: Draft
  parts: readonly CountedPart[]
  output_tokens: number
  quotes: readonly Quote[]
}>

const partColumns = (total: number): Column<CountedPart>[] => [
  { head: 'part', cell: ({ part }) => part },
  { head: 'tokens', cell: ({ tokens }) => count(tokens), align: 'right' },
  { head: 'share', cell: ({ tokens }) => percent(total === 0 ? null : tokens / total), align: 'right' },
  { head: 'characters', cell: ({ characters }) => count(characters), align: 'right', drop: 1 },
]

const bandText = ({ band_from, in_band }: Quote): string => {
  if (band_from === null) return ''
  return in_band ? `long context (from ${count(band_from)})` : `long from ${count(band_from)}`
}

const quoteColumns = (output_tokens: number): Column<Quote>[] => [
  { head: 'model', cell: ({ model }) => model, shrink: 16, style: (text, _, colours) => colours.bold(text) },
  { head: 'provider', cell: ({ provider }) => provider ?? nothing, drop: 3 },
  { head: 'input tokens', cell: ({ input_tokens }) => count(input_tokens), align: 'right', drop: 1 },
  { head: 'input', cell: ({ input_usd }) => money(input_usd), align: 'right' },
  { head: 'if cached', cell: ({ cached_input_usd }) => money(cached_input_usd), align: 'right' },
  { head: `${count(output_tokens)} out`, cell: ({ output_usd }) => money(output_usd), align: 'right' },
  { head: 'total', cell: ({ total_usd }) => money(total_usd), align: 'right' },
  {
    head: 'context price',
    cell: bandText,
    drop: 2,
    style: (text, { in_band }, colours) => (in_band ? colours.yellow(text) : colours.dim(text)),
  },
]

const totalOf = (parts: readonly CountedPart[]): CountedPart => ({
  part: 'total' as CountedPart['part'],
  tokens: parts.reduce((sum, { tokens }) => sum + tokens, 0),
  characters: parts.reduce((sum, { characters }) => sum + characters, 0),
})

/** What is not in the figures; silence would read as zero. */
const doubts = ({ draft: { media = 0 }, quotes }: Counted): string[] => [
  ...(media === 0
    ? []
    : [`${media === 1 ? '1 image, sound or file is' : `${media} images, sounds or files are`} not in the count`]),
  ...quotes
    .filter(({ provider }) => provider === null)
    .map(({ model }) => `${model} is not in the price book: weir prices list shows all`),
]

/** The draft by part, and its price on the models beside each other. */
export const renderCounted = (counted: Counted, look: Look): string => {
  const { file, draft, parts, output_tokens, quotes } = counted
  const colours = paint(look)
  const total = totalOf(parts)
  const kind = draft.wire === undefined ? 'text' : `${draft.wire} body`
  const cap = draft.max_output_tokens
  const capped = cap === undefined ? '' : `, at most ${plural(cap, 'output token')} asked`
  return [
    `${colours.title(file)} ${kind}, ${plural(total.tokens, 'token')} as o200k counts${capped}`,
    table(parts, partColumns(total.tokens), look, { foot: total }),
    '',
    table(quotes, quoteColumns(output_tokens), look),
    ...doubts(counted).map((text) => `${colours.yellow('!')} ${text}`),
  ].join('\n')
}

const read = (file: string): string => {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8')
  } catch (cause) {
    const what = file === '-' ? 'standard input' : file
    throw new WeirError('bad-input', `cannot read ${what}: ${(cause as Error).message}`, { cause })
  }
}

/** What the ledger has learnt of each model's tokenizer; the measured defaults where there is no ledger. */
const learntRatios = async (flags: FolderFlags): Promise<Ratios> => {
  let learnt: readonly TokenRatio[] = []
  if (hasLedger(folderOf(flags)))
    learnt = await withLedger(flags, 'weir tokens', async (ledger) => (await ledger.query({ ask: 'ratios' })).ratios)
  return ratios(learnt)
}

/** An o200k count; long unbroken runs go in pieces, because the tokenizer is quadratic in them. */
const o200k = async (): Promise<(text: string) => number> => {
  const { countTokens } = await import('gpt-tokenizer/encoding/o200k_base')
  const options = { disallowedSpecial: new Set<string>() }
  return (text) => pieces(text).reduce((sum, piece) => sum + countTokens(piece, options), 0)
}

export const command = {
  ...defineCommand({
    meta: {
      name: 'tokens',
      description:
        'Count the tokens of a draft prompt by part and price it on several models side by side. Takes text or the JSON body of any API, from a file or standard input.',
    },
    args: {
      file: { type: 'positional', required: false, description: 'The draft; - or nothing is standard input' },
      models: { type: 'string', valueHint: 'A,B,C', description: 'Models to price it on, as model or provider/model' },
      output: { type: 'string', valueHint: 'N', description: 'Output tokens to reckon with (500)' },
      csv: { type: 'boolean', description: 'Print the models as CSV' },
      ...folderArgs,
      at: bookArgs.at,
    },
    run: async ({ args }) => {
      checkForm(args)
      const file = args.file ?? '-'
      const output_tokens = countFlag('--output', args.output, 500)
      const draft = readDraft(read(file))
      const [counter, book, learnt] = await Promise.all([o200k(), openBook(args), learntRatios(args)])
      const parts = countParts(draft.parts, counter)
      const o200k_tokens = totalOf(parts).tokens
      const asked = args.models?.split(',').filter((name) => name !== '') ?? [
        ...new Set([...(draft.model === undefined ? [] : [draft.model]), ...usualModels]),
      ]
      const at_us = momentOf(args.at)
      const quotes = asked.map((name) => quote(book, name, { o200k_tokens, output_tokens, at_us, ratios: learnt }))
      if (args.json)
        return printJson({
          file,
          wire: draft.wire ?? null,
          o200k_tokens,
          not_counted: draft.media ?? 0,
          parts,
          output_tokens,
          models: quotes,
        })
      if (args.csv) {
        const keys = Object.keys(quotes[0] ?? {}) as (keyof Quote)[]
        printCsv(quotes, Object.fromEntries(keys.map((key) => [key, (row: Quote) => row[key]])))
        return
      }
      print(renderCounted({ file, draft, parts, output_tokens, quotes }, lookOf()))
    },
  }),
  examples: [
    ['weir tokens prompt.txt', 'a draft on the usual models'],
    ['weir tokens request.json --models claude-opus-5-5,openai/gpt-6-sol --output 2000', 'a request on two'],
    ['cat prompt.txt | weir tokens --json', 'for a script'],
  ],
} as const
