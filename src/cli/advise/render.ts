import { type Advice, type Amounts, type Finding, parted, pays, unknownText } from '../../playbook/advise/advice.ts'
import type { GroupRow } from '../../playbook/advise/rows.ts'
import { type NamedWindow, windowTitle } from '../asking.ts'
import { bar, sparkline } from '../show/chart.ts'
import { clean, count, money, nothing, percent, plural } from '../show/format.ts'
import { type Look, type Paint, paint } from '../show/look.ts'
import { facts, table } from '../show/table.ts'
import { wrap } from '../show/text.ts'
import { effortNames, riskNames } from '../show/traits.ts'

export type AdvicePage = Readonly<{ window: NamedWindow; advice: Advice }>

/** `$12.30 (11.90 – 12.80)`: the middle and what it lies between. */
export const rangeText = ({ low_usd, high_usd }: Amounts): string =>
  low_usd === high_usd ? '' : `${money(low_usd)} – ${money(high_usd)}`

const WIDEST = 100

const wrapped = (text: string, look: Look, indent: number): string =>
  wrap(clean(text), Math.min(look.width, WIDEST) - indent)
    .map((line) => ' '.repeat(indent) + line)
    .join('\n')

const findingTable = (findings: readonly Finding[], look: Look): string => {
  const most = Math.max(0, ...findings.map(({ share }) => share))
  return table(
    findings,
    [
      { head: '#', cell: (row) => String(findings.indexOf(row) + 1), align: 'right' },
      { head: 'lever', cell: ({ lever }) => lever, shrink: 14, style: (text, _, colours) => colours.bold(text) },
      { head: 'saves', cell: ({ saving }) => money(saving.mid_usd), align: 'right' },
      { head: 'of cost', cell: ({ share }) => percent(share), align: 'right' },
      {
        head: '',
        cell: ({ share }) => bar(most === 0 ? 0 : share / most, 12),
        style: (text, _, colours) => colours.green(text),
        drop: 2,
      },
      { head: 'between', cell: ({ saving }) => rangeText(saving) || nothing, align: 'right', drop: 3 },
      { head: 'alone', cell: ({ alone_usd }) => money(alone_usd), align: 'right', drop: 5 },
      {
        head: 'its part',
        cell: ({ shapley }) => (shapley === null ? nothing : money(shapley.usd)),
        align: 'right',
        drop: 6,
      },
      { head: 'calls', cell: ({ calls }) => count(calls), align: 'right', drop: 4 },
      { head: 'how', cell: ({ certainty }) => (certainty === 'exact' ? 'measured' : 'estimated'), drop: 7 },
      { head: 'risk', cell: ({ risk }) => riskNames[risk], drop: 1 },
      { head: 'effort', cell: ({ effort }) => effortNames[effort], drop: 8 },
    ],
    look,
    { indent: 2 },
  )
}

const halvesText = ({ halves: [earlier, later], share }: Finding): string | undefined =>
  share === 0 ? undefined : `${percent(earlier)} of the cost in the earlier half, ${percent(later)} in the later`

const partText = ({ shapley }: Finding): string | undefined => {
  if (shapley === null) return undefined
  const rests = shapley.exact
    ? 'exact, over every order of the levers'
    : `± ${money(shapley.error_usd)}, from ${plural(shapley.calls, 'call')} in whole sessions`
  return `${money(shapley.usd)} of what all save together (${rests})`
}

/** What it would save as the only lever, and how well that is known where only a sample was replayed once more for it. */
export const aloneText = ({ alone_usd, alone_error_usd }: Finding): string => {
  const error = Number(alone_error_usd) === 0 ? '' : ` ± ${money(alone_error_usd)}, estimated from whole sessions,`
  return `${money(alone_usd)}${error} if it were the only lever; such figures are never added`
}

const yamlText = (configuration: string, indent: number, colours: Paint): string =>
  configuration
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => ' '.repeat(indent) + colours.cyan(line))
    .join('\n')

/** Is there a lever that pays, and another one that pays or was at work, each with lines of its own? */
export const isTogether = (findings: readonly Finding[]): boolean => {
  const own = findings.filter(({ configuration }) => configuration !== '')
  return own.some(pays) && own.filter((finding) => pays(finding) || finding.realised !== null).length > 1
}

/** On how many calls a finding rests, and that nothing is known of those on which it was not observed. */
export const restsText = ({ calls, seen_calls }: Finding, all: number): string =>
  seen_calls === null || seen_calls >= all
    ? plural(calls, 'call')
    : `${plural(calls, 'call')}; it was observed on ${count(seen_calls)} of ${count(all)}, and of the others nothing is known (--since or --where leaves them out)`

const detail = (finding: Finding, number: number, all: number, look: Look, colours: Paint): string => {
  const title = `${colours.bold(`${number}. ${finding.lever}`)}  ${colours.dim(clean(finding.about))}`
  const rows = facts(
    [
      [
        'saves',
        `${money(finding.saving.mid_usd)}${rangeText(finding.saving) ? `, between ${rangeText(finding.saving)} (90 %)` : ''}`,
      ],
      ['held', halvesText(finding)],
      ['alone', aloneText(finding)],
      ['its part', partText(finding)],
      ['why', finding.why],
      ['rests on', restsText(finding, all)],
      [
        'already',
        finding.realised === null
          ? undefined
          : `${money(finding.realised.usd)} saved on ${plural(finding.realised.calls, 'call')}`,
      ],
      ['risk', riskNames[finding.risk]],
      ['effort', effortNames[finding.effort]],
      ['next test', finding.next_test],
    ],
    { ...look, width: Math.min(look.width, WIDEST) },
    5,
  )
  const yaml = yamlText(finding.configuration, 7, colours)
  return [title, rows, ...(yaml === '' ? [] : [`     ${colours.dim('weir.yaml')}`, yaml])].join('\n')
}

/** Said where several levers have lines of their own: what those would be together is no file, a name stands in it twice. */
const togetherText = ({ findings, configuration }: Advice, colours: Paint): string =>
  isTogether(findings)
    ? `${colours.bold('All of them in weir.yaml')}${colours.dim(', in force after weir reload')}\n${yamlText(configuration, 2, colours)}`
    : ''

const MOST_ROWS = 12

const groupTable = (rows: readonly GroupRow[], name: string, look: Look, colours: Paint): string => {
  const shown = rows.slice(0, MOST_ROWS)
  const hidden = rows.length - shown.length
  const body = table(
    shown,
    [
      { head: name, cell: (row) => row.name, shrink: 12 },
      { head: 'calls', cell: (row) => count(row.calls), align: 'right', drop: 2 },
      { head: 'cost', cell: (row) => money(row.cost_usd), align: 'right' },
      { head: 'saves', cell: (row) => money(row.saving_usd), align: 'right' },
      { head: 'of it', cell: (row) => percent(row.share), align: 'right' },
      {
        head: '',
        cell: (row) => bar(Math.max(0, row.share), 10),
        style: (text, _, paints) => paints.green(text),
        drop: 3,
      },
      {
        head: 'pull first',
        cell: (row) => (row.best === null ? nothing : `${row.best} ${money(row.best_usd)}`),
        drop: 1,
      },
    ],
    look,
    { indent: 2 },
  )
  const more = hidden > 0 ? `\n  ${colours.dim(`and ${plural(hidden, 'further row')}: --json shows all`)}` : ''
  return `${colours.bold(`By ${name}`)}\n${body}${more}`
}

/** A loss as what it costs. */
const opposite = (usd: string): string => usd.replace('-', '')

const headOf = ({ window, advice }: AdvicePage, look: Look, colours: Paint): string => {
  const { together, cost_usd, calls, sessions, curve, what_if } = advice
  const title = `${colours.title('Advice')} ${colours.dim(`${windowTitle(window)} · ${plural(calls, 'call')} in ${plural(sessions, 'session')}`)}`
  const which = what_if === null ? 'All levers together' : `${clean(what_if)} and then all levers`
  const saved = `${which} save ${colours.bold(money(together.mid_usd))} of ${money(cost_usd)} (${percent(together.share)})`
  const lost = `${which} would cost ${colours.bold(money(opposite(together.mid_usd)))} more than the ${money(cost_usd)} that was spent: pull only those that save`
  const range = rangeText(together) ? colours.dim(`, between ${rangeText(together)}`) : ''
  const curves = `  ${colours.dim('as it was')}  ${colours.red(sparkline(curve.cost_usd))}\n  ${colours.dim('with all ')}  ${colours.green(sparklineAgainst(curve.after_usd, curve.cost_usd))}`
  const sentence = together.mid_usd.startsWith('-') ? lost : `${saved}${range}`
  return `${title}\n\n  ${sentence}\n${look.width >= 60 ? curves : ''}`.trimEnd()
}

/** The second curve on the scale of the first. */
const sparklineAgainst = (values: readonly number[], scale: readonly number[]): string =>
  sparkline([...values, Math.max(0, ...scale)]).slice(0, values.length)

const notesText = (notes: readonly string[], look: Look, colours: Paint): string =>
  notes.map((sentence) => wrapped(sentence, look, 4).replace(/^ {4}/, `  ${colours.yellow('!')} `)).join('\n')

/** Levers that show nothing, or so little that they are not worth a switch. */
export const idleText = (findings: readonly Finding[]): string => {
  const names = findings.map(({ lever, saving, failure }) => {
    if (failure !== null) return `${lever} (could not be replayed: ${failure})`
    const saved = Number(saving.mid_usd)
    if (saved > 0) return `${lever} (${money(saving.mid_usd)})`
    return saved < 0 ? `${lever} (would cost ${money(opposite(saving.mid_usd))} more)` : lever
  })
  return `Save nothing, or next to nothing, that the receipts show: ${names.join(', ')}.`
}

/** Levers that have nothing to add, because they did it already. */
export const atWorkText = (findings: readonly Finding[]): string => {
  const said = findings.map(({ lever, realised }) => {
    const [amount, calls] = [realised?.usd ?? '0', plural(realised?.calls ?? 0, 'call')]
    return amount.startsWith('-')
      ? `${lever} cost ${money(opposite(amount))} more on ${calls}`
      : `${lever} saved ${money(amount)} on ${calls}`
  })
  return `At work already: ${said.join(', ')}.`
}

/** The findings, dearest first, with the ranges, the reasons and the configuration; then groups, and what is not known. */
export const renderAdvice = (page: AdvicePage, look: Look): string => {
  const colours = paint(look)
  const { findings, by, notes } = page.advice
  const { worth, at_work, idle, unknown } = parted(findings)
  const aside = (text: string): string => colours.dim(wrapped(text, look, 2))
  const blocks = [
    headOf(page, look, colours),
    worth.length > 0 ? `${colours.bold('Pull first')}\n${findingTable(worth, look)}` : '',
    ...worth.map((finding, at) => detail(finding, at + 1, page.advice.calls, look, colours)),
    togetherText(page.advice, colours),
    at_work.length > 0 ? aside(atWorkText(at_work)) : '',
    idle.length > 0 ? aside(idleText(idle)) : '',
    unknown.length > 0 ? aside(unknownText(unknown)) : '',
    by.rows.length > 1 ? groupTable(by.rows, by.name, look, colours) : '',
    notes.length > 0
      ? `${colours.bold('What is not known, and what does not pay')}\n${notesText(notes, look, colours)}`
      : '',
  ]
  return blocks.filter((block) => block !== '').join('\n\n')
}
