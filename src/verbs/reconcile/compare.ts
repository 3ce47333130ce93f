import { loadBook } from '../../catalogs/load.ts'
import type { Bill } from '../../core/bill.ts'
import { DAY_US } from '../../core/date.ts'
import type { Dimension } from '../../core/dimension.ts'
import { WeirError } from '../../core/errors.ts'
import type { TimeWindow } from '../../core/ledger.ts'
import type { Settings } from '../../core/settings.ts'
import { type ReconcileOptions, type Reconciliation, reconcile } from '../../playbook/allocate/reconcile/reconcile.ts'
import { compileBook } from '../../playbook/price/book.ts'
import { dimensionOf, notImported } from '../asking/dimension.ts'
import { day, type Field, parseWindow } from '../asking/time.ts'
import type { Asking, Context } from '../verb.ts'
import type { Reconciled } from './answer.ts'
import { askProvider, billOf, type Collected, readFiles } from './collect.ts'

/** `LEFT=RIGHT` of every text; the last `=` divides, because names on bills may hold one. */
const pairs = (texts: readonly string[], field: string, example: string): readonly (readonly [string, string])[] =>
  texts.map((text) => {
    const at = text.lastIndexOf('=')
    const [left, right] = [text.slice(0, Math.max(at, 0)).trim(), text.slice(at + 1).trim()]
    if (left === '' || right === '') throw new WeirError('bad-input', `${field} ${text}: write ${example}`)
    return [left, right]
  })

/** What is asked; the file and model names are lists, because a bill can be several files. */
export type Asked = Readonly<{
  source: string
  file: readonly string[]
  since?: string | undefined
  until?: string | undefined
  by?: string | undefined
  of: 'project' | 'key'
  owner: readonly string[]
  model: readonly string[]
}>

type Days = Readonly<{ from: string; to: string }>

/** Whole UTC days around a window, because bills know no less. */
const daysOf = ({ from_us, to_us }: TimeWindow): Days => ({ from: day(from_us), to: day(to_us + DAY_US - 1) })

const inMicroseconds = ({ from, to }: Days): TimeWindow => ({
  from_us: Date.parse(from) * 1000,
  to_us: Date.parse(to) * 1000,
})

/** Calls of the day before that ended on the first day may be on the bill of the first. */
const withDayBefore = ({ from_us, to_us }: TimeWindow): TimeWindow => ({ from_us: from_us - DAY_US, to_us })

/** The days that are asked for: by default those of the files, or the last thirty that are over. */
const askedDays = async (
  { since, until }: Asked,
  { ledger, field, now_us }: Readonly<{ ledger: Asking; field: Field; now_us: number }>,
  read: Collected | undefined,
): Promise<Days> => {
  if (since === undefined && until === undefined && read !== undefined && read.days.size > 0) {
    const days = [...read.days].sort()
    const [first = '', last = ''] = [days[0], days.at(-1)]
    return { from: first, to: day(Date.parse(last) * 1000 + DAY_US) }
  }
  const words = { since: since ?? '30d', until: until ?? (since === 'today' ? undefined : 'today') }
  const window = parseWindow(words, now_us / 1000, field)
  if (since !== 'all') return daysOf(window)
  const { first_us } = await ledger.query({ ask: 'extent' })
  return daysOf({ ...window, from_us: first_us ?? window.to_us - DAY_US })
}

type Owning = Readonly<{ dimension?: Dimension; owners?: ReconcileOptions['owners'] }>

const ownersOf = ({ by, of, owner }: Asked, field: Field): Owning => {
  const named = pairs(owner, field('owner'), `NAME=ID, e.g. ${field('owner')} search=proj_abc`)
  if (by === undefined) {
    if (named.length > 0)
      throw new WeirError(
        'bad-input',
        `${field('owner')} needs ${field('by')}: say what its names are, e.g. ${field('by')} team`,
      )
    return {}
  }
  const names = Object.fromEntries(named.map(([name, id]) => [id, name]))
  return { dimension: dimensionOf(by, field('by')), owners: { by: of, names } }
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

const asReconciled = (
  source: string,
  days: Days,
  { lines, again, bad, bad_rows }: Collected,
  result: Reconciliation,
) => ({
  source,
  ...days,
  result,
  read: lines.length,
  again,
  bad,
  bad_rows,
})

/** Compares a bill, from files or its API, with the ledger. Throws WeirError naming the field. */
export const compareBill = async (asked: Asked, context: Context): Promise<Reconciled> => {
  const { field } = context
  const now_us = context.now_us()
  const bill = billOf(asked.source)
  const { dimension, owners } = ownersOf(asked, field)
  const given = Object.fromEntries(
    pairs(asked.model, field('model'), `NAME=MODEL, e.g. ${field('model')} "5.4 nano=gpt-5.4-nano"`),
  )
  const settings = await context.settings()
  const ledger = await context.ledger()
  const read = asked.file.length > 0 ? await readFiles(bill, asked.file, field('file')) : undefined
  const days = await askedDays(asked, { ledger, field, now_us }, read)
  const collected = read ?? (await askProvider(bill, days, context))
  const providers = settings.providers
    .filter(({ adapter }) => bill.traits.adapters.includes(adapter))
    .map(({ name }) => name)
  const window = withDayBefore(inMicroseconds(days))
  const question = {
    ask: 'metered',
    window,
    providers,
    filters: [notImported],
    ...(dimension === undefined ? {} : { owner: dimension }),
  } as const
  const { rows } = await ledger.query(question)
  const { late_hours, unbilled_tiers, own_names } = bill.traits
  const result = reconcile(collected.lines, rows, {
    ...days,
    now_ms: now_us / 1000,
    late_hours,
    ...(unbilled_tiers === undefined ? {} : { unbilled_tiers }),
    ...(owners === undefined ? {} : { owners }),
    models: { given, own_names, known: await namesIn(settings, bill) },
  })
  return asReconciled(bill.name, days, collected, result)
}
