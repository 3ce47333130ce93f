import { type ColumnKind, columns } from '../../core/columns.ts'
import type { Answers, Question } from '../../core/ledger.ts'
import type { Receipt } from '../../core/receipt.ts'
import { filtered, where } from './dimensions.ts'
import type { Row, Session } from './engine.ts'
import { columnNames } from './schema.ts'
import { raw, sql } from './sql.ts'
import { receiptsAt } from './taken.ts'
import { count, usd } from './values.ts'

const selected = raw(columnNames.map((name) => `"${name}"`).join(', '))

type Pair = Readonly<{ key: string; value: string }>

/** A record without its nulls: absent is how a receipt says null. Money in it becomes its shortest text. */
const given = (record: Row): Row =>
  Object.fromEntries(
    Object.entries(record)
      .filter(([, value]) => value !== null && value !== undefined)
      .map(([name, value]) => [name, name.endsWith('_usd') && name !== 'rate_usd' ? usd(value) : value]),
  )

const asIs = (value: unknown) => value
const records = (value: unknown) => (value as readonly Row[]).map(given)

/** From the engine's JSON, where wide integers are text, to the field of a receipt. */
const decoders: Readonly<Record<ColumnKind, (value: unknown) => unknown>> = {
  text: asIs,
  flag: asIs,
  count: Number,
  small: Number,
  score: Number,
  time: Number,
  money: usd,
  hash: asIs,
  tags: (value) => Object.fromEntries((value as readonly Pair[]).map(({ key, value: tag }) => [key, tag])),
  texts: asIs,
  hashes: asIs,
  counts: (value) => (value as readonly unknown[]).map(Number),
  lines: records,
  levers: records,
}

/** The receipt of a row, as it was in the journal. */
export const receiptOf = (row: Row): Receipt => {
  const fields = Object.entries(columns).flatMap(([name, kind]) => {
    const value = row[name]
    return value === null || value === undefined ? [] : [[name, decoders[kind](value)] as const]
  })
  return Object.fromEntries(fields) as unknown as Receipt
}

type Calls = Extract<Question, { ask: 'calls' }>

/** Parts of a window, from its end, in which the newest are looked for before it is read whole. */
const PARTS = [4096, 128, 8, 1]

/** The places of a page of receipts, found by narrow columns. */
const placesOf = async (session: Session, question: Calls) => {
  const { window, filters, limit, after, ended_from_us, order = 'newest' } = question
  const rank = raw(rankOf(order))
  const page =
    after === undefined
      ? raw('')
      : sql`AND (${rank}, receipt_id) < (SELECT (${rank}, receipt_id) FROM spending WHERE receipt_id = ${after} LIMIT 1)`
  const ended = ended_from_us === undefined ? raw('') : sql`AND ended_at_us >= ${ended_from_us}`
  const parts = order === 'newest' && after === undefined ? PARTS : [1]
  for (const part of parts) {
    const from_us = Math.floor(window.to_us - (window.to_us - window.from_us) / part)
    const found = await session.rows(sql`
      SELECT place FROM spending WHERE ${where({ ...window, from_us }, filters)} ${ended} ${page}
      ORDER BY ${rank} DESC, receipt_id DESC LIMIT ${limit}`)
    if (found.length === limit || part === 1) return found.map(({ place }) => count(place))
  }
  return []
}

const rankOf = (order: NonNullable<Calls['order']>): string =>
  order === 'newest' ? 'started_at_us' : 'coalesce(cost_usd, 0)'

/** Receipts of a window, newest or dearest first, a page at a time; `after` is the last receipt id of the page before. */
export const calls = async (session: Session, question: Calls): Promise<Answers['calls']> => {
  const { tags = [], order = 'newest' } = question
  const places = await placesOf(session, question)
  if (places.length === 0) return { receipts: [] }
  // Where rules stand in front of the receipts, only the view has said who pays.
  const from =
    tags.length === 0
      ? sql`(${raw(receiptsAt(places))})`
      : sql`receipts WHERE place IN (SELECT unnest([${raw(places.join(', '))}]::BIGINT[]))`
  const rows = await session.rows(sql`
    SELECT ${selected} FROM ${from} ORDER BY ${raw(rankOf(order))} DESC, receipt_id DESC`)
  return { receipts: rows.map(receiptOf) }
}

/**
 * Every receipt of a call, found by its id, by that of one of its receipts or by the provider's id of its response (which
 * several calls may have fetched): attempts in order, then corrections.
 */
export const call = async (
  session: Session,
  { id, filters }: Extract<Question, { ask: 'call' }>,
): Promise<Answers['call']> => {
  const rows = await session.rows(sql`
    SELECT ${selected} FROM receipts WHERE call_id IN (
      SELECT call_id FROM spending WHERE call_id = ${id} UNION SELECT call_id FROM spending WHERE receipt_id = ${id}
      UNION SELECT call_id FROM spending WHERE provider_response_id = ${id}
    ) AND ${filtered(filters)}
    ORDER BY corrects IS NOT NULL, attempt, started_at_us, receipt_id`)
  return { receipts: rows.map(receiptOf) }
}
