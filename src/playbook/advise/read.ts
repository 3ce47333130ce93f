/** From the columns of a packed page to calls of the past. */

import { bitsOf } from '../../core/chance.ts'
import { historyKeys, historyMarks } from '../../core/history.ts'
import type { Chain, Past, PastUsage, TokenRates } from '../../core/past.ts'
import type { LeverTrace } from '../../core/receipt.ts'
import { apart, type Head, headReader, placesOf } from './head.ts'
import { figures, type Packed } from './pack.ts'
import type { RateSheet } from './rates.ts'
import { contextOf, costOf, type Trip } from './trip.ts'

const figureAt = placesOf(figures)
const keyAt = placesOf(historyKeys)
const FIGURES = figures.length

const nothing: Chain = { hashes: [], tokens: [] }
const unpriced: TokenRates = { fresh: 0, cache_read: 0, cache_write: {}, output: 0 }
const noTraces: readonly LeverTrace[] = []

/** Where a call stands in the columns of its page. */
type Row = Readonly<{
  page: Packed
  head: Head
  /** Where its figures begin. */
  at: number
  keys: readonly string[]
  traces: readonly LeverTrace[]
}>

const ZERO = 48

/** Whole numbers of a text, with one character between them; an absent one is zero. */
const countsIn = (text: string): number[] => {
  const counts: number[] = []
  let count = 0
  for (let at = 0; at < text.length; at++) {
    const digit = text.charCodeAt(at) - ZERO
    if (digit >= 0 && digit <= 9) count = count * 10 + digit
    else {
      counts.push(count)
      count = 0
    }
  }
  counts.push(count)
  return counts
}

const chainOf = (hashes: string, tokens: string): Chain =>
  hashes === '' ? nothing : { hashes: hashes.split(','), tokens: countsIn(tokens) }

const fingerprintsOf = (keys: Row['keys']): Past['fingerprints'] => ({
  exact: keys[keyAt.fingerprint_exact] || undefined,
  template: keys[keyAt.fingerprint_template] || undefined,
  conversation: keys[keyAt.fingerprint_conversation] || undefined,
})

const figure = ({ page, at }: Row, name: keyof typeof figureAt): number => page.numbers[at + figureAt[name]] ?? 0

const usageOf = (row: Row, answered: boolean): PastUsage => {
  const [input, read] = [figure(row, 'input_tokens'), figure(row, 'cache_read_tokens')]
  const [written, long] = [figure(row, 'cache_write_tokens'), figure(row, 'cache_write_1h_tokens')]
  const billed = row.head.ended.price_state === 'none' && !answered ? 0 : 1
  return {
    fresh: billed * Math.max(0, input - read - written),
    cache_read: billed * read,
    cache_write_5m: billed * Math.max(0, written - long),
    cache_write_long: billed * long,
    output: billed * figure(row, 'output_tokens'),
  }
}

/** Every call gets an object of the same fields, so that what reads a million of them finds each field in the same place. */
const pastOf = (row: Row): Past => {
  const { keys } = row
  const { kind, payer, what, ended } = row.head
  const at_us = figure(row, 'started_at_us')
  const answered = ended.outcome === 'cached'
  const usage = usageOf(row, answered)
  const temperature = figure(row, 'temperature')
  return {
    kind,
    at_us,
    first_token_at_us: figure(row, 'first_token_at_us') || undefined,
    ended_at_us: figure(row, 'ended_at_us'),
    circle: {
      key_id: payer.circle.key_id,
      team: payer.circle.team,
      feature: payer.circle.feature,
      customer: keys[keyAt.customer] || undefined,
      user: keys[keyAt.user] || undefined,
      environment: payer.circle.environment,
      session: keys[keyAt.session] || undefined,
      agent: payer.circle.agent,
      wire: what.wire || undefined,
      endpoint: what.endpoint,
    },
    tenant: payer.tenant,
    account: payer.account,
    provider: what.provider,
    model: what.model,
    stream: what.stream,
    outcome: ended.outcome,
    finish_reason: ended.finish_reason || undefined,
    temperature: Number.isNaN(temperature) ? undefined : temperature,
    max_output_tokens: figure(row, 'max_output_asked') || undefined,
    fingerprints: fingerprintsOf(keys),
    chain: chainOf(keys[keyAt.prefix_hashes] ?? '', keys[keyAt.prefix_tokens] ?? ''),
    usage,
    removed: undefined,
    tools_tokens: figure(row, 'tools_tokens'),
    system_tokens: figure(row, 'system_tokens'),
    traces: row.traces,
    answered,
    rates: what.rates_of(at_us, contextOf({ usage })) ?? unpriced,
  }
}

/** Without a session, what comes from one caller for one thing within an hour is taken as one. */
const clusterOf = ({ circle, fingerprints, at_us }: Past): string =>
  circle.session ??
  fingerprints.conversation ??
  `${circle.key_id ?? circle.team ?? ''} ${circle.feature ?? ''} ${Math.floor(at_us / 3_600_000_000)}`

/** Reads the packed pieces of one window, in their order. `kept` makes of a call's keys a text that keeps no piece. */
export const tripReader = (sheet: RateSheet, kept: (text: string) => string = apart) => {
  const headIn = headReader(sheet)
  const heads: Head[] = []
  const rowOf = (page: Packed, call: number): Row => {
    const traces = page.levers.get(call)
    return {
      page,
      head: heads[page.headed[call] ?? 0] as Head,
      at: call * FIGURES,
      keys: kept(page.keys[call] ?? '').split(historyMarks.value),
      traces: traces === undefined ? noTraces : (JSON.parse(traces) as readonly LeverTrace[]),
    }
  }
  const tripOf = (row: Row): Trip => {
    const past = pastOf(row)
    const [own, all] = [figure(row, 'cost'), figure(row, 'cost_of_all')]
    const { what, ended } = row.head
    const cost = Number.isNaN(all) ? own || 0 : all
    return {
      past,
      cost,
      other: past.answered ? cost : cost - costOf(past, past.rates),
      // `none`: nothing was billed, whatever the receipt says was used.
      known: !Number.isNaN(own) || ended.price_state === 'none',
      service: what.service,
      rates_of: what.rates_of,
      bits: bitsOf(clusterOf(past)),
      deferrable: what.deferrable,
    }
  }
  /** Opens a piece: calls by their place in it, in order of time. A call of several attempts is its last one, at the cost of all. */
  return (page: Packed): ((call: number) => Trip) => {
    for (const head of page.heads) heads.push(headIn(head))
    return (call) => tripOf(rowOf(page, call))
  }
}
