import { setTimeout as sleep } from 'node:timers/promises'
import type { Containment } from '../core/alert.ts'
import type { TokenRatio } from '../core/ledger.ts'
import type { KeyRecord } from '../core/store.ts'
import type { BudgetsInForce } from './budgets/active.ts'
import { type ListenAt, openListener, urlOf } from './listener.ts'
import type { Counts, Gauges } from './metrics.ts'
import { openWorld } from './open-world.ts'
import type { Renewal, ThreadData, ThreadDoors } from './thread-data.ts'
import type { World } from './world.ts'

export type Snapshot = Readonly<{ counts: Counts; gauges: Gauges }>

/** A gateway thread, here or in a worker. Keys, containments and budgets it is told before it listens, and when they change. */
export type GatewayThread = Readonly<{
  listen(at: ListenAt): Promise<number>
  snapshot(): Promise<Snapshot>
  setKeys(keys: readonly KeyRecord[]): Promise<void>
  learn(ratios: readonly TokenRatio[]): Promise<void>
  contain(containments: readonly Containment[]): Promise<void>
  /** Calls that come from now on find this; those under way keep what they began with. Rejects, and all is as before, with `bad-config`. */
  renew(renewal: Renewal): Promise<void>
  /** Takes the budgets in force. Resolves to the receipt ids of the attempts that were open before. */
  setBudgets(inForce: BudgetsInForce): Promise<readonly string[]>
  /** Closes the journal's current segment, so that the ledger can have every receipt written so far. */
  rotate(): Promise<void>
  close(): Promise<void>
}>

/** How long a rotated segment may take to reach the platter before the ledger goes on without it. */
const ROTATE_MS = 1000

const gaugesOf = (world: World): Gauges => {
  const gauges: Record<string, number> = {
    weir_gateway_threads: 1,
    weir_calls_in_flight: world.load.in_flight,
    weir_journal_waiting_receipts: world.journal.waiting(),
    weir_journal_unhealthy_threads: world.journal.healthy() ? 0 : 1,
  }
  for (const [target, state] of world.breakers.states())
    gauges[`weir_circuit_open{target="${target.replace(/["\\\n]/g, '')}"}`] = state === 'closed' ? 0 : 1
  return gauges
}

/** Journal segments as they are closed, and a way to wait for the next one. */
const segmentNews = (tell: (name: string) => void) => {
  let waiting: (() => void)[] = []
  return {
    told(name: string): void {
      tell(name)
      for (const wake of waiting) wake()
      waiting = []
    },
    next: (): Promise<void> =>
      new Promise((resolve) => {
        waiting.push(resolve)
        setTimeout(resolve, ROTATE_MS).unref()
      }),
  }
}

/** Opens a gateway thread's world and server; it does not listen yet. Throws `bad-config` or `journal-unwritable`. */
export const openThread = (data: ThreadData, doors: ThreadDoors): GatewayThread => {
  const news = segmentNews(doors.onSegment)
  const { world, setKeys, renew } = openWorld(data, doors, news.told)
  const listener = openListener(world, doors.scrape)
  const { load, journal, metrics, tokens, errands } = world()
  let rotated = 0
  let listening = false
  return {
    async listen(at) {
      const port = await listener.listen(at)
      listening = true
      errands.listen(urlOf(at.host, port))
      return port
    },
    snapshot: async () => ({ counts: metrics.counts(), gauges: gaugesOf(world()) }),
    setKeys: async (keys) => setKeys(keys),
    renew: async (renewal) => renew(renewal),
    learn: async (learnt) => tokens.learn(learnt),
    contain: async (containments) => world().restraint.set(containments),
    async setBudgets(inForce) {
      world().budgets.set(inForce)
      return journal.openIds()
    },
    async rotate() {
      const written = metrics.counts().counters['weir_receipts_total'] ?? 0
      if (written === rotated) return
      rotated = written
      const closed = news.next()
      journal.rotate()
      await closed
    },
    async close() {
      const { shutdown_delay_ms, shutdown_ms } = world().settings.limits
      load.leaving = true
      if (listening) await sleep(shutdown_delay_ms)
      load.shutting_down = true
      await listener.drain(shutdown_ms)
      journal.close()
      await world().dispatcher.destroy()
      await tokens.close()
    },
  }
}
