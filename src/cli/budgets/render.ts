import type { BudgetState } from '../../core/budget.ts'
import { calledKey, type KeyNames } from '../../core/key-names.ts'
import type { DefinedBudget } from '../../verbs/budgets/find.ts'
import { bar } from '../show/chart.ts'
import { money, percent, plural } from '../show/format.ts'
import { type Look, type Paint, paint } from '../show/look.ts'
import { type Column, facts, table } from '../show/table.ts'
import { moment } from '../show/time.ts'

const GAUGE = 16

/** An amount in the unit of its budget. */
export const amountText = (unit: BudgetState['unit'], amount: string): string =>
  unit === 'usd' ? money(amount) : plural(Number(amount), unit.slice(0, -1))

const scopeText = ({ scope }: BudgetState, keys: KeyNames): string =>
  Object.entries(scope)
    .map(([name, value]) => `${name}=${name === 'key' ? calledKey(value, keys) : value}`)
    .join(' ') || 'everything'

const windowText = ({ window, zone }: BudgetState): string =>
  zone === null || zone === 'UTC' ? window : `${window} ${zone}`

const resetText = ({ resets_at_us, zone, window }: BudgetState): string => {
  if (resets_at_us !== null) return moment(resets_at_us, zone ?? 'UTC')
  return window === 'lifetime' ? 'never' : 'bit by bit'
}

/** Green with room, yellow from four fifths on, red at the end. */
const colourOf = ({ share }: BudgetState, colours: Paint): ((text: string) => string) => {
  if (share >= 1) return colours.red
  return share >= 0.8 ? colours.yellow : colours.green
}

/** What is spent as a bar, in a frame as long as the limit. */
const frame = ({ share }: BudgetState): string => bar(share, GAUGE).padEnd(GAUGE, '·')

const gauge = (state: BudgetState): string => `${frame(state)} ${percent(state.share)}`

const coloured: Column<BudgetState>['style'] = (text, state, colours) => colourOf(state, colours)(text)

const columns = (keys: KeyNames): readonly Column<BudgetState>[] => [
  { head: 'budget', cell: ({ budget }) => budget, shrink: 10 },
  { head: 'for', cell: (state) => scopeText(state, keys), shrink: 10, names: true },
  { head: 'window', cell: windowText, drop: 4 },
  { head: '', cell: frame, style: coloured, drop: 4 },
  { head: 'used', cell: ({ share }) => percent(share), style: coloured, align: 'right' },
  { head: 'spent', cell: ({ unit, spent }) => amountText(unit, spent), align: 'right', drop: 2 },
  { head: 'reserved', cell: ({ unit, reserved }) => amountText(unit, reserved), align: 'right', drop: 5 },
  { head: 'left', cell: ({ unit, left }) => amountText(unit, left), align: 'right' },
  { head: 'limit', cell: ({ unit, limit }) => amountText(unit, limit), align: 'right', drop: 1 },
  { head: 'kind', cell: ({ kind }) => kind, drop: 6 },
  { head: 'resets', cell: resetText, drop: 3 },
]

/** Budgets and how they stand, the fullest of each first. */
export const renderBudgets = (states: readonly BudgetState[], keys: KeyNames, look: Look): string => {
  if (states.length === 0)
    return 'No budgets. Make one with: weir budgets set NAME --usd 50 --per day --scope team=search'
  const uncounted = states.some(({ counted }) => !counted)
  const note = uncounted ? '\n\nWhat was spent before the start is still being counted.' : ''
  return `${table(states, columns(keys), look)}${note}`
}

/** One budget, counter by counter. */
export const renderBudget = (states: readonly BudgetState[], keys: KeyNames, look: Look): string => {
  const colours = paint(look)
  return states
    .map((state) =>
      facts(
        [
          [state.budget, `${scopeText(state, keys)} · ${windowText(state)} · ${state.kind}`],
          ['used', colourOf(state, colours)(gauge(state))],
          ['spent', amountText(state.unit, state.spent)],
          ['reserved', amountText(state.unit, state.reserved)],
          ['left', `${amountText(state.unit, state.left)} of ${amountText(state.unit, state.limit)}`],
          ['resets', resetText(state)],
          [
            'had no room',
            state.exhausted_at_us === null ? undefined : moment(state.exhausted_at_us, state.zone ?? 'UTC'),
          ],
        ],
        look,
        0,
      ),
    )
    .join('\n\n')
}

/** Where a budget is changed, and what it does besides refusing: where calls go instead, and what it lets pass. */
export const writtenText = ({ budget, written, revision }: DefinedBudget): string => {
  const { when_exhausted: instead, unbounded } = budget
  const targets =
    instead === 'refuse' ? [] : instead.map(({ provider, model }) => [provider, model].filter(Boolean).join('/'))
  return [
    revision === undefined ? `Written in ${written}.` : `Revision ${revision}.`,
    ...(targets.length === 0 ? [] : [`When it is exhausted, calls go to ${targets.join(', else ')}.`]),
    ...(unbounded === 'refuse' ? [] : ['Calls whose worst case nobody can know may pass.']),
  ].join(' ')
}
