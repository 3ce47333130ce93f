import { defineCommand } from 'citty'
import { loadBook } from '../catalogs/load.ts'
import { loadSettings } from '../config.ts'
import type { Bill } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import type { Dimension, Ledger, TimeWindow } from '../core/ledger.ts'
import type { Settings } from '../core/settings.ts'
import { type ReconcileOptions, reconcile } from '../playbook/allocate/reconcile/reconcile.ts'
import { compileBook } from '../playbook/price/book.ts'
import { providers } from '../providers/index.ts'
import { dimensionOf, every, type FolderFlags, folderArgs, windowArgs, withLedger } from './asking.ts'
import { answerOf, csvColumns, isOpen, type Reconciled } from './reconcile/answer.ts'
import { askApi, billOf, type Collected, readFiles } from './reconcile/collect.ts'
import { renderReconciled, type View, views } from './reconcile/render.ts'
import { count, plural } from './show/format.ts'
import { lookOf } from './show/look.ts'
import { note, print, printCsv, printJson } from './show/output.ts'
import { progress } from './show/progress.ts'
import { day, parseWindow } from './show/time.ts'

const DAY_US = 86_400_000_000

/** `LEFT=RIGHT` of every use of a flag; the last `=` divides, because names on bills may hold one. */
const pairs = (rawArgs: readonly string[], flag: string, example: string): readonly (readonly [string, string])[] =>
  every(rawArgs, flag).map((text) => {
    const at = text.lastIndexOf('=')
    const [left, right] = [text.slice(0, Math.max(at, 0)).trim(), text.slice(at + 1).trim()]
    if (left === '' || right === '') throw new WeirError('bad-input', `--${flag} ${text}: write ${example}`)
    return [left, right]
  })

/** A percentage, with or without its sign, as millionths. Throws WeirError `bad-input`. */
const millionthsOf = (text: string): bigint => {
  const number = /^(\d{1,3}(?:\.\d{1,4})?)\s*%?$/.exec(text.trim())?.[1]
  if (number === undefined) throw new WeirError('bad-input', `--max-residual ${text}: write a percentage, e.g. 0.5%`)
  return BigInt(Math.round(Number(number) * 10_000))
}

const oneOf = <T extends string>(flag: string, text: string, known: readonly T[]): T => {
  const found = known.find((one) => one === text)
  if (found === undefined) throw new WeirError('bad-input', `${flag} ${text}: use one of ${known.join(', ')}`)
  return found
}

type Days = Readonly<{ from: string; to: string }>

/** Whole UTC days around a window, because bills know no less. */
const daysOf = ({ from_us, to_us }: TimeWindow): Days => ({ from: day(from_us), to: day(to_us + DAY_US - 1) })

const inMicroseconds = ({ from, to }: Days): TimeWindow => ({
  from_us: Date.parse(from) * 1000,
  to_us: Date.parse(to) * 1000,
})

/** Calls of the day before that ended on the first day may be on the bill of the first. */
const withDayBefore = ({ from_us, to_us }: TimeWindow): TimeWindow => ({ from_us: from_us - DAY_US, to_us })

type Flags = Readonly<{ since?: string | undefined; until?: string | undefined }>

/** The days that the flags say: by default those of the files, or the last thirty that are over. */
const askedDays = async ({ since, until }: Flags, ledger: Ledger, read: Collected | undefined): Promise<Days> => {
  if (since === undefined && until === undefined && read !== undefined && read.lines.length > 0) {
    const days = read.lines.map((line) => line.day).toSorted()
    const [first = '', last = ''] = [days[0], days.at(-1)]
    return { from: first, to: day(Date.parse(last) * 1000 + DAY_US) }
  }
  const window = parseWindow(
    { since: since ?? '30d', until: until ?? (since === 'today' ? undefined : 'today') },
    Date.now(),
  )
  if (since !== 'all') return daysOf(window)
  const { first_us } = await ledger.query({ ask: 'extent' })
  return daysOf({ ...window, from_us: first_us ?? window.to_us - DAY_US })
}

type Owning = Readonly<{ dimension?: Dimension; owners?: ReconcileOptions['owners'] }>

const ownersOf = (args: Readonly<{ by?: string | undefined; of: string }>, rawArgs: readonly string[]): Owning => {
  const named = pairs(rawArgs, 'owner', 'NAME=ID, e.g. --owner search=proj_abc')
  if (args.by === undefined) {
    if (named.length > 0) throw new WeirError('bad-input', '--owner needs --by: say what its names are, e.g. --by team')
    return {}
  }
  const by = oneOf('--of', args.of, ['project', 'key'] as const)
  const names = Object.fromEntries(named.map(([name, id]) => [id, name]))
  return { dimension: dimensionOf(args.by, '--by'), owners: { by, names } }
}

/** The book's own name of a model: the first of a row of ours, whose names are all one model. */
const namesIn = async (settings: Settings, bill: Bill) => {
  const book = compileBook({ ...(await loadBook(settings.prices)), checked: true })
  return (name: string): string | undefined => {
    for (const adapter of bill.traits.adapters) {
      const row = book.rows(adapter, name).find(({ layer, models }) => layer === 'weir' && models.includes(name))
      if (row !== undefined) return row.models[0]
    }
    return undefined
  }
}

type Asking = Readonly<{
  bill: Bill
  files: readonly string[]
  settings: Settings
  owning: Owning
  given: Readonly<Record<string, string>>
}>

const compare = async (flags: Flags & FolderFlags, asking: Asking, ledger: Ledger): Promise<Reconciled> => {
  const { bill, files, settings, owning, given } = asking
  const read = files.length > 0 ? await readFiles(bill, files) : undefined
  const days = await askedDays(flags, ledger, read)
  const pages = progress({ label: `asking ${bill.name}`, amount: (done) => plural(done, 'page') })
  const collected = read ?? (await askApi(bill, { ...days, settings, flags, progress: pages.update }))
  pages.end()
  const names = settings.providers
    .filter(({ adapter }) => bill.traits.adapters.includes(adapter))
    .map(({ name }) => name)
  const { rows } = await ledger.query({
    ask: 'metered',
    window: withDayBefore(inMicroseconds(days)),
    providers: names,
    ...(owning.dimension === undefined ? {} : { owner: owning.dimension }),
  })
  const { late_hours, unbilled_tiers, own_names } = bill.traits
  const result = reconcile(collected.lines, rows, {
    ...days,
    now_ms: Date.now(),
    late_hours,
    ...(unbilled_tiers === undefined ? {} : { unbilled_tiers }),
    ...(owning.owners === undefined ? {} : { owners: owning.owners }),
    models: { given, own_names, known: await namesIn(settings, bill) },
  })
  return {
    source: bill.name,
    ...days,
    result,
    read: collected.lines.length,
    bad: collected.bad,
    bad_rows: collected.bad_rows,
  }
}

const tellBad = ({ bad, bad_rows }: Reconciled): void => {
  if (bad === 0) return
  note(`${plural(bad, 'row')} of the bill could not be read and ${bad === 1 ? 'was' : 'were'} left out:`)
  for (const { file, line, why } of bad_rows) note(`  ${file === undefined ? 'row' : `${file} line`} ${line}: ${why}`)
  if (bad > bad_rows.length) note(`  and ${count(bad - bad_rows.length)} more`)
}

const args = {
  source: {
    type: 'positional',
    required: true,
    description:
      'openai, anthropic, openrouter (from their API or a file), aws-cur, gcp-billing, azure-focus (from a file)',
  },
  file: {
    type: 'string',
    valueHint: 'FILE',
    description: 'A downloaded report in place of the API; may be given more than once',
  },
  since: windowArgs.since,
  until: { ...windowArgs.until, description: 'Until when, in the same words; the start of today otherwise' },
  by: {
    type: 'string',
    valueHint: 'NAME',
    description: 'Compare by owner too: what tells them apart in Weir, e.g. team, key_id, tag:project',
  },
  of: {
    type: 'string',
    valueHint: 'project|key',
    default: 'project',
    description: 'What tells owners apart on the bill',
  },
  owner: {
    type: 'string',
    valueHint: 'NAME=ID',
    description: 'An owner’s name in Weir and id on the bill, any number of times; the same names need none',
  },
  model: {
    type: 'string',
    valueHint: 'NAME=MODEL',
    description: 'A model’s name on the bill and in Weir, where they are not found to be one',
  },
  view: { type: 'string', valueHint: views.join('|'), default: 'model', description: 'By what the table is summed up' },
  'max-residual': {
    type: 'string',
    valueHint: 'PERCENT',
    description:
      'End with 1 where more than this of tokens or dollars is unexplained, or a row of the bill could not be read',
  },
  csv: { type: 'boolean', description: 'Print every line as CSV' },
  ...folderArgs,
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'reconcile',
      description:
        'Does the ledger agree with the provider’s bill? Tokens first, then dollars, every difference named.',
    },
    args,
    run: async ({ args, rawArgs }) => {
      const bill = billOf(args.source)
      const view: View = oneOf('--view', args.view, views)
      const limit = args['max-residual'] === undefined ? undefined : millionthsOf(args['max-residual'])
      const owning = ownersOf(args, rawArgs)
      const given = Object.fromEntries(pairs(rawArgs, 'model', 'NAME=MODEL, e.g. --model "5.4 nano=gpt-5.4-nano"'))
      const settings = loadSettings({ flags: args, env: process.env, cwd: process.cwd(), providers })
      const asking = { bill, files: every(rawArgs, 'file'), settings, owning, given }
      const shown = await withLedger(args, 'weir reconcile', (ledger) => compare(args, asking, ledger))
      if (args.csv) printCsv(shown.result.compared, csvColumns)
      else if (args.json) printJson(answerOf(shown))
      else print(renderReconciled(shown, view, lookOf()))
      tellBad(shown)
      if (shown.bad > 0 && shown.read === 0)
        throw new WeirError('bad-input', `no row of the bill could be read as ${bill.name}`)
      if (limit !== undefined && (isOpen(shown.result, limit) || shown.bad > 0)) process.exitCode = 1
    },
  }),
  examples: [
    ['weir reconcile openai --since month', 'this month against OpenAI’s usage and costs (needs OPENAI_ADMIN_KEY)'],
    ['weir reconcile anthropic --by team --owner search=wrkspc_01 --view owner', 'by team and workspace'],
    ['weir reconcile aws-cur --file cur-2026-10.parquet --max-residual 0.5%', 'a month of Bedrock, for a pipeline'],
  ],
} as const
