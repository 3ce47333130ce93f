import type { Dimension } from '../../core/dimension.ts'
import type { SpendRow } from '../../core/ledger.ts'
import { formatUsd, parseUsd, picodollars } from '../../core/money.ts'
import type { Report, Section } from '../../verbs/spend/report.ts'
import { windowBefore, windowTitle } from '../asking.ts'
import { sparkline } from '../show/chart.ts'
import { change, clean, duration, money, nothing, percent, plural, shareOf, tokens } from '../show/format.ts'
import { type Look, type Paint, paint } from '../show/look.ts'
import { facts, table } from '../show/table.ts'
import { cachedShare, headOf, nameOf, spendColumns } from './columns.ts'

const moved = (now_usd: string, before_usd: string | undefined, before: string, colours: Paint): string => {
  const text = change(now_usd, before_usd)
  if (before_usd === undefined || text === '–') return ''
  const colour = text.startsWith('▲') ? colours.red : text.startsWith('▼') ? colours.green : colours.dim
  return text === 'new' ? colours.dim(`nothing in ${before}`) : `${colour(text)} ${colours.dim(`against ${before}`)}`
}

const part = (cost_usd: string, total: SpendRow, count: number, rest: string): string =>
  [`${money(cost_usd)}`, percent(shareOf(cost_usd, total.cost_usd)), `${tokens(count)} tokens`, rest]
    .filter((text) => text !== '')
    .join(' · ')

/** What stands in the total and in none of its parts; undefined where there is nothing. */
const undividedText = (total: SpendRow): string | undefined => {
  const { input_cost_usd: input, output_cost_usd: output, fee_cost_usd: fees } = total
  const divided = parseUsd(input) + parseUsd(output) + parseUsd(fees)
  const rest = formatUsd(picodollars(parseUsd(total.cost_usd) - divided))
  if (Number(rest) === 0) return undefined
  const why = 'not divided: as the provider stated it, or as it was reserved'
  return [money(rest), percent(shareOf(rest, total.cost_usd)), why].join(' · ')
}

/** Input, output and fees apart, with what the cache and reasoning took; then how fast it was. */
const summary = (total: SpendRow): readonly (readonly [string, string | undefined])[] => {
  const writes = shareOf(total.cache_write_tokens, total.input_tokens)
  const cached = `${percent(cachedShare(total))} read from cache${writes ? `, ${percent(writes)} written` : ''}`
  const reasoning = shareOf(total.reasoning_tokens, total.output_tokens)
  const failed =
    total.errors === 0
      ? 'no errors'
      : `${plural(total.errors, 'error')} (${percent(shareOf(total.errors, Math.max(total.calls, total.attempts)))})`
  const attempts = total.attempts <= total.calls ? '' : `${plural(total.attempts, 'attempt')}, `
  const times = [
    total.ttft_ms_p50 === null ? '' : `first token ${duration(total.ttft_ms_p50)}`,
    total.duration_ms_p50 === null ? '' : `answer ${duration(total.duration_ms_p50)}`,
  ].filter(Boolean)
  const slow = total.duration_ms_p95 === null ? '' : `; 95 % within ${duration(total.duration_ms_p95)}`
  return [
    ['input', part(total.input_cost_usd, total, total.input_tokens, cached)],
    [
      'output',
      part(total.output_cost_usd, total, total.output_tokens, reasoning ? `${percent(reasoning)} reasoning` : ''),
    ],
    ['fees', Number(total.fee_cost_usd) === 0 ? undefined : money(total.fee_cost_usd)],
    ['whole', undividedText(total)],
    ['calls', `${plural(total.calls, 'call')} · ${attempts}${failed}`],
    ['median', times.length === 0 ? undefined : times.join(', ') + slow],
  ]
}

/** `groq/new-model`, or `groq/new-model and 2 more`. */
const modelsText = (unpriced: Report['unpriced']): string => {
  const [first, ...rest] = unpriced.map(({ provider, model }) => `${provider ?? nothing}/${clean(model ?? nothing)}`)
  return rest.length === 0 ? (first ?? 'its model') : `each of ${first} and ${rest.length} more`
}

/** What the total does not hold, or holds only as an estimate; silence would read as zero. */
const doubts = ({ total, unpriced }: Report, colours: Paint): string[] => {
  const said = [
    [
      total.unpriced_calls,
      'unpriced',
      `not in the total until ${modelsText(unpriced)} has a price (prices in weir.yaml)`,
    ],
    [total.unmetered_calls, 'unmetered', 'an endpoint without a meter, so what it cost is not known'],
    [total.estimated_calls, 'estimated', 'counted by tokenizer, as the provider reported no usage'],
  ] as const
  return said
    .filter(([calls]) => calls > 0)
    .map(([calls, word, why]) => `  ${colours.yellow('!')} ${plural(calls, `${word} call`)}: ${colours.dim(why)}`)
}

const tagHeaders: Readonly<Partial<Record<Dimension, string>>> = {
  team: 'x-weir-team',
  feature: 'x-weir-feature',
  customer: 'x-weir-customer',
}

const inWords = new Intl.ListFormat('en-GB', { type: 'conjunction' })

const sectionText = ({ by, rows, more }: Section, report: Report, look: Look, colours: Paint): string => {
  const title = colours.bold(`By ${inWords.format(by.map(headOf))}`)
  const [only] = by
  const header = by.length === 1 && only !== undefined ? tagHeaders[only] : undefined
  if (header !== undefined && only !== undefined && rows.every((row) => row.group[only] === null)) {
    return `${title}\n  ${colours.dim(`No call names its ${only}: send the header ${header}, or give out keys with weir keys create --${only}.`)}`
  }
  const single = report.sections.length === 1
  const options = single ? { foot: report.total, indent: 2 } : { indent: 2 }
  const text = table(rows, spendColumns(by, rows, report), look, options)
  const rest = more > 0 ? `\n  ${colours.dim(`and ${plural(more, 'further row')}: --limit ${rows.length + more}`)}` : ''
  return `${title}\n${text}${rest}`
}

const moversText = ({ movers, key_names }: Report, look: Look, colours: Paint): string[] => {
  if (movers.length === 0) return []
  const up = (usd: string) => !usd.startsWith('-')
  const text = table(
    movers,
    [
      {
        head: 'moved',
        cell: ({ moved_usd }) => `${up(moved_usd) ? '▲ +' : '▼ '}${money(moved_usd)}`,
        align: 'right',
        style: (cell, { moved_usd }, paints) => (up(moved_usd) ? paints.red(cell) : paints.green(cell)),
      },
      {
        head: 'what',
        cell: ({ dimension, name }) => `${headOf(dimension)} ${nameOf(name, dimension, key_names)}`,
        shrink: 16,
      },
      { head: 'before', cell: ({ before_usd }) => money(before_usd), align: 'right' },
      { head: 'now', cell: ({ now_usd }) => money(now_usd), align: 'right' },
    ],
    look,
    { indent: 2 },
  )
  return [`${colours.bold('Top movers')}\n${text}`]
}

/** The report as text: total and trend, input and output apart, what is in doubt, one table a section, top movers. */
export const renderReport = (report: Report, look: Look): string => {
  const { total, window, sections } = report
  const colours = paint(look)
  const trend = sparkline(total.trend_usd ?? [])
  const sum = [
    colours.bold(money(total.cost_usd)),
    moved(total.cost_usd, total.previous_cost_usd, windowBefore(window), colours),
    colours.cyan(trend),
  ]
  const head = [
    `${colours.title('Spend')} ${colours.dim(windowTitle(window))}`,
    '',
    `  ${sum.filter((text) => text !== '').join('  ')}`,
    facts(summary(total), look),
    ...doubts(report, colours),
  ].join('\n')
  return [
    head,
    ...sections.map((section) => sectionText(section, report, look, colours)),
    ...moversText(report, look, colours),
  ].join('\n\n')
}
