/** From a line of the ledger's history to a call of the past. */
import { historyFacts, historyFields, historyMarks } from '../../core/history.ts'
import type { Answers } from '../../core/ledger.ts'
import { parseUsd } from '../../core/money.ts'
import type { Chain, Past, PastUsage, TokenRates } from '../../core/past.ts'
import type { LeverTrace, Receipt } from '../../core/receipt.ts'
import type { ServiceTier } from '../../core/usage.ts'
import type { RateSheet, RatesOf, Service } from './rates.ts'
import { contextOf, costOf, type Trip } from './trip.ts'

type Mutable<T> = { -readonly [Name in keyof T]: T[Name] }

const factAt = Object.fromEntries(historyFacts.map((name, at) => [name, at])) as Record<
  (typeof historyFacts)[number],
  number
>
const fieldAt = Object.fromEntries(historyFields.map((name, at) => [name, at])) as Record<
  (typeof historyFields)[number],
  number
>

/** What a combination of facts says, worked out once for all receipts that have it. */
type Facts = Readonly<{
  circle: Past['circle']
  tenant: string
  account: string
  provider: string
  model: string
  stream: boolean
  outcome: Receipt['outcome']
  finish_reason: string | undefined
  temperature: number | undefined
  price_state: string
  deferrable: boolean
  service: Service
  rates_of: RatesOf
}>

const given = <T extends Readonly<Record<string, unknown>>>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '' && value !== undefined)) as T

const factsOf = (text: string, sheet: RateSheet): Facts => {
  const values = text.split(historyMarks.value)
  const value = (name: keyof typeof factAt): string => values[factAt[name]] ?? ''
  const provider = value('provider')
  const model = value('model_served') || value('model_asked')
  const [key_id, tenant, temperature] = [value('key_id'), value('tenant') || value('key_id'), value('temperature')]
  const service: Service = given({
    tier: value('service_tier') as ServiceTier,
    speed: value('speed') as 'standard',
    region: value('region'),
    geo: value('geo'),
  })
  return {
    circle: given({
      key_id,
      team: value('team'),
      feature: value('feature'),
      environment: value('environment'),
      agent: value('agent'),
      wire: value('wire'),
      endpoint: value('endpoint'),
    }),
    tenant,
    // With a key of Weir's the provider's key is the gateway's own, and so is the provider's cache.
    account: key_id === '' ? tenant : '',
    provider,
    model,
    stream: value('stream') === 'true',
    outcome: value('outcome') as Receipt['outcome'],
    finish_reason: value('finish_reason') || undefined,
    temperature: temperature === '' ? undefined : Number(temperature),
    price_state: value('price_state'),
    deferrable: value('deferrable') === 'true',
    service,
    rates_of: sheet.of(provider, model, service),
  }
}

/** A text of its own: a slice keeps the whole line for as long as a lever keeps one hash of it. */
const apart = (text: string): string => (text === '' ? '' : (JSON.parse(JSON.stringify(text)) as string))

const nothing: Chain = { hashes: [], tokens: [] }
const unpriced: TokenRates = { fresh: 0, cache_read: 0, cache_write: {}, output: 0 }
const noTraces: readonly LeverTrace[] = []

const chainOf = (hashes: string, tokens: string): Chain =>
  hashes === '' ? nothing : { hashes: apart(hashes).split(','), tokens: tokens.split(',').map(Number) }

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

const pastOf = (values: readonly string[], facts: Facts): Past => {
  const field = (name: keyof typeof fieldAt): string => values[fieldAt[name]] ?? ''
  const [session, customer, user] = [apart(field('session')), field('customer'), field('user')]
  const circle: Mutable<Past['circle']> = { ...facts.circle }
  if (session !== '') circle.session = session
  if (customer !== '') circle.customer = customer
  if (user !== '') circle.user = user
  const fingerprints: Mutable<Past['fingerprints']> = {}
  const [exact, template] = [apart(field('fingerprint_exact')), apart(field('fingerprint_template'))]
  const conversation = apart(field('fingerprint_conversation'))
  if (exact !== '') fingerprints.exact = exact
  if (template !== '') fingerprints.template = template
  if (conversation !== '') fingerprints.conversation = conversation
  const at_us = Number(field('started_at_us'))
  const answered = facts.outcome === 'cached'
  const usage = usageOf(field, facts.price_state, answered)
  const [first_token, most] = [Number(field('first_token_at_us')), Number(field('max_output_asked'))]
  const past: Mutable<Past> = {
    receipt_id: field('receipt_id'),
    at_us,
    ended_at_us: Number(field('ended_at_us')),
    circle,
    tenant: facts.tenant,
    account: facts.account,
    provider: facts.provider,
    model: facts.model,
    stream: facts.stream,
    outcome: facts.outcome,
    fingerprints,
    chain: chainOf(field('prefix_hashes'), field('prefix_tokens')),
    usage,
    tools_tokens: Number(field('tools_tokens')),
    system_tokens: Number(field('system_tokens')),
    traces: tracesOf(field('levers')),
    answered,
    rates: facts.rates_of(at_us, contextOf({ usage })) ?? unpriced,
  }
  if (first_token > 0) past.first_token_at_us = first_token
  if (most > 0) past.max_output_tokens = most
  if (facts.finish_reason !== undefined) past.finish_reason = facts.finish_reason
  if (facts.temperature !== undefined) past.temperature = facts.temperature
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
  const known = new Map<string, Facts>()
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
  const factsIn = (text: string): Facts => {
    const found = known.get(text)
    if (found !== undefined) return found
    const facts = factsOf(text, sheet)
    known.set(text, facts)
    return facts
  }
  const tripOf = (line: string): Trip | undefined => {
    const cut = line.indexOf(historyMarks.part)
    const values = line.slice(cut + 1).split(historyMarks.value)
    const receipt_id = values[fieldAt.receipt_id] ?? ''
    if (left_out.size > 0 && left_out.has(receipt_id)) return undefined
    const facts = factsIn(line.slice(0, cut))
    const past = pastOf(values, facts)
    const own = costIn(values[fieldAt.cost_usd] ?? '', facts.price_state)
    const cost = costs.get(receipt_id) ?? own.cost
    const other = past.answered ? cost : cost - costOf(past, past.rates)
    return {
      past,
      cost,
      other,
      known: own.known,
      service: facts.service,
      rates_of: facts.rates_of,
      cluster: clusterOf(past),
      deferrable: facts.deferrable,
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
