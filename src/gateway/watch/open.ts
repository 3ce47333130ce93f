import type { Containment } from '../../core/alert.ts'
import type { BudgetStates } from '../../core/budget.ts'
import type { Ledger } from '../../core/ledger.ts'
import type { Settings } from '../../core/settings.ts'
import { stores } from '../../stores/index.ts'
import type { Log } from '../log.ts'
import type { Prices } from '../prices.ts'
import type { GatewayThread } from '../thread.ts'
import { askWhenOpen, watchBudgets } from './budget-watch.ts'
import { openQueue } from './queue.ts'
import { startWatch, type Watch } from './watch.ts'

export type WatchingOptions = Readonly<{
  settings: Settings
  prices: Prices
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

/** The watch over receipts around the life of a gateway. */
export type Watching = Readonly<{
  /** What is contained as the gateway starts. */
  containments: readonly Containment[]
  /** Takes a segment that the ledger has. */
  taken(path: string): void
  begin(around: Around): Promise<void>
  /** Watches what is in the queue by now, and tells what it finds. */
  catchUp(): Promise<void>
  counts(): Promise<Readonly<Record<string, number>>>
  close(): Promise<void>
}>

/** Refused deliveries of the last days are tried again when the gateway starts: what was wrong with the channel may be set right. */
const RETRY_REFUSED_US = 3 * 86_400_000_000

/** Opens the store for the watch; it begins when the gateway listens. Undefined where weir.yaml says not to watch. */
export const openWatching = async (options: WatchingOptions): Promise<Watching | undefined> => {
  const { settings, now_us } = options
  const queue = openQueue(settings.data)
  if (!settings.alerts.watch) {
    queue.clear()
    return undefined
  }
  const store = await stores.sqlite({ data: settings.data })
  const containments = await store.alerts.containments.list(now_us())
  let watch: Watch | undefined
  return {
    containments,
    taken(path) {
      queue.take(path)
      watch?.notice()
    },
    async begin({ contain, ledger, budgets: states }) {
      const record = { store: store.alerts, settings, now_us }
      const budgets = states && watchBudgets({ ...record, states, ask: askWhenOpen(ledger) })
      await store.alerts.deliveries.retryRefused(now_us() - RETRY_REFUSED_US, now_us())
      watch = await startWatch({ ...options, store, queue, contain, ...(budgets ? { budgets } : {}) }, containments)
    },
    catchUp: async () => watch?.catchUp(),
    counts: async () => (await watch?.counts()) ?? {},
    async close() {
      await watch?.close()
      await store.close()
    },
  }
}
