/** From a line of the ledger's history to a call of the past. */
import { packs } from '../../core/columns.ts'
import { historyFields, historyKeys, historyMarks, type historyPacks } from '../../core/history.ts'
import type { Answers } from '../../core/ledger.ts'
import { parseUsd } from '../../core/money.ts'
import type { Chain, Past, PastUsage, TokenRates } from '../../core/past.ts'
import type { LeverTrace, Receipt } from '../../core/receipt.ts'
import type { ServiceTier } from '../../core/usage.ts'
import type { RateSheet, RatesOf, Service } from './rates.ts'
import { contextOf, costOf, type Trip } from './trip.ts'

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

const placesOf = <Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> =>
  Object.fromEntries(names.map((name, at) => [name, at])) as Record<Name, number>

const keyAt = placesOf(historyKeys)
const fieldAt = placesOf(historyFields)

/** The values of a pack, by name. */
const packOf = <Pack extends (typeof historyPacks)[number]>(pack: Pack, text: string) => {
  const values = text.split(historyMarks.value)
  const at = placesOf<(typeof packs)[Pack][number]>(packs[pack])
  return (name: (typeof packs)[Pack][number]): string => values[at[name]] ?? ''
}

type Payer = Readonly<{ circle: Past['circle']; tenant: string; account: string }>
type What = Readonly<{
  wire: string
  endpoint: string
  provider: string
  model: string
  stream: boolean
  deferrable: boolean
  service: Service
  rates_of: RatesOf
}>
type Ended = Readonly<{ outcome: Receipt['outcome']; finish_reason: string; price_state: string }>

const given = <T extends Readonly<Record<string, unknown>>>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== undefined)) as T

const payerOf = (text: string): Payer => {
  const value = packOf('payer', text)
  const key_id = value('key_id')
  const tenant = value('tenant') || key_id
  const [team, feature, environment, agent] = [value('team'), value('feature'), value('environment'), value('agent')]
  return {
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

/** Works out once what a text says. */
const once = <T>(work_out: (text: string) => T): ((text: string) => T) => {
  const known = new Map<string, T>()
  return (text) => {
    const found = known.get(text)
    if (found !== undefined) return found
    const made = work_out(text)
    known.set(apart(text), made)
    return made
  }
}

/** A text of its own: a slice keeps the whole line for as long as a lever keeps one hash of it. */
const apart = (text: string): string => (text === '' ? '' : (JSON.parse(JSON.stringify(text)) as string))

const nothing: Chain = { hashes: [], tokens: [] }
const unpriced: TokenRates = { fresh: 0, cache_read: 0, cache_write: {}, output: 0 }
const noTraces: readonly LeverTrace[] = []

const chainOf = (hashes: string, tokens: string): Chain =>
  hashes === '' ? nothing : { hashes: hashes.split(','), tokens: tokens.split(',').map(Number) }

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

const usageOf = (field: (name: keyof typeof fieldAt) => string, state: string, answered: boolean): PastUsage => {
  const [input, read] = [Number(field('input_tokens')), Number(field('cache_read_tokens'))]
  const [written, long] = [Number(field('cache_write_tokens')), Number(field('cache_write_1h_tokens'))]
  const billed = state === 'none' && !answered ? 0 : 1
  return {
    fresh: billed * Math.max(0, input - read - written),
    cache_read: billed * read,
    cache_write_5m: billed * Math.max(0, written - long),
    cache_write_long: billed * long,
    output: billed * Number(field('output_tokens')),
  }
}

type Read = Readonly<{
  payer: Payer
  what: What
  ended: Ended
  keys: readonly string[]
  values: readonly string[]
}>

const circleOf = ({ payer, what, keys, values }: Read): Past['circle'] => {
  const [session, customer, user] = [keys[keyAt.session], values[fieldAt.customer], values[fieldAt.user]]
  const circle: Mutable<Past['circle']> = { ...payer.circle, endpoint: what.endpoint }
  if (what.wire !== '') circle.wire = what.wire
  if (session) circle.session = session
  if (customer) circle.customer = customer
  if (user) circle.user = user
  return circle
}

const fingerprintsOf = (keys: Read['keys']): Past['fingerprints'] => {
  const fingerprints: Mutable<Past['fingerprints']> = {}
  const [exact, template] = [keys[keyAt.fingerprint_exact], keys[keyAt.fingerprint_template]]
  const conversation = keys[keyAt.fingerprint_conversation]
  if (exact) fingerprints.exact = exact
  if (template) fingerprints.template = template
  if (conversation) fingerprints.conversation = conversation
  return fingerprints
}

const pastOf = (read: Read): Past => {
  const { payer, what, ended, keys, values } = read
  const field = (name: keyof typeof fieldAt): string => values[fieldAt[name]] ?? ''
  const at_us = Number(field('started_at_us'))
  const answered = ended.outcome === 'cached'
  const usage = usageOf(field, ended.price_state, answered)
  const [first_token, most] = [Number(field('first_token_at_us')), Number(field('max_output_asked'))]
  const temperature = field('temperature')
  const past: Mutable<Past> = {
    receipt_id: field('receipt_id'),
    at_us,
    ended_at_us: Number(field('ended_at_us')),
    circle: circleOf(read),
    tenant: payer.tenant,
    account: payer.account,
    provider: what.provider,
    model: what.model,
    stream: what.stream,
    outcome: ended.outcome,
    fingerprints: fingerprintsOf(keys),
    chain: chainOf(keys[keyAt.prefix_hashes] ?? '', keys[keyAt.prefix_tokens] ?? ''),
    usage,
    tools_tokens: Number(field('tools_tokens')),
    system_tokens: Number(field('system_tokens')),
    traces: tracesOf(field('levers')),
    answered,
    rates: what.rates_of(at_us, contextOf({ usage })) ?? unpriced,
  }
  if (first_token > 0) past.first_token_at_us = first_token
  if (most > 0) past.max_output_tokens = most
  if (ended.finish_reason !== '') past.finish_reason = ended.finish_reason
  if (temperature !== '') past.temperature = Number(temperature)
  return past
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
  let unattached = 0
  const learn = ({ repeated }: Answers['history']): void => {
    for (const { stands, others, cost_usd } of repeated) {
      for (const id of others) left_out.add(id)
      if (stands === null) unattached += Number(parseUsd(cost_usd))
      else costs.set(stands, Number(parseUsd(cost_usd)))
    }
  }
  const tripOf = (line: string): Trip | undefined => {
    const [payer_text = '', what_text = '', ended_text = '', keys = '', fields = ''] = line.split(historyMarks.part)
    const values = fields.split(historyMarks.value)
    const receipt_id = values[fieldAt.receipt_id] ?? ''
    if (left_out.size > 0 && left_out.has(receipt_id)) return undefined
    const [what, ended] = [whatIn(what_text), endedIn(ended_text)]
    const past = pastOf({
      payer: payerIn(payer_text),
      what,
      ended,
      keys: apart(keys).split(historyMarks.value),
      values,
    })
    const own = costIn(values[fieldAt.cost_usd] ?? '', ended.price_state)
    const cost = costs.get(receipt_id) ?? own.cost
    return {
      past,
      cost,
      other: past.answered ? cost : cost - costOf(past, past.rates),
      known: own.known,
      service: what.service,
      rates_of: what.rates_of,
      cluster: clusterOf(past),
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
