import { join } from 'node:path'
import type { Ledger } from '../core/ledger.ts'
import type { Settings } from '../core/settings.ts'
import type { Desk } from './budgets/desk.ts'
import { type Collector, startCollector } from './collect.ts'
import { type Control, startControl } from './control.ts'
import type { Log } from './log.ts'
import type { GatewayThread } from './thread.ts'

export type BookkeepingOptions = Readonly<{
  settings: Settings
  threads: readonly GatewayThread[]
  log: Log
  url: string
  desk: Desk
}>

/** The main thread's work: journal segments go to the ledger, commands are answered, token ratios are learnt. */
export type Bookkeeping = Readonly<{
  notice(): void
  lag: Collector['lag']
  /** Does the ledger hold a receipt that billed this response? Rejects when receipts are stuck in the journal. */
  billedBefore(provider: string, response_id: string): Promise<boolean>
  /** Takes what the journals still hold, then closes the ledger. Call it when the threads have closed theirs. */
  close(): Promise<void>
}>

const LEARN_EVERY_MS = 600_000

const collectorLog = (log: Log) => {
  const tell = (fields: Readonly<Record<string, unknown>>, message: string): void =>
    log.event(message, Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])))
  return { info: tell, warn: tell, error: tell }
}

const learn = async (ledger: Ledger, threads: readonly GatewayThread[]): Promise<void> => {
  const { ratios } = await ledger.query({ ask: 'ratios' })
  await Promise.all(threads.map((thread) => thread.learn(ratios)))
}

/** Opens the ledger (its engine is loaded only now, after the gateway listens) and starts collecting. */
export const startBookkeeping = async (options: BookkeepingOptions): Promise<Bookkeeping> => {
  const { settings, threads, log, url, desk } = options
  const { ledgers } = await import('../ledgers/index.ts')
  const ledger = await ledgers.duckdb({ path: join(settings.data, 'ledger.duckdb') })
  const collector = startCollector({ folder: join(settings.data, 'journal'), ledger, log: collectorLog(log) })
  const refresh = async (): Promise<void> => {
    await Promise.all(threads.map((thread) => thread.rotate()))
    await collector.collect()
  }
  const control: Control = await startControl({
    data: settings.data,
    ledger,
    refresh,
    budgets: desk.states,
    importing: desk.importing,
    status: () => ({ url, mode: settings.mode, lag: collector.lag() }),
  })
  const learnNow = (): void => {
    learn(ledger, threads).catch(() => log.event('token ratios could not be learnt from the ledger'))
  }
  await desk.begin(threads, { ledger, refresh })
  learnNow()
  const timer = setInterval(learnNow, LEARN_EVERY_MS)
  timer.unref()
  return {
    notice: collector.notice,
    lag: collector.lag,
    async billedBefore(provider, response_id) {
      await collector.collect()
      if (collector.lag().failed) throw new Error('the ledger does not have every receipt')
      const { receipts } = await ledger.query({ ask: 'call', id: response_id })
      return receipts.some(
        (receipt) =>
          receipt.provider === provider &&
          receipt.provider_response_id === response_id &&
          receipt.usage_source !== 'none',
      )
    },
    async close() {
      clearInterval(timer)
      await control.close()
      await collector.stop()
      await ledger.close()
    },
  }
}
