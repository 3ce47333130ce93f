/** A whole house on loopback: the simulator plays the providers, a gateway stands before it, in this process. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Simulator, type SimulatorOptions, startSimulator } from '../../simulator/start.ts'
import { defaultSettings } from '../../src/config.ts'
import { decodeLine } from '../../src/core/journal-line.ts'
import type { ProviderSettings } from '../../src/core/provider.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import type { Settings } from '../../src/core/settings.ts'
import { type Overrides, type Running, startGateway } from '../../src/gateway/start.ts'
import { providers } from '../../src/providers/index.ts'
import { prices } from './prices.ts'

export type HouseOptions = Readonly<{
  simulator?: SimulatorOptions
  settings?: Partial<Settings>
  /** Fields of single providers, by name: credentials, base URL, options. */
  providers?: Readonly<Record<string, Partial<ProviderSettings>>>
  overrides?: Overrides
}>

export type House = Readonly<{
  simulator: Simulator
  gateway: Running
  /** What the log has said. */
  log: readonly string[]
  /** Every receipt in the journal or, where the ledger collects, by way of it; waits until as many are there as attempts were made. */
  receipts(): Promise<readonly Receipt[]>
  /** Every line of the journal as text. */
  journal(): readonly string[]
  close(): Promise<void>
}>

/** Every built-in provider, with its address in the simulator. */
const providersAt = (simulator: Simulator, changes: HouseOptions['providers'] = {}): ProviderSettings[] => {
  const names = [...new Set([...Object.keys(providers), ...Object.keys(changes)])]
  return names.map((name): ProviderSettings => {
    const adapter = changes[name]?.adapter ?? name
    const played = simulator.base_urls as Readonly<Record<string, string>>
    const base_url = played[adapter] ?? played['compatible']
    return {
      name,
      adapter,
      ...(base_url === undefined ? {} : { base_url }),
      options: {},
      credentials: {},
      ...changes[name],
    }
  })
}

const readJournal = (data: string): string[] => {
  const folder = join(data, 'journal')
  return readdirSync(folder)
    .filter((name) => name.includes('.ndjson'))
    .flatMap((name) => readFileSync(join(folder, name), 'utf8').split('\n'))
    .filter((line) => line !== '')
}

const receiptsIn = (lines: readonly string[]): Receipt[] => {
  const parsed = lines.map((line) => decodeLine(line))
  return parsed.filter(({ k }) => k === 'receipt').map(({ r }) => r)
}

/** Attempts that were opened and have no receipt yet. */
const owed = (lines: readonly string[]): number => {
  const parsed = lines.map((line) => decodeLine(line))
  const closed = new Set(parsed.filter(({ k }) => k === 'receipt').map(({ r }) => r.receipt_id))
  return parsed.filter(({ k, r }) => k === 'open' && !closed.has(r.receipt_id)).length
}

const settled = async (data: string): Promise<string[]> => {
  for (let tries = 0; tries < 200; tries++) {
    const lines = readJournal(data)
    if (owed(lines) === 0) return lines
    await new Promise((resolve) => setTimeout(resolve, 25))
  }
  throw new Error('attempts are open in the journal and get no receipt')
}

/** Starts simulator and gateway. The ledger is off unless `overrides.ledger` is true: receipts are read from the journal. */
export const startHouse = async (options: HouseOptions = {}): Promise<House> => {
  const simulator = await startSimulator({ allow_header_faults: true, ...options.simulator })
  const data = mkdtempSync(join(tmpdir(), 'weir-house-'))
  const log: string[] = []
  const settings: Settings = {
    ...defaultSettings,
    port: 0,
    threads: 0,
    data,
    log_level: 'debug',
    providers: providersAt(simulator, options.providers),
    ...options.settings,
  }
  const gateway = await startGateway(settings, {
    log_stream: { write: (line: string) => void log.push(line) },
    prices: { ...prices, rows: [...settings.prices, ...prices.rows] },
    ledger: false,
    ...options.overrides,
  })
  return {
    simulator,
    gateway,
    log,
    receipts: async () => receiptsIn(await settled(settings.data)),
    journal: () => readJournal(settings.data),
    async close() {
      await gateway.close()
      await simulator.close()
      rmSync(data, { recursive: true, force: true })
    },
  }
}
