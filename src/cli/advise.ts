import { writeFile } from 'node:fs/promises'
import { defineCommand } from 'citty'
import { loadBook } from '../catalogs/load.ts'
import { nearest } from '../config/suggest.ts'
import { loadSettings } from '../config.ts'
import type { Filter } from '../core/dimension.ts'
import { WeirError } from '../core/errors.ts'
import type { Extent, Ledger } from '../core/ledger.ts'
import type { Chosen } from '../core/lever.ts'
import type { PriceBook } from '../core/price.ts'
import type { Settings } from '../core/settings.ts'
import { openPolicies } from '../gateway/levers/policies.ts'
import type { Advice } from '../playbook/advise/advice.ts'
import { adviceFrom, type Grouping, groupings } from '../playbook/advise/advise.ts'
import { scopeOf } from '../playbook/advise/configuration.ts'
import type { Swap } from '../playbook/advise/swap.ts'
import { levers } from '../playbook/levers.ts'
import { inOrder } from '../playbook/order.ts'
import { compileBook } from '../playbook/price/book.ts'
import { providers } from '../providers/index.ts'
import { adviceHtml } from './advise/html.ts'
import { renderAdvice } from './advise/render.ts'
import { startReplaying } from './advise/thread.ts'
import { filtersOf, folderArgs, type NamedWindow, nothingFound, windowArgs, windowOf, withLedger } from './asking.ts'
import { countFlag } from './numbers.ts'
import { lookOf } from './show/look.ts'
import { note, print, printJson } from './show/output.ts'
import { progress } from './show/progress.ts'

const groupingOf = (name: string): Grouping => {
  const found = groupings.find((grouping) => grouping === name || `${grouping}_id` === name)
  if (found !== undefined) return found
  const meant = nearest(name, groupings)
  throw new WeirError('bad-input', `--by ${name}: ${meant ? `did you mean ${meant}?` : `use ${groupings.join(', ')}`}`)
}

const modelSwap = (named: string, book: PriceBook): Swap => {
  const [first = '', ...rest] = named.split('/')
  const known = new Set([...book.all()].map(({ provider }) => provider))
  if (rest.length > 0 && known.has(first)) {
    const model = rest.join('/')
    if (book.rows(first, model).length > 0) return { to: 'model', provider: first, model }
    throw new WeirError(
      'bad-input',
      `--what-if model=${named}: ${first} has no price for ${model} (weir prices list --provider ${first} shows all)`,
    )
  }
  const sellers = [...known].filter((provider) => book.rows(provider, named).length > 0)
  // Who makes a model is asked before who resells it: the book names the makers in its own layer.
  const own = sellers.filter((provider) => book.rows(provider, named).some(({ layer }) => layer !== 'catalog'))
  const [provider] = own.length > 0 ? own : sellers
  if (provider !== undefined) return { to: 'model', provider, model: named }
  const meant = nearest(named, new Set([...book.all()].flatMap(({ models }) => models)))
  const help = meant ? `did you mean ${meant}?` : 'write PROVIDER/MODEL'
  throw new WeirError('bad-input', `--what-if model=${named}: no provider has a price for it; ${help}`)
}

/** `model=NAME`, `model=PROVIDER/NAME`, `tier=batch` or `tier=flex`. */
const swapOf = (text: string, book: PriceBook): Swap => {
  const [what = '', value = ''] = text.split(/=(.*)/s)
  if (what === 'model' && value !== '') return modelSwap(value, book)
  if (what === 'tier' && (value === 'batch' || value === 'flex')) return { to: 'tier', tier: value }
  throw new WeirError('bad-input', `--what-if ${text}: write model=NAME, tier=batch or tier=flex`)
}

type Flags = Readonly<Partial<Record<'data' | 'config' | 'what-if', string | undefined>>> &
  Readonly<{ by: string; seed: string }>
type Asked = Readonly<{
  ledger: Ledger
  window: Readonly<{ from_us: number; to_us: number }>
  filters: readonly Filter[]
}>

/** The window as far as the ledger has anything in it, so that a curve is not mostly empty. */
const clipped = (named: NamedWindow, { first_us, last_us }: Extent): NamedWindow => {
  const { from_us, to_us } = named.window
  if (first_us === null || last_us === null || last_us < from_us || first_us >= to_us) return named
  return { ...named, window: { from_us: Math.max(from_us, first_us), to_us: Math.min(to_us, last_us + 1) } }
}

const SEED = 20_261_128

/** Pages of history are read once each, in their order: more of the file in memory would not help, and the replay wants it. */
const ENGINE_MEMORY = '192MB'

/** Settings of the levers that the configuration turns on or observes for these calls: what is replayed is what is configured. */
const configured = ({ policies }: Settings, filters: readonly Filter[]): Readonly<Record<string, Chosen>> => {
  const { matches } = scopeOf(filters)
  const [facts = {}] = matches.length === 1 ? matches : []
  const { active } = openPolicies(inOrder(levers), policies)(facts)
  return Object.fromEntries(active.map(({ lever, settings }) => [lever.name, settings]))
}

const replay = async ({ ledger, window, filters }: Asked, flags: Flags): Promise<Advice> => {
  const settings = loadSettings({ flags, env: process.env, cwd: process.cwd(), providers })
  const prices = await loadBook(settings.prices)
  const book = compileBook(prices)
  const swap = flags['what-if'] === undefined ? undefined : swapOf(flags['what-if'], book)
  const { total } = await ledger.query({ ask: 'spend', window, filters, group_by: [] })
  const { ratios } = await ledger.query({ ask: 'ratios' })
  const expected = Math.max(total.calls, total.attempts)
  const replaying = startReplaying({
    window,
    filters,
    by: groupingOf(flags.by),
    settings: configured(settings, filters),
    prices,
    ratios,
    seed: countFlag('--seed', flags.seed, SEED),
    ...(swap === undefined ? {} : { swap }),
    expected,
  })
  const bar = progress({ label: 'replaying', total: expected })
  try {
    return await adviceFrom({ ledger, window, filters, progress: (receipts) => bar.update(receipts) }, replaying)
  } finally {
    bar.end()
    await replaying.close()
  }
}

const writeReport = (path: string, html: string): Promise<void> =>
  writeFile(path, html).catch((cause: unknown) => {
    throw new WeirError('bad-input', `--html ${path}: it cannot be written (${(cause as Error).message})`, { cause })
  })

export const command = {
  ...defineCommand({
    meta: {
      name: 'advise',
      description:
        'Which lever to pull first: your own receipts are replayed through every lever, in the order of the playbook, with what each saves, how sure that is, and the configuration that turns it on.',
    },
    args: {
      by: {
        type: 'string',
        valueHint: 'NAME',
        default: 'route',
        description: `Break the saving down by ${groupings.join(', ')}`,
      },
      'what-if': {
        type: 'string',
        valueHint: 'NAME=VALUE',
        description: 'Ask about a change first: model=NAME (or PROVIDER/NAME), tier=batch, tier=flex',
      },
      html: { type: 'string', valueHint: 'FILE', description: 'Write a report with charts that needs no network' },
      seed: {
        type: 'string',
        valueHint: 'N',
        description: 'The chance in ranges and samples; the same seed, the same answer',
        default: String(SEED),
      },
      ...windowArgs,
      ...folderArgs,
    },
    run: ({ args, rawArgs }) => {
      const filters = filtersOf(rawArgs)
      const ask = async (ledger: Ledger): Promise<void> => {
        const extent = await ledger.query({ ask: 'extent' })
        const window = clipped(await windowOf(args, '30d', ledger), extent)
        const advice = await replay({ ledger, window: window.window, filters }, args)
        if (advice.calls === 0 && !args.json) {
          print(nothingFound(extent, window, filters.length > 0))
          return
        }
        if (args.html !== undefined) {
          await writeReport(args.html, adviceHtml({ window, advice }))
          note(`The report is in ${args.html}`)
        }
        if (args.json) printJson({ window, ...advice })
        else print(renderAdvice({ window, advice }, lookOf()))
      }
      return withLedger(args, 'weir advise', ask, ENGINE_MEMORY)
    },
  }),
  examples: [
    ['weir advise', 'the last 30 days, every lever'],
    ['weir advise --by team --where environment=production', 'by team, production only'],
    ['weir advise --what-if model=claude-haiku-5-5', 'and if a cheaper model answered'],
    ['weir advise --html advice.html', 'a report to send on'],
  ],
} as const
