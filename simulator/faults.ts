import { seeded } from './random.ts'

/** Ways in which a provider fails. */
const KINDS = [
  /** 429 with `retry_after_s`. */
  'rate-limit',
  /** `status`, 500 by default. */
  'server-error',
  /** 529 as Anthropic says it, 503 elsewhere. */
  'overloaded',
  /** Takes the request and never answers. */
  'stall',
  /** Waits `ms` before the head. */
  'slow-head',
  /** Destroys the socket after `after` chunks (half of them by default), or in the middle of a whole answer. */
  'cut',
  /** Destroys the socket before any byte of an answer. */
  'cut-before-head',
  /** Resets the connection (RST) before any byte of an answer. */
  'reset',
  /** The answer lacks its usage. It is charged all the same. */
  'no-usage',
  /** Broken JSON, with status 200. */
  'malformed',
  /** An error event after `after` chunks of a stream with status 200. */
  'stream-error',
  /** Waits `ms` before every chunk. */
  'slow-chunks',
  /** Reads the request slowly: waits `ms` after each piece of its body. */
  'slow-reader',
  /** Sends the answer in pieces of `bytes` bytes, wherever they fall. */
  'chop',
] as const

type FaultKind = (typeof KINDS)[number]

export type Fault = Readonly<{
  kind: FaultKind
  ms?: number
  after?: number
  status?: number
  retry_after_s?: number
  bytes?: number
}>

/** What a fault can be aimed at. */
export type Arrival = Readonly<{
  method: string
  path: string
  headers: Readonly<Record<string, string>>
  sequence: number
}>

type Predicate = (arrival: Arrival) => boolean

export type Faults = Readonly<{
  /** The next `count` calls fail so. Several of these queue up. */
  next(count: number, fault: Fault | FaultKind): void
  /** Every call that the predicate holds for, or every call. */
  always(fault: Fault | FaultKind, predicate?: Predicate): void
  /** A share of calls, chosen by the seed. */
  chance(probability: number, fault: Fault | FaultKind, predicate?: Predicate): void
  clear(): void
}>

const full = (fault: Fault | FaultKind): Fault => (typeof fault === 'string' ? { kind: fault } : fault)

const isKind = (kind: string): kind is FaultKind => (KINDS as readonly string[]).includes(kind)

const SETTINGS: readonly string[] = ['ms', 'after', 'status', 'retry_after_s', 'bytes'] satisfies (keyof Fault)[]

/** Reads `after=3`. Throws RangeError naming the settings there are. */
const settingOf = (setting: string): readonly [name: string, value: number] => {
  const [name = '', value = ''] = setting.split('=')
  const number = Number(value)
  if (SETTINGS.includes(name) && value !== '' && number >= 0) return [name, number]
  throw new RangeError(
    `${JSON.stringify(setting)} sets nothing; write ${SETTINGS.join(', ')}, each with = and a number`,
  )
}

/** Reads `cut;after=3`. Throws RangeError naming the kinds or the settings there are. */
export const parseFault = (text: string): Fault => {
  const [kind = '', ...settings] = text.split(';').map((part) => part.trim())
  if (!isKind(kind)) throw new RangeError(`no fault is called ${JSON.stringify(kind)}; there are ${KINDS.join(', ')}`)
  return { kind, ...Object.fromEntries(settings.map(settingOf)) }
}

type Rule = Readonly<{ fault: Fault; probability: number; predicate: Predicate }>

/** The script of faults: queued ones first, then rules in the order in which they were set. */
export const openFaults = (seed: number): Readonly<{ faults: Faults; choose(arrival: Arrival): Fault | undefined }> => {
  const queue: Fault[] = []
  const rules: Rule[] = []
  const addRule = (probability: number, fault: Fault | FaultKind, predicate: Predicate = () => true): void => {
    rules.push({ fault: full(fault), probability, predicate })
  }
  const faults: Faults = {
    next: (count, fault) => {
      for (let i = 0; i < count; i++) queue.push(full(fault))
    },
    always: (fault, predicate) => addRule(1, fault, predicate),
    chance: addRule,
    clear: () => {
      queue.length = 0
      rules.length = 0
    },
  }
  const choose = (arrival: Arrival): Fault | undefined =>
    queue.shift() ??
    rules.find(
      (rule, at) => rule.predicate(arrival) && seeded(seed, 'fault', at, arrival.sequence).chance(rule.probability),
    )?.fault
  return { faults, choose }
}
