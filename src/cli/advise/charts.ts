/** Charts as inline SVG: nothing from the network, colours from the page's own variables, each with a text for those who do not see it. */
import type { Advice, Finding } from '../../playbook/advise/advice.ts'
import { money, percent } from '../show/format.ts'
import { escapeHtml } from '../statement/html.ts'

/** Charts are drawn for a desk and for a telephone, so that text keeps its size; the page shows one of the two. */
type Sheet = Readonly<{
  kind: 'wide' | 'narrow'
  width: number
  /** Room for names left of the bars, and for amounts right of them; without any they stand above. */
  label: number
  amount: number
  row: number
  /** Where in its row a bar begins. */
  bar: number
  /** Room for the scale of a curve. */
  scale: number
}>

const sheets: readonly Sheet[] = [
  { kind: 'wide', width: 760, label: 190, amount: 110, row: 34, bar: 6, scale: 92 },
  { kind: 'narrow', width: 340, label: 1, amount: 1, row: 52, bar: 24, scale: 62 },
]

/** Room for a letter of a name, and at most for all of them. */
const LETTER = 7.5
const MOST_LABEL = 340

/** Names that stand beside bars get as much room as the longest needs. */
const onSheets = (draw: (sheet: Sheet) => string, names: readonly string[] = []): string => {
  const needed = Math.min(MOST_LABEL, 10 + LETTER * Math.max(0, ...names.map((name) => name.length)))
  const roomy = (sheet: Sheet): Sheet =>
    sheet.kind === 'wide' ? { ...sheet, label: Math.max(sheet.label, needed) } : sheet
  return sheets.map((sheet) => `<div class="${sheet.kind}">${draw(roomy(sheet))}</div>`).join('')
}

const svg = (width: number, height: number, label: string, body: string): string =>
  `<svg viewBox="0 0 ${width} ${height}" role="img" aria-label="${escapeHtml(label)}" preserveAspectRatio="xMidYMid meet">${body}</svg>`

const text = (x: number, y: number, said: string, kind = '', anchor = 'start'): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}" class="${kind}">${escapeHtml(said)}</text>`

const rect = (x: number, y: number, width: number, height: number, kind: string, title: string): string =>
  `<rect x="${x.toFixed(1)}" y="${y.toFixed(1)}" width="${Math.max(0, width).toFixed(1)}" height="${height}" rx="2" class="${kind}"><title>${escapeHtml(title)}</title></rect>`

/** The name and the amount of a row of bars. */
const caption = ({ kind, width, label, bar }: Sheet, top: number, name: string, amount: string): string => {
  const beside = kind === 'wide'
  const y = top + (beside ? bar + 15 : bar - 8)
  return `${text(beside ? label - 10 : 0, y, name, 'label', beside ? 'end' : 'start')}${text(width - (beside ? 4 : 0), y, amount, 'amount', 'end')}`
}

const namesOf = (findings: readonly Finding[]): readonly string[] => findings.map(({ lever }) => lever)

/** From the cost as it was, lever by lever in the order of the playbook, to what would have been left. */
export const waterfall = (advice: Advice, inOrder: readonly Finding[]): string =>
  onSheets((sheet) => waterfallOn(sheet, advice, inOrder), namesOf(inOrder))

const waterfallOn = (sheet: Sheet, advice: Advice, inOrder: readonly Finding[]): string => {
  const cost = Number(advice.cost_usd)
  const room = sheet.width - sheet.label - sheet.amount
  const scale = (amount: number): number => (cost <= 0 ? 0 : (Math.max(0, Math.min(cost, amount)) / cost) * room)
  const rows: string[] = []
  const row = (at: number, name: string, from: number, to: number, kind: string, amount: string): void => {
    const y = at * sheet.row
    const [low, high] = [Math.min(from, to), Math.max(from, to)]
    const width = Math.max(1, scale(high) - scale(low))
    rows.push(
      caption(sheet, y, name, amount),
      rect(sheet.label + scale(low), y + sheet.bar, width, 22, kind, `${name}: ${amount}`),
    )
  }
  row(0, 'as it was', 0, cost, 'cost', money(advice.cost_usd))
  let left = cost
  for (const [at, { lever, saving }] of inOrder.entries()) {
    const next = left - Number(saving.mid_usd)
    row(
      at + 1,
      lever,
      next,
      left,
      next <= left ? 'saved' : 'more',
      money(saving.mid_usd)
        .replace(/^/, next <= left ? '−' : '+')
        .replace('+-', '+'),
    )
    left = next
  }
  row(inOrder.length + 1, 'what is left', 0, left, 'left', money(left.toFixed(12)))
  const label = `Cost ${money(advice.cost_usd)}; with all levers ${money(left.toFixed(12))}`
  return svg(sheet.width, (inOrder.length + 2) * sheet.row + 6, label, rows.join(''))
}

/** Each lever's saving with the range it lies in; the outline is what it would save alone, the mark its part of the whole. */
export const savings = (findings: readonly Finding[]): string =>
  onSheets((sheet) => savingsOn(sheet, findings), namesOf(findings))

const savingsOn = (sheet: Sheet, findings: readonly Finding[]): string => {
  const values = findings.flatMap(({ saving, alone_usd }) => [Number(saving.high_usd), Number(alone_usd)])
  const most = Math.max(1e-12, ...values)
  const room = sheet.width - sheet.label - sheet.amount - 6
  const scale = (amount: number): number => (Math.max(0, amount) / most) * room
  const rows = findings.map(({ lever, saving, alone_usd, shapley }, at) => {
    const y = at * sheet.row + sheet.bar
    const [low, mid, high] = [saving.low_usd, saving.mid_usd, saving.high_usd].map(Number) as [number, number, number]
    const middle = y + 11
    const whisker = `<path d="M${(sheet.label + scale(low)).toFixed(1)} ${middle}H${(sheet.label + scale(high)).toFixed(1)}M${(sheet.label + scale(low)).toFixed(1)} ${middle - 5}v10M${(sheet.label + scale(high)).toFixed(1)} ${middle - 5}v10" class="range"/>`
    const part =
      shapley === null
        ? ''
        : `<circle cx="${(sheet.label + scale(Number(shapley.usd))).toFixed(1)}" cy="${middle}" r="4" class="part"><title>its part of the whole: ${escapeHtml(money(shapley.usd))}</title></circle>`
    return [
      caption(sheet, at * sheet.row, lever, money(saving.mid_usd)),
      rect(sheet.label, y, scale(Number(alone_usd)), 22, 'alone', `alone: ${money(alone_usd)}`),
      rect(sheet.label, y + 4, scale(mid), 14, 'saved', `saves ${money(saving.mid_usd)}`),
      high > low ? whisker : '',
      part,
    ].join('')
  })
  return svg(sheet.width, findings.length * sheet.row + 6, 'What each lever saves, with its range', rows.join(''))
}

/** Cost over the window as it was, and as it would have been. */
export const curve = (advice: Advice, from: string, to: string): string =>
  onSheets((sheet) => curveOn(sheet, advice, { from, to }))

const curveOn = (
  { width, scale: left }: Sheet,
  { curve: { cost_usd, after_usd } }: Advice,
  { from, to }: Readonly<{ from: string; to: string }>,
): string => {
  const height = 190
  const [right, top, bottom] = [10, 12, 28]
  const most = Math.max(1e-12, ...cost_usd, ...after_usd)
  const x = (at: number): number => left + (at / Math.max(1, cost_usd.length - 1)) * (width - left - right)
  const y = (value: number): number => top + (1 - Math.max(0, value) / most) * (height - top - bottom)
  const line = (values: readonly number[]): string =>
    values.map((value, at) => `${at === 0 ? 'M' : 'L'}${x(at).toFixed(1)} ${y(value).toFixed(1)}`).join('')
  const area = (values: readonly number[], kind: string): string =>
    `<path d="${line(values)}L${x(values.length - 1).toFixed(1)} ${y(0)}L${x(0)} ${y(0)}Z" class="area ${kind}"/><path d="${line(values)}" class="line ${kind}"/>`
  const grid = [0, 0.5, 1].map(
    (share) =>
      `<path d="M${left} ${y(share * most).toFixed(1)}H${width - right}" class="grid"/>${text(left - 8, y(share * most) + 4, money((share * most).toFixed(12)), 'tick', 'end')}`,
  )
  const body = `${grid.join('')}${area(cost_usd, 'was')}${area(after_usd, 'with')}${text(left, height - 8, from, 'tick')}${text(width - right, height - 8, to, 'tick', 'end')}`
  return svg(width, height, 'Cost over the window, as it was and with all levers', body)
}

const partNames: Readonly<Record<string, string>> = {
  fresh: 'fresh input',
  cache_read: 'cache reads',
  cache_write_5m: 'cache writes, short',
  cache_write_long: 'cache writes, long',
  output: 'output',
  other: 'other',
}

const COMPOSITION = 760

/** Where the money is now, as one bar with its legend. */
export const composition = ({ spent_usd }: Advice): string => {
  const parts = Object.entries(spent_usd).filter(([, amount]) => amount > 0)
  const all = parts.reduce((sum, [, amount]) => sum + amount, 0)
  if (all <= 0) return ''
  let x = 0
  const bars = parts.map(([name, amount], at) => {
    const width = (amount / all) * COMPOSITION
    const bar = rect(
      x,
      0,
      Math.max(0, width - 1.5),
      26,
      `part-${at}`,
      `${partNames[name] ?? name}: ${money(amount.toFixed(12))}`,
    )
    x += width
    return bar
  })
  const legend = parts.map(
    ([name, amount], at) =>
      `<li><span class="key part-${at}"></span>${escapeHtml(partNames[name] ?? name)} <b>${escapeHtml(money(amount.toFixed(12)))}</b> ${escapeHtml(percent(amount / all))}</li>`,
  )
  return `${svg(COMPOSITION, 26, 'Where the money is now', bars.join(''))}<ul class="legend">${legend.join('')}</ul>`
}
