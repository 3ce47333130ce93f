/** From a line of the ledger's history to a call of the past. */
import { historyCounts, historyKeys, historyMarks, historyTexts } from '../../core/history.ts'
import type { Answers } from '../../core/ledger.ts'
import { parseUsd } from '../../core/money.ts'
import type { Chain, Past, PastUsage, TokenRates } from '../../core/past.ts'
import type { LeverTrace } from '../../core/receipt.ts'
import { bitsOf } from './chance.ts'
import { apart, endOfHead, type Head, headReader, placesOf } from './head.ts'
import type { RateSheet } from './rates.ts'
import { contextOf, costOf, type Trip } from './trip.ts'

const keyAt = placesOf(historyKeys)
const textAt = placesOf(historyTexts)
const countAt = placesOf(historyCounts)

const nothing: Chain = { hashes: [], tokens: [] }
const unpriced: TokenRates = { fresh: 0, cache_read: 0, cache_write: {}, output: 0 }
const noTraces: readonly LeverTrace[] = []

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

const tracesOf = (text: string): readonly LeverTrace[] =>
  text === '' || text === '[]' ? noTraces : (JSON.parse(text) as readonly LeverTrace[])

/** US dollars as the engine writes them, with twelve decimals, in picodollars. */
const picodollarsOf = (usd: string): number => {
  const point = usd.length - 13
  if (usd.charCodeAt(point) === POINT) return Number(usd.slice(0, point) + usd.slice(point + 1))
  return Number(parseUsd(usd))
}
const POINT = 46

/** The picodollars of a receipt, and whether they are known. `none`: nothing was billed, whatever the receipt says was used. */
const costIn = (usd: string, state: string): Readonly<{ cost: number; known: boolean }> => {
  if (usd !== '') return { cost: picodollarsOf(usd), known: true }
  return { cost: 0, known: state === 'none' }
}

const usageOf = (counts: Read['counts'], state: string, answered: boolean): PastUsage => {
  const count = (name: keyof typeof countAt): number => counts[countAt[name]] ?? 0
  const [input, read] = [count('input_tokens'), count('cache_read_tokens')]
  const [written, long] = [count('cache_write_tokens'), count('cache_write_1h_tokens')]
  const billed = state === 'none' && !answered ? 0 : 1
  return {
    fresh: billed * Math.max(0, input - read - written),
    cache_read: billed * read,
    cache_write_5m: billed * Math.max(0, written - long),
    cache_write_long: billed * long,
    output: billed * count('output_tokens'),
  }
}

type Read = Readonly<{
  head: Head
  keys: readonly string[]
  texts: readonly string[]
  counts: readonly number[]
}>

/** Every call gets an object of the same fields, so that what reads a million of them finds each field in the same place. */
const circleOf = ({ head: { payer, what }, keys, texts }: Read): Past['circle'] => ({
  key_id: payer.circle.key_id,
  team: payer.circle.team,
  feature: payer.circle.feature,
  customer: texts[textAt.customer] || undefined,
  user: texts[textAt.user] || undefined,
  environment: payer.circle.environment,
  session: keys[keyAt.session] || undefined,
  agent: payer.circle.agent,
  wire: what.wire || undefined,
  endpoint: what.endpoint,
})

const fingerprintsOf = (keys: Read['keys']): Past['fingerprints'] => ({
  exact: keys[keyAt.fingerprint_exact] || undefined,
  template: keys[keyAt.fingerprint_template] || undefined,
  conversation: keys[keyAt.fingerprint_conversation] || undefined,
})

const pastOf = (read: Read): Past => {
  const { keys, texts, counts } = read
  const { kind, payer, what, ended } = read.head
  const count = (name: keyof typeof countAt): number => counts[countAt[name]] ?? 0
  const at_us = count('started_at_us')
  const answered = ended.outcome === 'cached'
  const usage = usageOf(counts, ended.price_state, answered)
  const temperature = texts[textAt.temperature]
  return {
    receipt_id: texts[textAt.receipt_id] ?? '',
    kind,
    at_us,
    first_token_at_us: count('first_token_at_us') || undefined,
    ended_at_us: count('ended_at_us'),
    circle: circleOf(read),
    tenant: payer.tenant,
    account: payer.account,
    provider: what.provider,
    model: what.model,
    stream: what.stream,
    outcome: ended.outcome,
    finish_reason: ended.finish_reason || undefined,
    temperature: temperature ? Number(temperature) : undefined,
    max_output_tokens: count('max_output_asked') || undefined,
    fingerprints: fingerprintsOf(keys),
    chain: chainOf(keys[keyAt.prefix_hashes] ?? '', keys[keyAt.prefix_tokens] ?? ''),
    usage,
    removed: undefined,
    tools_tokens: count('tools_tokens'),
    system_tokens: count('system_tokens'),
    traces: tracesOf(texts[textAt.levers] ?? ''),
    answered,
    rates: what.rates_of(at_us, contextOf({ usage })) ?? unpriced,
  }
}

/** Without a session, what comes from one caller for one thing within an hour is taken as one. */
const clusterOf = ({ circle, fingerprints, at_us }: Past): string =>
  circle.session ??
  fingerprints.conversation ??
  `${circle.key_id ?? circle.team ?? ''} ${circle.feature ?? ''} ${Math.floor(at_us / 3_600_000_000)}`

export type TripReader = Readonly<{
  /** Calls of a page, in order of time. A call of several attempts is its last one, at the cost of all. */
  trips(page: Answers['history']): Generator<Trip>
  /** Money of corrections whose calls lie before the window, picodollars. */
  unattached(): number
}>

/** Reads pages of one window in their order; what the first page says of repeated calls holds for all. */
export const tripReader = (sheet: RateSheet): TripReader => {
  const headIn = headReader(sheet)
  const costs = new Map<string, number>()
  const left_out = new Set<string>()
  let unattached = 0
  const learn = ({ repeated }: Answers['history']): void => {
    for (const { stands, others, cost_usd } of repeated) {
      for (const id of others) left_out.add(id)
      if (stands === null) unattached += Number(parseUsd(cost_usd))
      else costs.set(stands, Number(parseUsd(cost_usd)))
    }
  }
  const tripOf = (line: string): Trip | undefined => {
    const start = line.indexOf(historyMarks.part) + 1
    const end = endOfHead(line, start)
    const [keys = '', said = ''] = line.slice(end + 1).split(historyMarks.part)
    const texts = said.split(historyMarks.value)
    const receipt_id = texts[textAt.receipt_id] ?? ''
    if (left_out.size > 0 && left_out.has(receipt_id)) return undefined
    const head = headIn(line.slice(start, end))
    const past = pastOf({
      head,
      keys: apart(keys).split(historyMarks.value),
      texts,
      counts: countsIn(line.slice(0, start - 1)),
    })
    const { what } = head
    const own = costIn(texts[textAt.cost_usd] ?? '', head.ended.price_state)
    const cost = (costs.size > 0 ? costs.get(receipt_id) : undefined) ?? own.cost
    const cluster = clusterOf(past)
    return {
      past,
      cost,
      other: past.answered ? cost : cost - costOf(past, past.rates),
      known: own.known,
      service: what.service,
      rates_of: what.rates_of,
      cluster,
      bits: bitsOf(cluster),
      deferrable: what.deferrable,
    }
  }
  return {
    *trips(page) {
      learn(page)
      for (const line of page.lines) {
        const trip = tripOf(line)
        if (trip !== undefined) yield trip
      }
    },
    unattached: () => unattached,
  }
}
