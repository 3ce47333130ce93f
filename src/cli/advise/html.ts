import { type Finding, parted, unknownText } from '../../playbook/advise/advice.ts'
import type { GroupRow } from '../../playbook/advise/rows.ts'
import { plays } from '../../playbook/order.ts'
import { windowEnds, windowTitle } from '../asking.ts'
import { count, money, percent, plural } from '../show/format.ts'
import { effortNames, riskNames } from '../show/traits.ts'
import { escapeHtml as safe } from '../statement/html.ts'
import { composition, curve, savings, waterfall } from './charts.ts'
import { type AdvicePage, aloneText, atWorkText, idleText, isTogether, rangeText, restsText } from './render.ts'
import { style } from './style.ts'

const definition = (entries: readonly (readonly [string, string | null])[]): string =>
  `<dl>${entries.flatMap(([name, value]) => (value === null ? [] : [`<dt>${safe(name)}</dt><dd>${safe(value)}</dd>`])).join('')}</dl>`

const partOf = ({ shapley }: Finding): string | null => {
  if (shapley === null) return null
  const error = shapley.exact ? 'exact' : `± ${money(shapley.error_usd)}, from ${plural(shapley.calls, 'call')}`
  return `${money(shapley.usd)} of what all save together (${error})`
}

const findingHtml = (finding: Finding, all: number, open: boolean): string => {
  const { lever, about, saving, share, halves, certainty, why, realised, risk, effort } = finding
  const range = rangeText(saving)
  const tags = [certainty === 'exact' ? 'measured' : 'estimated', `risk: ${riskNames[risk]}`, effortNames[effort]]
  const said = definition([
    [
      'saves',
      `${money(saving.mid_usd)}, ${percent(share)} of the cost${range === '' ? '' : `; between ${range} with 90 % confidence`}`,
    ],
    ['held', `${percent(halves[0])} of the cost in the earlier half of the window, ${percent(halves[1])} in the later`],
    ['alone', aloneText(finding)],
    ['its part', partOf(finding)],
    ['why', why],
    ['rests on', restsText(finding, all)],
    ['already', realised === null ? null : `${money(realised.usd)} saved on ${plural(realised.calls, 'call')}`],
    ['next test', finding.next_test],
    ['not replayed to the end', finding.failure],
  ])
  const yaml = finding.configuration === '' ? '' : `<h3>weir.yaml</h3><pre>${safeLines(finding.configuration)}</pre>`
  return `<details${open ? ' open' : ''}><summary><h3>${safe(lever)}</h3><span>${tags.map((tag) => `<span class="tag">${safe(tag)}</span>`).join(' ')} <b>${safe(money(saving.mid_usd))}</b></span></summary><p class="soft">${safe(about)}</p>${said}${yaml}</details>`
}

/** Lines stay lines: a control character elsewhere is taken out. */
const safeLines = (text: string): string => text.trimEnd().split('\n').map(safe).join('\n')

const MOST_ROWS = 50

const groupsHtml = (rows: readonly GroupRow[], name: string): string => {
  const body = rows
    .slice(0, MOST_ROWS)
    .map(
      (row) =>
        `<tr><td>${safe(row.name)}</td><td class="n">${safe(count(row.calls))}</td><td class="n">${safe(money(row.cost_usd))}</td><td class="n">${safe(money(row.saving_usd))}</td><td class="n">${safe(percent(row.share))}</td><td>${row.best === null ? '–' : `${safe(row.best)} ${safe(money(row.best_usd))}`}</td></tr>`,
    )
  const heads = [name, 'calls', 'cost', 'saves', 'of it', 'pull first']
  const head = heads
    .map((text, at) => `<th scope="col"${at > 0 && at < 5 ? ' class="n"' : ''}>${safe(text)}</th>`)
    .join('')
  const more =
    rows.length > MOST_ROWS ? `<p class="soft">and ${safe(plural(rows.length - MOST_ROWS, 'further row'))}</p>` : ''
  return `<h2>By ${safe(name)}</h2><div class="scroll"><table><thead><tr>${head}</tr></thead><tbody>${body.join('')}</tbody></table></div>${more}`
}

const figure = (amount: string, said: string): string =>
  `<li><b>${safe(amount)}</b><span class="soft">${safe(said)}</span></li>`

const legend = (entries: readonly (readonly [string, string])[]): string =>
  `<ul class="legend">${entries.map(([kind, said]) => `<li><span class="key ${kind}"></span>${safe(said)}</li>`).join('')}</ul>`

/** Levers are told in the order of their saving; the waterfall takes them in the order in which they were pulled. */
const pulled = ['what-if', ...plays] as readonly string[]
const inTurn = (findings: readonly Finding[]): readonly Finding[] =>
  findings.toSorted(
    (one, two) =>
      pulled.indexOf(one.lever.split('/')[0] ?? '') - pulled.indexOf(two.lever.split('/')[0] ?? '') ||
      (one.lever < two.lever ? -1 : 1),
  )

/** The advice as one HTML file that needs nothing else: charts are inline, nothing runs, nothing is fetched. */
export const adviceHtml = ({ window, advice }: AdvicePage): string => {
  const { findings, together, by, notes } = advice
  const moved = findings.filter(({ saving }) => Number(saving.mid_usd) !== 0)
  const { worth, at_work, idle, unknown } = parted(findings)
  const aside = (text: string): string => `<p class="soft">${safe(text)}</p>`
  const left = (Number(advice.cost_usd) - Number(together.mid_usd)).toFixed(12)
  const [from, to] = windowEnds(window)
  const body = [
    `<h1>Which lever to pull first</h1><p class="soft">${safe(windowTitle(window))} · ${safe(plural(advice.calls, 'call'))} in ${safe(plural(advice.sessions, 'session'))}, replayed from their receipts</p>`,
    `<ul class="figures">${figure(money(advice.cost_usd), 'as it was')}${figure(money(left), 'with all levers')}${figure(money(together.mid_usd), `saved: ${percent(together.share)}${rangeText(together) === '' ? '' : `, between ${rangeText(together)}`}`)}</ul>`,
    `<h2>Where the money is now</h2>${composition(advice)}`,
    `<h2>Over the window</h2>${legend([
      ['was', 'as it was'],
      ['with', 'with all levers'],
    ])}${curve(advice, from, to)}`,
    moved.length > 0 ? `<h2>Lever by lever, in the order of the playbook</h2>${waterfall(advice, inTurn(moved))}` : '',
    worth.length > 0
      ? `<h2>What each saves, and how sure that is</h2>${legend([
          ['saves', 'saves in this order, with its range'],
          ['alone', 'alone'],
          ['ring', 'its part of what all save together'],
        ])}${savings(worth)}`
      : '',
    worth.map((finding, at) => findingHtml(finding, advice.calls, at === 0)).join(''),
    isTogether(findings)
      ? `<h2>All of them in weir.yaml</h2><p class="soft">In force after <code>weir reload</code>, or from the next start of the gateway.</p><pre>${safeLines(advice.configuration)}</pre>`
      : '',
    at_work.length > 0 ? aside(atWorkText(at_work)) : '',
    idle.length > 0 ? aside(idleText(idle)) : '',
    unknown.length > 0 ? aside(unknownText(unknown)) : '',
    by.rows.length > 1 ? groupsHtml(by.rows, by.name) : '',
    notes.length > 0
      ? `<h2>What is not known, and what does not pay</h2><ul class="notes">${notes.map((note) => `<li>${safe(note)}</li>`).join('')}</ul>`
      : '',
  ]
  return `<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'"><title>Advice · ${safe(windowTitle(window))}</title><style>${style}</style></head><body><main>\n${body.filter((part) => part !== '').join('\n')}\n</main></body></html>\n`
}
