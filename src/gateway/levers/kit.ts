import type { Answers, Kit, Lever, LeverMode, Memory } from '../../core/lever.ts'
import type { TokenRates } from '../../core/past.ts'
import type { PriceBook } from '../../core/price.ts'
import { cacheRule } from '../../playbook/cache/rules.ts'
import { ratesOf } from '../../playbook/price/rates.ts'
import { digest } from '../prompt.ts'
import type { Tokens } from '../tokens.ts'

/** What one lever remembers in one thread, at most. */
const MOST_MEMORIES = 20_000
const MOST_RATES = 2_000
const MINUTE_US = 60_000_000

/**
 * Bounded memory. When half of it is new, what was not used since the half before goes: no entry is moved at each use, which a
 * map pays for dearly.
 */
export const openMemory = (most = MOST_MEMORIES): Memory => {
  let young = new Map<string, unknown>()
  let old = new Map<string, unknown>()
  const put = (name: string, value: unknown): void => {
    young.set(name, value)
    if (young.size * 2 < most) return
    old = young
    young = new Map()
  }
  return {
    get<T>(partition: string, key: string) {
      const name = `${partition}\u0000${key}`
      const value = young.get(name)
      if (value !== undefined) return value as T
      const kept = old.get(name)
      if (kept !== undefined) put(name, kept)
      return kept as T | undefined
    },
    set(partition, key, value) {
      const name = `${partition}\u0000${key}`
      if (value !== undefined) return put(name, value)
      young.delete(name)
      old.delete(name)
    },
  }
}

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
}>

/** Rates by provider and model, looked up again every minute: prices change at dates and by the hour. */
const rateMemory = ({ book, price_as }: KitParts): Kit['rates'] => {
  const known = new Map<string, { minute: number; rates: TokenRates | undefined }>()
  return (provider, model, at_us) => {
    const name = `${provider}\u0000${model}`
    const minute = Math.floor(at_us / MINUTE_US)
    const found = known.get(name)
    if (found?.minute === minute) return found.rates
    const rates = ratesOf({ provider: price_as(provider), model, at_us }, book)
    if (known.size >= MOST_RATES) known.clear()
    known.set(name, { minute, rates })
    return rates
  }
}

/** Who only observes makes nobody wait and leads nobody. */
const observing = (answers: Answers): Answers => ({ ...answers, join: () => undefined, done: () => {} })

/** Makes the kit of each lever: all share the doors, each has a memory of its own. */
export const openKits = (parts: KitParts): ((lever: Lever, mode: LeverMode) => Kit) => {
  const { now_us, random, tokens, answers, doors, since, price_as } = parts
  const kits = new Map<Lever, Readonly<Record<Exclude<LeverMode, 'off'>, Kit>>>()
  const shared = {
    now_us,
    random,
    hash: digest,
    tokens: (text: string, provider: string, model: string) =>
      Math.ceil(text.length / tokens.ratios.of(price_as(provider), model).bytes_per_token),
    rates: rateMemory(parts),
    cache_rule: (provider: string, model: string, at_us: number) => cacheRule(price_as(provider), model, at_us),
    ...(answers ? { answers } : {}),
    ...doors,
  }
  return (lever, mode) => {
    const known = kits.get(lever)
    if (known) return known[mode === 'observe' ? 'observe' : 'on']
    const memory = openMemory()
    const watching = answers ? { answers: observing(answers) } : {}
    const on_since_us = since?.[lever.name]
    const on: Kit = { ...shared, memory, mode: 'on', ...(on_since_us === undefined ? {} : { on_since_us }) }
    const observe: Kit = { ...shared, ...watching, memory, mode: 'observe' }
    kits.set(lever, { on, observe })
    return mode === 'observe' ? observe : on
  }
}
