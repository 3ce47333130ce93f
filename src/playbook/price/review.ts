import { DAY_US } from '../../core/date.ts'
import type { PriceRow } from '../../core/price.ts'
import { dayNumber, instant_us } from './local-time.ts'

/** Something about a row that a person should look at. `error` means that a bill may be wrong. */
export type Finding = Readonly<{
  kind: 'stray' | 'future' | 'stale' | 'gap' | 'free' | 'holidays' | 'alias'
  level: 'note' | 'warning'
  row: string
  says: string
}>

/** A window's list of holidays should reach at least so far ahead. */
const HOLIDAYS_AHEAD_DAYS = 30

const shared = (row: PriceRow): string => {
  const {
    id: _id,
    effective_from: _from,
    effective_to: _to,
    rates,
    source: _s,
    checked_at: _c,
    free: _f,
    ...rest
  } = row
  return JSON.stringify([rest, Object.keys(rates).some((meter) => meter.startsWith('in.') || meter.startsWith('out.'))])
}

const from_us = (row: PriceRow) =>
  row.effective_from === undefined ? Number.NEGATIVE_INFINITY : instant_us(row.effective_from)

/** Rows of the same conditions that do not touch: in between, the model is unpriced or priced by a broader row. */
const gaps = (rows: readonly PriceRow[]): Finding[] => {
  const groups = new Map<string, PriceRow[]>()
  for (const row of rows) {
    const key = shared(row)
    const group = groups.get(key)
    if (group) group.push(row)
    else groups.set(key, [row])
  }
  return [...groups.values()].flatMap((group) => {
    const inOrder = [...group].sort((a, b) => Math.sign(from_us(a) - from_us(b)) || 0)
    return inOrder.flatMap((row, index): Finding[] => {
      const next = inOrder[index + 1]
      if (next === undefined || row.effective_to === undefined || instant_us(row.effective_to) >= from_us(next))
        return []
      const says = `no such price from ${row.effective_to} until ${next.effective_from} (${next.id})`
      return [{ kind: 'gap', level: 'warning', row: row.id, says }]
    })
  })
}

const ofRow = (row: PriceRow, now_us: number, stale_days: number): Finding[] => {
  const findings: Finding[] = []
  const add = (kind: Finding['kind'], level: Finding['level'], says: string) =>
    findings.push({ kind, level, row: row.id, says })
  if (from_us(row) > now_us) add('future', 'note', `comes into force on ${row.effective_from}`)
  const checked_us = dayNumber(row.checked_at.slice(0, 10)) * DAY_US
  const age = Math.floor((now_us - checked_us) / DAY_US)
  if (age > stale_days) add('stale', 'warning', `checked ${age} days ago (${row.checked_at.slice(0, 10)})`)
  if (row.free === true) add('free', 'note', 'is free: its zero rates are meant')
  const last = (row.window?.except_dates ?? []).toSorted().at(-1)
  if (last !== undefined && dayNumber(last) * DAY_US < now_us + HOLIDAYS_AHEAD_DAYS * DAY_US)
    add('holidays', 'warning', `its last holiday is ${last}: append those of the next year`)
  return findings
}

/** Names that the catalogue gives to a model of ours and we do not: they would be priced by the catalogue. */
const missedAliases = (rows: readonly PriceRow[]): Finding[] => {
  const ours = new Set(
    rows.filter(({ layer }) => layer === 'weir').flatMap((row) => row.models.map((one) => `${row.provider}/${one}`)),
  )
  return rows
    .filter(({ layer }) => layer === 'catalog')
    .flatMap((row): Finding[] => {
      const known = row.models.filter((model) => ours.has(`${row.provider}/${model}`))
      const missed = row.models.filter((model) => !ours.has(`${row.provider}/${model}`))
      if (known.length === 0 || missed.length === 0) return []
      const says = `${missed.join(', ')}: an alias of ${known[0]} in the catalogue, and not in our file`
      return [{ kind: 'alias', level: 'warning', row: row.id, says }]
    })
}

/**
 * What a person should look at in a book whose rows are sound (`compileBook` refuses the others): rows that come, are
 * stale or free, gaps between dates, holiday lists that run out, aliases that only the catalogue knows.
 */
export const review = (rows: readonly PriceRow[], now_us: number, stale_days: number): Finding[] => {
  const own = rows.filter(({ layer }) => layer !== 'catalog')
  return [...own.flatMap((row) => ofRow(row, now_us, stale_days)), ...gaps(own), ...missedAliases(rows)]
}
