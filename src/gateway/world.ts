import type { Dispatcher } from 'undici'
import type { PriceBook } from '../core/price.ts'
import type { Provider, ProviderSettings } from '../core/provider.ts'
import type { Settings } from '../core/settings.ts'
import type { Wire } from '../core/wire.ts'
import type { Keyring } from '../stores/keyring.ts'
import type { Breakers } from './breaker.ts'
import type { Budgets } from './budgets/budgets.ts'
import type { Errands } from './errand.ts'
import type { Journal } from './journal.ts'
import type { Levers } from './levers/pulling.ts'
import type { Log } from './log.ts'
import type { Metrics } from './metrics.ts'
import type { Once } from './once.ts'
import type { OwnKeys } from './own-key.ts'
import type { Restraint } from './restraint.ts'
import type { Tenants } from './tenant.ts'
import type { Tokens } from './tokens.ts'
import type { Turn } from './turn.ts'

/** A configured provider with the adapter that speaks to it. */
export type Upstream = Readonly<{
  name: string
  settings: ProviderSettings
  adapter: Provider
  /** The wires it speaks, in the adapter's order. */
  wires: readonly Wire[]
  /** True when we hold its key: then the client's own key headers never go through. */
  has_credentials: boolean
  /** The name under which prices are looked up. */
  price_as: string
}>

/** Gateway keys by token, as the control thread last told them. */
export type Keys = Pick<Keyring, 'identifyToken'>

/** What changes while the gateway runs. */
export type Load = {
  in_flight: number
  /** Set when the gateway stops: new calls are refused. */
  shutting_down: boolean
  /** Calls are taken, but no more should be sent here. */
  leaving: boolean
}

/** Everything a call may touch, handed in by one door (`start.ts`). Below it nothing reads a clock, chance or the environment. */
export type World = Readonly<{
  settings: Settings
  upstreams: ReadonlyMap<string, Upstream>
  book: PriceBook
  journal: Journal
  dispatcher: Dispatcher
  /** Whole microseconds since the epoch, UTC. */
  now_us: () => number
  /** A number in [0, 1). */
  random: () => number
  /** A new UUIDv7. */
  new_id: () => string
  keys: Keys
  log: Log
  metrics: Metrics
  breakers: Breakers
  own_keys: OwnKeys
  budgets: Budgets
  /** Marks a provider's response as billed; false when it was billed before. Shared by all gateway threads. */
  bill_once: Once
  /** Does the ledger hold a receipt that billed this response? Rejects when it cannot say. */
  billed_before: (provider: string, response_id: string) => Promise<boolean>
  tokens: Tokens
  restraint: Restraint
  tenants: Tenants
  /** Absent where no policy names a lever. */
  levers?: Levers
  /** Weir's own calls, for levers. */
  errands: Errands
  load: Load
  turn: Turn
}>
