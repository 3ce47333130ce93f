import type { PriceBook, PriceRow } from '../../core/price.ts'
import { indexOf } from './book.ts'
import { compileRow, windowHolds } from './conditions.ts'

export type RowState = 'in force' | 'outside its hours' | 'future' | 'past' | 'shadowed'

/** A row and how it stands at a moment; `changes_at_us` is when that next changes by date. */
export type Explained = Readonly<{ row: PriceRow; state: RowState; changes_at_us?: number }>

const stateOf = (row: PriceRow, at_us: number, shadowed: boolean): Explained => {
  const compiled = compileRow(row)
  if (at_us < compiled.from_us) return { row, state: 'future', changes_at_us: compiled.from_us }
  if (at_us >= compiled.to_us) return { row, state: 'past' }
  const ends = Number.isFinite(compiled.to_us) ? { changes_at_us: compiled.to_us } : {}
  if (shadowed) return { row, state: 'shadowed', ...ends }
  return { row, state: windowHolds(compiled, at_us) ? 'in force' : 'outside its hours', ...ends }
}

/**
 * Every row of a model with its standing at a moment, oldest first within its conditions. A catalogue row is `shadowed`
 * where ours speak. Empty when the model is not in the book.
 */
export const explain = (book: PriceBook, provider: string, model: string, at_us: number): Explained[] => {
  const entry = indexOf(book).find(provider, model)?.entry
  if (!entry) return []
  const own = at_us >= entry.own_from_us
  return entry.rows.map((row) => stateOf(row, at_us, own && row.layer === 'catalog'))
}

/** The conditions of a row in words: `> 272,000 tokens · fast · us · 09:00–12:00 Asia/Shanghai`; `standard` when none. */
export const conditionsOf = (row: PriceRow): string => {
  const clock = (minutes: number) =>
    `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`
  const { window } = row
  const hours = window?.minutes.map(([from, to]) => `${clock(from)}–${clock(to)}`).join(', ')
  const days = window?.weekdays === undefined ? '' : ` on weekdays ${window.weekdays.join('')}`
  const parts = [
    row.batch === true ? 'batch' : row.tier,
    row.speed,
    row.context && `${row.context.operator} ${row.context.tokens.toLocaleString('en-US')} tokens`,
    row.region && `region ${row.region}`,
    row.geo && `geo ${row.geo}`,
    window && `${hours} ${window.zone}${days}${window.except_dates ? ' but holidays' : ''}`,
    ...Object.entries(row.attrs ?? {}).map(([name, value]) => `${name} ${value}`),
  ].filter((part): part is string => part !== undefined && part !== '')
  return parts.length === 0 ? 'standard' : parts.join(' · ')
}
