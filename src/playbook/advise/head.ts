/** The packs of a line of the ledger's history: who paid, what was called, how it ended. Few lines differ in them. */
import { packs } from '../../core/columns.ts'
import { historyMarks, type historyPacks } from '../../core/history.ts'
import type { Past } from '../../core/past.ts'
import type { Receipt } from '../../core/receipt.ts'
import type { ServiceTier } from '../../core/usage.ts'
import type { RateSheet, RatesOf, Service } from './rates.ts'

/** The place of each name. */
export const placesOf = <Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> =>
  Object.fromEntries(names.map((name, at) => [name, at])) as Record<Name, number>

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

/** Works out once what a text says; texts are numbered as they come. */
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
export const apart = (text: string): string => (text === '' ? '' : (JSON.parse(JSON.stringify(text)) as string))

/** What the packs of a line say. There are few between all lines, so that each is read once. */
export type Head = Readonly<{ kind: number; payer: Payer; what: What; ended: Ended }>

/** Reads the packs of a line, each text once. */
export const headReader = (sheet: RateSheet): ((text: string) => Head) => {
  const [payerIn, whatIn, endedIn] = [once(payerOf), once((text) => whatOf(text, sheet)), once(endedOf)]
  const kindIn = once((_, number) => number)
  return once((text) => {
    const [payer = '', what = '', ended = ''] = text.split(historyMarks.part)
    return {
      kind: kindIn(`${payer}${historyMarks.part}${what}`),
      payer: payerIn(payer),
      what: whatIn(what),
      ended: endedIn(ended),
    }
  })
}
