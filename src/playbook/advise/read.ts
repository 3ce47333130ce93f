/** From a line of the ledger's history to a call of the past. */
import { packs } from '../../core/columns.ts'
import { historyCounts, historyKeys, historyMarks, type historyPacks, historyTexts } from '../../core/history.ts'
import type { Answers } from '../../core/ledger.ts'
import { parseUsd } from '../../core/money.ts'
import type { Chain, Past, PastUsage, TokenRates } from '../../core/past.ts'
import type { LeverTrace, Receipt } from '../../core/receipt.ts'
import type { ServiceTier } from '../../core/usage.ts'
import { bitsOf } from './chance.ts'
import type { RateSheet, RatesOf, Service } from './rates.ts'
import { contextOf, costOf, type Trip } from './trip.ts'

const placesOf = <Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> =>
  Object.fromEntries(names.map((name, at) => [name, at])) as Record<Name, number>

const keyAt = placesOf(historyKeys)
const textAt = placesOf(historyTexts)
const countAt = placesOf(historyCounts)

/** The values of a pack, by name. */
const packOf = <Pack extends (typeof historyPacks)[number]>(pack: Pack, text: string) => {
  const values = text.split(historyMarks.value)
  const at = placesOf<(typeof packs)[Pack][number]>(packs[pack])
  return (name: (typeof packs)[Pack][number]): string => values[at[name]] ?? ''
}

type Payer = Readonly<{ number: number; circle: Past['circle']; tenant: string; account: string }>
type What = Readonly<{
  wire: string
  endpoint: string
  provider: string
  model: string
  stream: boolean
  deferrable: boolean
  service: Service
  rates_of: RatesOf
  /** The kind of call that it makes with each payer, by the payer's number. */
  kinds: (number | undefined)[]
}>
type Ended = Readonly<{ outcome: Receipt['outcome']; finish_reason: string; price_state: string }>

const given = <T extends Readonly<Record<string, unknown>>>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== undefined)) as T

const payerOf = (text: string, number: number): Payer => {
  const value = packOf('payer', text)
  const key_id = value('key_id')
  const tenant = value('tenant') || key_id
  const [team, feature, environment, agent] = [value('team'), value('feature'), value('environment'), value('agent')]
  return {
    number,
    circle: given({ key_id, team, feature, environment, agent }) as Past['circle'],
    tenant,
    // With a key of Weir's the provider's key is the gateway's own, and so is the provider's cache.
    account: key_id === '' ? tenant : '',
  }
}

const whatOf = (text: string, sheet: RateSheet): What => {
  const value = packOf('what', text)
  const provider = value('provider')
  const model = value('model_served') || value('model_asked')
  const service: Service = given({
    tier: value('service_tier') as ServiceTier,
    speed: value('speed') as 'standard',
    region: value('region'),
    geo: value('geo'),
  })
  return {
    wire: value('wire'),
    endpoint: value('endpoint'),
    provider,
    model,
    stream: value('stream') === 'true',
    deferrable: value('deferrable') === 'true',
    service,
    rates_of: sheet.of(provider, model, service),
    kinds: [],
  }
}

const endedOf = (text: string): Ended => {
  const value = packOf('ended', text)
  return {
    outcome: value('outcome') as Receipt['outcome'],
    finish_reason: value('finish_reason'),
    price_state: value('price_state'),
  }
}

/** Works out once what a text says, and numbers what is made of them. */
const once = <T>(work_out: (text: string, number: number) => T): ((text: string) => T) => {
  const known = new Map<string, T>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const made = work_out(text, known.size)
    known.set(apart(text), made)
    return made
  }
}

/** A text of its own: a slice keeps the whole line for as long as a lever keeps one hash of it. */
const apart = (text: string): string => (text === '' ? '' : (JSON.parse(JSON.stringify(text)) as string))

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
  kind: number
  payer: Payer
  what: What
  ended: Ended
  keys: readonly string[]
  texts: readonly string[]
  counts: readonly number[]
}>

/** Every call gets an object of the same fields, so that what reads a million of them finds each field in the same place. */
const circleOf = ({ payer: { circle }, what, keys, texts }: Read): Past['circle'] => ({
  key_id: circle.key_id,
  team: circle.team,
  feature: circle.feature,
  customer: texts[textAt.customer] || undefined,
  user: texts[textAt.user] || undefined,
  environment: circle.environment,
  session: keys[keyAt.session] || undefined,
  agent: circle.agent,
  wire: what.wire || undefined,
  endpoint: what.endpoint,
})

const fingerprintsOf = (keys: Read['keys']): Past['fingerprints'] => ({
  exact: keys[keyAt.fingerprint_exact] || undefined,
  template: keys[keyAt.fingerprint_template] || undefined,
  conversation: keys[keyAt.fingerprint_conversation] || undefined,
})

const pastOf = (read: Read): Past => {
  const { payer, what, ended, keys, texts, counts } = read
  const count = (name: keyof typeof countAt): number => counts[countAt[name]] ?? 0
  const at_us = count('started_at_us')
  const answered = ended.outcome === 'cached'
  const usage = usageOf(counts, ended.price_state, answered)
  const temperature = texts[textAt.temperature]
  return {
    receipt_id: texts[textAt.receipt_id] ?? '',
    kind: read.kind,
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
  const [payerIn, whatIn, endedIn] = [once(payerOf), once((text) => whatOf(text, sheet)), once(endedOf)]
  const costs = new Map<string, number>()
  const left_out = new Set<string>()
  let [unattached, kinds] = [0, 0]
  const kindOf = ({ number }: Payer, what: What): number => (what.kinds[number] ??= kinds++)
  const learn = ({ repeated }: Answers['history']): void => {
    for (const { stands, others, cost_usd } of repeated) {
      for (const id of others) left_out.add(id)
      if (stands === null) unattached += Number(parseUsd(cost_usd))
      else costs.set(stands, Number(parseUsd(cost_usd)))
    }
  }
  const tripOf = (line: string): Trip | undefined => {
    const [payer_text = '', what_text = '', ended_text = '', keys = '', said = '', counts = ''] = line.split(
      historyMarks.part,
    )
    const texts = said.split(historyMarks.value)
    const receipt_id = texts[textAt.receipt_id] ?? ''
    if (left_out.size > 0 && left_out.has(receipt_id)) return undefined
    const [payer, what, ended] = [payerIn(payer_text), whatIn(what_text), endedIn(ended_text)]
    const past = pastOf({
      kind: kindOf(payer, what),
      payer,
      what,
      ended,
      keys: apart(keys).split(historyMarks.value),
      texts,
      counts: countsIn(counts),
    })
    const own = costIn(texts[textAt.cost_usd] ?? '', ended.price_state)
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
