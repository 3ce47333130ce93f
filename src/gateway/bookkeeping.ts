import { join } from 'node:path'
import type { Ledger } from '../core/ledger.ts'
import type { Settings } from '../core/settings.ts'
import type { Desk } from './budgets/desk.ts'
import { type Collector, startCollector } from './collect.ts'
import type { Crew } from './crew.ts'
import type { Log } from './log.ts'

export type BookkeepingOptions = Readonly<{
  settings: Settings
  crew: Crew
  log: Log
  /** Takes a segment that the ledger has. */
  taken?: (path: string) => void
  desk: Desk
}>

/** The main thread's work: journal segments go to the ledger, token ratios are learnt. */
export type Bookkeeping = Readonly<{
  ledger: Ledger
  /** Brings every receipt written so far into the ledger. */
  refresh(): Promise<void>
  notice(): void
  lag: Collector['lag']
  /** Does the ledger hold a receipt that billed this response? Rejects when receipts are stuck in the journal. */
  billedBefore(provider: string, response_id: string): Promise<boolean>
  /** Takes what the journals still hold, then closes the ledger. Call it when the threads have closed theirs. */
  close(): Promise<void>
}>

const LEARN_EVERY_MS = 600_000

const collectorLog = (log: Log) => {
  const tell =
    (level: 'event' | 'trouble') =>
    (fields: Readonly<Record<string, unknown>>, message: string): void =>
      log[level](message, Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, String(value)])))
  return { info: tell('event'), warn: tell('trouble'), error: tell('trouble') }
}

const learn = async (ledger: Ledger, crew: Crew): Promise<void> => {
  const { ratios } = await ledger.query({ ask: 'ratios' })
  await crew.learn(ratios)
}

/** Opens the ledger (its engine is loaded only now, after the gateway listens) and starts collecting. */
export const startBookkeeping = async (options: BookkeepingOptions): Promise<Bookkeeping> => {
  const { settings, crew, log, desk, taken } = options
  const { ledgers } = await import('../ledgers/index.ts')
  const ledger = await ledgers.duckdb({ path: join(settings.data, 'ledger.duckdb') })
  const collector = startCollector({
    folder: join(settings.data, 'journal'),
    ledger,
    log: collectorLog(log),
    ...(taken ? { taken } : {}),
  })
  const refresh = async (): Promise<void> => {
    await crew.rotate()
    await collector.collect()
  }
  const learnNow = (): void => {
    learn(ledger, crew).catch(() => log.trouble('token ratios could not be learnt from the ledger'))
  }
  await desk.begin({ ledger, refresh })
  learnNow()
  const timer = setInterval(learnNow, LEARN_EVERY_MS)
  timer.unref()
  return {
    ledger,
    refresh,
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
      await collector.stop()
      await ledger.close()
    },
  }
}
