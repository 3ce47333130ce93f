import { rmSync } from 'node:fs'
import type { Containment } from '../../core/alert.ts'
import type { BudgetStates } from '../../core/budget.ts'
import { DAY_US } from '../../core/date.ts'
import type { Ledger } from '../../core/ledger.ts'
import type { Settings } from '../../core/settings.ts'
import type { Store } from '../../core/store.ts'
import { stores } from '../../stores/index.ts'
import type { Log } from '../log.ts'
import type { Prices } from '../prices.ts'
import type { GatewayThread } from '../thread.ts'
import { askWhenOpen, watchBudgets } from './budget-watch.ts'
import { openQueue } from './queue.ts'
import { startWatch, type Watch } from './watch.ts'

/** What it watches by: other when settings are read anew. */
export type WatchBy = Readonly<{ settings: Settings; prices: Prices }>

export type WatchingOptions = WatchBy &
  Readonly<{
    now_us: () => number
    random: () => number
    log: Log
  }>

/** What the watch needs once the gateway listens. */
export type Around = Readonly<{
  contain: GatewayThread['contain']
  ledger: () => Ledger | undefined
  budgets?: BudgetStates
}>

/** The watch over receipts around the life of a gateway. It does nothing where weir.yaml says not to watch. */
export type Watching = Readonly<{
  /** What is contained as the gateway starts. */
  containments: readonly Containment[]
  /** Takes a segment that the ledger has. */
  taken(path: string): void
  begin(around: Around): Promise<void>
  /** Goes on by others, with what it knows. */
  renew(by: WatchBy): Promise<void>
  /** Watches what is in the queue by now, and tells what it finds. */
  catchUp(): Promise<void>
  counts(): Promise<Readonly<Record<string, number>>>
  close(): Promise<void>
}>

/** Refused deliveries of the last days are tried again when the watch begins: what was wrong with the channel may be set right. */
const RETRY_REFUSED_US = 3 * DAY_US

/** Opens what the watch needs; it begins when the gateway listens. */
export const openWatching = async (options: WatchingOptions): Promise<Watching> => {
  const { now_us } = options
  const queue = openQueue(options.settings.data)
  let by: WatchBy = options
  let around: Around | undefined
  let store: Store | undefined
  let watch: Watch | undefined
  const isOn = (): boolean => by.settings.alerts.watch
  const storeNow = async (): Promise<Store> => {
    store ??= await stores.sqlite({ data: by.settings.data })
    return store
  }
  const contained = async () => (isOn() ? (await storeNow()).alerts.containments.list(now_us()) : [])
  const start = async ({ contain, ledger, budgets: states }: Around): Promise<void> => {
    const containments = await contained()
    await contain(containments)
    if (!isOn()) return queue.clear()
    const opened = await storeNow()
    const { alerts } = opened
    const record = { store: alerts, keys: opened.keys, settings: by.settings, now_us }
    const budgets = states && watchBudgets({ ...record, states, ask: askWhenOpen(ledger) })
    await alerts.deliveries.retryRefused(now_us() - RETRY_REFUSED_US, now_us())
    const known = { ...options, ...by, store: opened, queue, contain, ...(budgets ? { budgets } : {}) }
    watch = await startWatch(known, containments)
  }
  const containments = await contained()
  return {
    containments,
    taken(path) {
      if (!isOn()) return rmSync(path)
      queue.take(path)
      watch?.notice()
    },
    async begin(given) {
      around = given
      await start(given)
    },
    async renew(next) {
      await watch?.close()
      watch = undefined
      by = next
      if (around) await start(around)
    },
    catchUp: async () => watch?.catchUp(),
    counts: async () => (await watch?.counts()) ?? {},
    async close() {
      await watch?.close()
      await store?.close()
    },
  }
}
