import { once } from 'node:events'
import { createServer } from 'node:net'
import type { Containment } from '../core/alert.ts'
import type { TokenRatio } from '../core/ledger.ts'
import type { KeyRecord } from '../core/store.ts'
import type { BudgetsInForce } from './budgets/active.ts'
import type { ListenAt } from './listener.ts'
import { mergeCounts, totalGauges } from './metrics.ts'
import type { GatewayThread } from './thread.ts'
import type { Renewal } from './thread-data.ts'

/** What the threads were told last, for one that is started again. */
export type Told = {
  keys: readonly KeyRecord[]
  ratios: readonly TokenRatio[]
  containments: readonly Containment[]
  budgets: BudgetsInForce
  /** Undefined as long as all is as it was at the start. */
  renewal: Renewal | undefined
}

/** All gateway threads as one: what it is told, each is told; what it is asked, is asked of each. */
export type Crew = Omit<GatewayThread, 'listen'> &
  Readonly<{
    told: Readonly<Told>
    /** Takes its threads. Until then there are none. */
    take(threads: readonly GatewayThread[]): void
    /** All on one port; where the system cannot share a port only the first, and the others are closed. Resolves to the port. */
    listen(at: Address): Promise<number>
    size(): number
  }>

type Address = Pick<ListenAt, 'host' | 'port'>

/** Tells a thread what the others know by now. */
export const brief = async (thread: GatewayThread, told: Readonly<Told>): Promise<void> => {
  if (told.renewal) await thread.renew(told.renewal)
  await thread.setKeys(told.keys)
  await thread.learn(told.ratios)
  await thread.contain(told.containments)
  await thread.setBudgets(told.budgets)
}

/** A port that threads share would be shared with a stranger who shares it, too: it must be free. Rejects where it is taken. */
const needFree = async (at: Address): Promise<void> => {
  const server = createServer()
  server.listen(at)
  await once(server, 'listening')
  server.close()
  await once(server, 'close')
}

const noSharing: ReadonlySet<unknown> = new Set(['ENOTSUP', 'EINVAL', 'ENOPROTOOPT'])

/** Lets threads listen on one port. Resolves to the port and to those that listen. */
const listenTogether = async (threads: readonly GatewayThread[], { host, port }: Address) => {
  const [first, ...others] = threads
  if (!first) return { port, listening: [] }
  const at = (reuse_port: boolean, taken = port): ListenAt => ({ host, port: taken, reuse_port })
  if (others.length === 0) return { port: await first.listen(at(false)), listening: threads }
  if (port !== 0) await needFree({ host, port })
  try {
    const taken = await first.listen(at(true))
    await Promise.all(others.map((thread) => thread.listen(at(true, taken))))
    return { port: taken, listening: threads }
  } catch (error) {
    if (!noSharing.has((error as NodeJS.ErrnoException).code)) throw error
    await Promise.all(others.map((thread) => thread.close()))
    return { port: await first.listen(at(false)), listening: [first] }
  }
}

/** Opens a crew without threads. */
export const openCrew = (): Crew => {
  const budgets = { generation: 0, budgets: [] }
  const told: Told = { keys: [], ratios: [], containments: [], budgets, renewal: undefined }
  let threads: readonly GatewayThread[] = []
  const each = <T>(act: (thread: GatewayThread) => Promise<T>): Promise<T[]> => Promise.all(threads.map(act))
  return {
    told,
    size: () => threads.length,
    take(first) {
      threads = first
    },
    async listen(at) {
      const { port, listening } = await listenTogether(threads, at)
      threads = listening
      return port
    },
    async setKeys(keys) {
      told.keys = keys
      await each((thread) => thread.setKeys(keys))
    },
    async learn(ratios) {
      told.ratios = ratios
      await each((thread) => thread.learn(ratios))
    },
    async contain(containments) {
      told.containments = containments
      await each((thread) => thread.contain(containments))
    },
    async renew(renewal) {
      const before = told.renewal
      // At once: a thread may be started again meanwhile.
      told.renewal = renewal
      try {
        await each((thread) => thread.renew(renewal))
      } catch (error) {
        told.renewal = before
        throw error
      }
    },
    async setBudgets(budgets) {
      told.budgets = budgets
      return (await each((thread) => thread.setBudgets(budgets))).flat()
    },
    async snapshot() {
      const snapshots = await each((thread) => thread.snapshot())
      const counts = mergeCounts(snapshots.map((snapshot) => snapshot.counts))
      return { counts, gauges: totalGauges(snapshots.map(({ gauges }) => gauges)) }
    },
    async rotate() {
      await each((thread) => thread.rotate())
    },
    async close() {
      await each((thread) => thread.close())
    },
  }
}
