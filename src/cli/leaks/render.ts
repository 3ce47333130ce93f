import type { Answers, Leak } from '../../core/ledger.ts'
import { type NamedWindow, windowTitle } from '../asking.ts'
import { bar } from '../show/chart.ts'
import { clean, count, money, nothing, percent, plural, shareOf, tokens } from '../show/format.ts'
import { type Look, type Paint, paint } from '../show/look.ts'
import { type Column, table } from '../show/table.ts'
import { pad, wrap } from '../show/text.ts'

export const leakNames: Readonly<Record<Leak['kind'], string>> = {
  'system-and-tools': 'System prompt and tools, sent again and again',
  'context-accumulation': 'Context that grows with every turn',
  'retry-loops': 'Retry loops',
  'verbose-output': 'Verbose output',
  reasoning: 'Reasoning',
  'error-spend': 'Spend on calls that failed',
  'uncached-prefix': 'Repeated prompts that no cache answered',
}

type Cell = string | number | null
type DetailRow = Readonly<Record<string, Cell>>

/** A cell by what its column's name says it holds: dollars, tokens, a share, or a plain value. */
const cellText = (name: string, value: Cell | undefined): string => {
  if (value === null || value === undefined) return nothing
  if (name.endsWith('_usd')) return money(String(value))
  if (typeof value === 'string') return value
  if (/(^|_)tokens(_|$)/.test(name)) return tokens(value)
  if (/(^|_)share(_|$)/.test(name)) return percent(value)
  return count(value)
}

const headText = (name: string): string =>
  name
    .replace(/_usd$/, '')
    .replace(/_per_call$/, '/call')
    .replace(/^share_of_/, 'of ')
    .replaceAll('_', ' ')

/** Columns that hold something; money stays however narrow the terminal is. */
const detailColumns = (rows: readonly DetailRow[]): Column<DetailRow>[] => {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row)))]
  const said = names.filter((name) => rows.some((row) => row[name] !== null && row[name] !== undefined))
  return said.map((name, i) => ({
    head: headText(name),
    cell: (row) => cellText(name, row[name]),
    align: name.endsWith('_usd') || rows.some((row) => typeof row[name] === 'number') ? 'right' : 'left',
    shrink: 8,
    ...(name.endsWith('_usd') ? {} : { drop: i }),
  }))
}

const wrapped = (text: string, width: number, indent: string): string =>
  wrap(clean(text), width)
    .map((line) => indent + line)
    .join('\n')

const rows_shown = 6

const leakText = (leak: Leak, number: number, look: Look, colours: Paint): string => {
  const share = pad(percent(leak.share), 6, 'right')
  const title = `${colours.bold(`${number}. ${leakNames[leak.kind]}`)}`
  const amount = `   ${colours.bold(money(leak.cost_usd))} ${share}  ${colours.red(bar(leak.share, 20))}`
  const text = wrapped(leak.finding, Math.min(look.width, 100) - 3, '   ')
  const detail = leak.detail.slice(0, rows_shown)
  const hidden = leak.detail.length - detail.length
  const more = hidden > 0 ? `\n   ${colours.dim(`and ${plural(hidden, 'further row')}: --json shows all`)}` : ''
  const rows = detail.length === 0 ? [] : [`${table(detail, detailColumns(detail), look, { indent: 3 })}${more}`]
  const shown = leak.examples.slice(0, 3).map((id) => `   ${colours.dim('see')} weir calls ${clean(id)}`)
  return [`${title}\n${amount}`, text, ...rows, ...shown].join('\n')
}

export type LeaksPage = Readonly<{ window: NamedWindow; answer: Answers['leaks'] }>

const cacheText = ({ input_tokens: all, cacheable_tokens: could, cached_tokens: were }: Answers['leaks']): string => {
  const now = `${percent(shareOf(were, all))} of ${tokens(all)} input tokens came from a cache`
  return could > were ? `${now}; the prompts’ common beginnings allow ${percent(shareOf(could, all))}.` : `${now}.`
}

/** The leaks in dollars, the dearest first, each with its finding, its detail and calls that show it. */
export const renderLeaks = ({ window, answer }: LeaksPage, look: Look): string => {
  const colours = paint(look)
  const found = answer.leaks
    .filter((leak) => Number(leak.cost_usd) > 0)
    .toSorted((one, other) => Number(other.cost_usd) - Number(one.cost_usd))
  const head = `${colours.title('Leaks')} ${colours.dim(`${windowTitle(window)} · of ${money(answer.total_usd)} spent`)}`
  const cache = wrapped(cacheText(answer), Math.min(look.width, 100) - 2, '  ')
  if (found.length === 0) return `${head}\n\n${cache}\n\n  No leak costs anything here.`
  const overlap = wrapped(
    'One dollar can leak in several ways at once, so these do not add up to a saving.',
    Math.min(look.width, 100) - 2,
    '  ',
  )
  return [
    head,
    `${cache}\n${colours.dim(overlap)}`,
    ...found.map((leak, i) => leakText(leak, i + 1, look, colours)),
  ].join('\n\n')
}
