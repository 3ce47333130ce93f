import { MINUTE_US } from '../../core/date.ts'
import type { Answers, Kit, Lever, LeverMode, LiveCall, Memory, Notes } from '../../core/lever.ts'
import type { TokenRates } from '../../core/past.ts'
import type { PriceBook } from '../../core/price.ts'
import { openHalves } from '../../core/recent.ts'
import type { Wire } from '../../core/wire.ts'
import { cacheRule } from '../../playbook/cache/rules.ts'
import { ratesOf } from '../../playbook/price/rates.ts'
import { wires } from '../../wires/index.ts'
import { digest } from '../prompt.ts'
import type { Tokens } from '../tokens.ts'

/** What one lever remembers in one thread, at most. */
const MOST_MEMORIES = 20_000
const MOST_RATES = 2_000

/** What a lever remembers, by partition. The two names are not joined: a text that was just put together is dear to look up. */
export const openMemory = (most = MOST_MEMORIES): Memory => {
  const halves = openHalves(most, () => new Map<string, Map<string, unknown>>())
  const put = (partition: string, key: string, value: unknown): void => {
    const young = halves.young()
    const own = young.get(partition) ?? new Map<string, unknown>()
    const { size } = own
    if (size === 0) young.set(partition, own)
    own.set(key, value)
    halves.grew(own.size - size)
  }
  return {
    get: <T>(partition: string, key: string) => {
      const value = halves.young().get(partition)?.get(key)
      if (value !== undefined) return value as T
      const kept = halves.old().get(partition)?.get(key)
      if (kept !== undefined) put(partition, key, kept)
      return kept as T | undefined
    },
    set(partition, key, value) {
      if (value !== undefined) return put(partition, key, value)
      if (halves.young().get(partition)?.delete(key)) halves.grew(-1)
      halves.old().get(partition)?.delete(key)
    },
  }
}

/** Does a wire of the catalogue know both forms of its answers? */
export const converts = (wire: string | undefined): boolean =>
  (wires as Readonly<Record<string, Wire>>)[wire ?? '']?.forms !== undefined

export type KitParts = Readonly<{
  now_us: () => number
  random: () => number
  book: PriceBook
  tokens: Tokens
  answers?: Answers
  /** Further doors, where they are configured. */
  doors?: Pick<Kit, 'notes' | 'embedder' | 'compress' | 'ask'>
  /** When each lever was turned on or set otherwise, µs (`since.ts`). */
  since?: Readonly<Record<string, number>>
  /** The name under which a provider's prices are looked up. */
  price_as: (provider: string) => string
  /** What a lever has in memory already; nothing where absent. */
  memoryOf?: (lever: Lever) => Memory
}>

/** Rates by provider and model, looked up again every minute: prices change at dates and by the hour. */
const rateMemory = ({ book, price_as }: KitParts): Kit['rates'] => {
  const known = new Map<string, Map<string, { minute: number; rates: TokenRates | undefined }>>()
  let count = 0
  return (provider, model, at_us) => {
    const minute = Math.floor(at_us / MINUTE_US)
    const found = known.get(provider)?.get(model)
    if (found?.minute === minute) return found.rates
    const rates = ratesOf({ provider: price_as(provider), model, at_us, served: { context_tokens: 0 } }, book)
    if (++count > MOST_RATES) {
      known.clear()
      count = 1
    }
    const models = known.get(provider) ?? new Map()
    known.set(provider, models.set(model, { minute, rates }))
    return rates
  }
}

/** Who only observes makes nobody wait and leads nobody. */
const observing = (answers: Answers): Answers => ({ ...answers, join: () => undefined, done: () => {} })

/** A lever's own view of the notes: `trouble` is what went wrong in its use since that was last asked, for one receipt to say. */
const ownNotes = (notes: Notes): Notes => {
  let trouble: string | undefined
  const used = <T>(result: T): T => {
    trouble = notes.trouble() ?? trouble
    return result
  }
  return {
    trouble() {
      const told = trouble
      trouble = undefined
      return told
    },
    add: (partition, note, most) => used(notes.add(partition, note, most)),
    after: (partition, position) => used(notes.after(partition, position)),
  }
}

/** Makes the kit of each lever: all share the doors, each has a memory of its own. */
export const openKits = (parts: KitParts): ((lever: Lever, mode: LeverMode) => Kit) => {
  const { now_us, random, tokens, answers, doors, since, price_as, memoryOf = () => openMemory() } = parts
  const kits = new Map<Lever, Readonly<Record<Exclude<LeverMode, 'off'>, Kit>>>()
  const shared = {
    now_us,
    random,
    hash: digest,
    tokens: (text: string, provider: string, model: string) =>
      Math.ceil(text.length / tokens.ratios.of(price_as(provider), model).bytes_per_token),
    rates: rateMemory(parts),
    converts,
    cache_rule: (provider: string, model: string, at_us: number) => cacheRule(price_as(provider), model, at_us),
    ...(answers ? { answers } : {}),
    ...doors,
  }
  return (lever, mode) => {
    const known = kits.get(lever)
    if (known) return known[mode === 'observe' ? 'observe' : 'on']
    const own = {
      memory: memoryOf(lever),
      passed: new WeakSet<LiveCall>(),
      ...(doors?.notes ? { notes: ownNotes(doors.notes) } : {}),
    }
    const watching = answers ? { answers: observing(answers) } : {}
    const on_since_us = since?.[lever.name]
    const on: Kit = { ...shared, ...own, mode: 'on', ...(on_since_us === undefined ? {} : { on_since_us }) }
    const observe: Kit = { ...shared, ...watching, ...own, mode: 'observe' }
    kits.set(lever, { on, observe })
    return mode === 'observe' ? observe : on
  }
}
