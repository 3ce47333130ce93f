/**
 * What the watch over receipts costs the main thread: CPU a receipt, from the line in a segment to what the detectors say,
 * for calls of many sessions and for one request sent again and again. Copies of other versions of `src` may be named to be
 * measured in turn beside ours. See docs/anomalies.md.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { encodeLine } from '../../src/core/journal-line.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { traffic } from '../ledger/traffic.ts'

const RECEIPTS = 40_000
const SEGMENT = 1000
const ROUNDS = 3
const FROM_US = Date.UTC(2026, 10, 2) * 1000

const mixed = [...traffic({ seed: 7, receipts: RECEIPTS, from_us: FROM_US, days: 0.02 })]
/** As a load generator sends them: the same request, of one key, 1000 times a second. */
const repeated = mixed.map(({ receipt_id, call_id }, at): Receipt => {
  const started_at_us = FROM_US + at * 1000
  return { ...(mixed[0] as Receipt), receipt_id, call_id, started_at_us, ended_at_us: started_at_us + 900 }
})

const write = (folder: string, receipts: readonly Receipt[]): string => {
  mkdirSync(folder)
  for (let at = 0; at < receipts.length; at += SEGMENT) {
    const lines = receipts.slice(at, at + SEGMENT).map((one) => encodeLine('open', one) + encodeLine('receipt', one))
    writeFileSync(join(folder, String(at).padStart(8, '0')), lines.join(''))
  }
  return folder
}

type Figures = Readonly<{ receipts: number; read_us: number; watch_us: number; found: number }>

const measure = (source: string, folder: string): Figures => {
  const fold = fileURLToPath(new URL('fold.ts', import.meta.url))
  const { stdout, stderr, status } = spawnSync(process.execPath, [fold, source, folder], { encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return JSON.parse(stdout) as Figures
}

const total = ({ read_us, watch_us }: Figures): number => read_us + watch_us

const sources = [fileURLToPath(new URL('../../src', import.meta.url)), ...process.argv.slice(2)]
const folder = mkdtempSync(join(tmpdir(), 'weir-bench-watch-'))
try {
  for (const [name, receipts] of Object.entries({ mixed, repeated })) {
    const segments = write(join(folder, name), receipts)
    const rounds = Array.from({ length: ROUNDS }, () => sources.map((source) => measure(source, segments)))
    for (const [at, source] of sources.entries()) {
      const best = rounds
        .map((round) => round[at] as Figures)
        .reduce((one, other) => (total(other) < total(one) ? other : one))
      const each = (us: number) => (us / best.receipts).toFixed(1)
      const [read, watch, all] = [best.read_us, best.watch_us, total(best)].map(each)
      const which = sources.length > 1 ? `  ${source}` : ''
      console.log(
        `${name.padEnd(9)} read ${read} + watch ${watch} = ${all} µs of CPU a receipt; ${best.found} findings${which}`,
      )
    }
  }
} finally {
  rmSync(folder, { recursive: true })
}
