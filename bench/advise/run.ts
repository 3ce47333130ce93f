/**
 * Replays receipts through every exact lever of the catalogue and prints what it takes: `node bench/advise/run.ts [receipts]`.
 * The ledger is filled by one process and read by another, so that the memory is the replay's.
 */
import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { open } from '../../src/ledgers/duckdb.ts'
import { fill } from './traffic.ts'

const RECEIPTS = Number(process.argv[2] ?? 1_000_000)
const DAYS = 30
const FROM_US = Date.UTC(2026, 9, 1) * 1000

const folder = process.env['WEIR_BENCH_FOLDER'] ?? mkdtempSync(join(tmpdir(), 'weir-advise-'))
const path = join(folder, 'ledger.duckdb')
console.log(`${RECEIPTS.toLocaleString('en-US')} receipts over ${DAYS} days; ${cpus().length} × ${cpus()[0]?.model}`)

const ledger = await open({ path })
if ((await ledger.query({ ask: 'extent' })).receipts === 0) await fill(ledger, folder, RECEIPTS, FROM_US, DAYS)
await ledger.close()

const words = [join(import.meta.dirname, 'replay.ts'), path, String(RECEIPTS), String(FROM_US), String(DAYS)]
const { status, stdout } = spawnSync(process.execPath, words, {
  stdio: ['ignore', 'pipe', 'inherit'],
  encoding: 'utf8',
})
type Figure = Readonly<{ name: string; value: number; unit: string; limit?: string }>
const figures = JSON.parse(stdout) as readonly Figure[]
for (const { name, value, unit, limit = '' } of figures) {
  const shown = value.toLocaleString('en-US', { maximumFractionDigits: 2 })
  console.log(`${name.padEnd(52)} ${shown.padStart(14)} ${unit.padEnd(14)} ${limit}`)
}
const results = join(import.meta.dirname, '..', 'results')
mkdirSync(results, { recursive: true })
writeFileSync(join(results, 'advise.json'), `${JSON.stringify({ receipts: RECEIPTS, figures }, null, 2)}\n`)
if (process.env['WEIR_BENCH_FOLDER'] === undefined) rmSync(folder, { recursive: true })
process.exitCode = status ?? 1
