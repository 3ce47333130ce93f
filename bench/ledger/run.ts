/** Loads receipts through real journal segments, asks what users ask, and prints what it takes: `node bench/ledger/run.ts [receipts]`. */
import { execFileSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeLine } from '../../src/core/journal-line.ts'
import type { Ledger, Question, Segment } from '../../src/core/ledger.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { opened, traffic } from './traffic.ts'

const RECEIPTS = Number(process.argv[2] ?? 10_000_000)
const DAYS = 90
const FROM_US = Date.UTC(2026, 7, 1) * 1000
const DAY_US = 86_400_000_000
/** As the gateway closes them, and as many together as the collector takes. */
const SEGMENT_BYTES = 32 * 1024 * 1024
const TOGETHER = 16
const REPEATS = 5
const window = { from_us: FROM_US, to_us: FROM_US + DAYS * DAY_US }

type Figure = Readonly<{ name: string; value: number; unit: string; limit?: string }>
const figures: Figure[] = []
const tell = (figure: Figure): void => {
  figures.push(figure)
  const value = figure.value.toLocaleString('en-US', { maximumFractionDigits: 2 })
  console.log(`${figure.name.padEnd(58)} ${value.padStart(14)} ${figure.unit.padEnd(12)} ${figure.limit ?? ''}`)
}

/** Writes a closed segment as the gateway does, an open line before each receipt; resolves to how many receipts there are. */
const writeSegment = (path: string, source: Iterator<Receipt>) => {
  const fd = openSync(path, 'w')
  let lines = ''
  let receipts = 0
  let bytes = 0
  let open_bytes = 0
  const flush = (): void => {
    bytes += writeSync(fd, lines)
    lines = ''
  }
  while (bytes < SEGMENT_BYTES) {
    const { value, done } = source.next()
    if (done) break
    const line = encodeLine('open', opened(value))
    open_bytes += line.length
    lines += line + encodeLine('receipt', value)
    receipts += 1
    if (lines.length > 1 << 20) flush()
  }
  flush()
  closeSync(fd)
  return { receipts, bytes, open_bytes }
}

/** The next closed segments that a collector would find together. */
const writeSegments = (folder: string, source: Iterator<Receipt>, first: number) => {
  const all = { segments: [] as Segment[], receipts: 0, bytes: 0, open_bytes: 0 }
  while (all.segments.length < TOGETHER) {
    const name = `bench-1-${(first + all.segments.length).toString().padStart(8, '0')}.ndjson`
    const path = join(folder, name)
    const { receipts, bytes, open_bytes } = writeSegment(path, source)
    if (receipts === 0) break
    all.segments.push({ name, path })
    all.receipts += receipts
    all.bytes += bytes
    all.open_bytes += open_bytes
  }
  return all
}

/** Loads and measures the loading alone: wall time, CPU of all threads, size of the lines. */
const load = async (ledger: Ledger, folder: string) => {
  const source = traffic({ seed: 20_261_123, receipts: RECEIPTS, from_us: FROM_US, days: DAYS })
  const total = { receipts: 0, bytes: 0, open_bytes: 0, ms: 0, cpu_us: 0, segments: 0 }
  while (total.receipts < RECEIPTS) {
    const written = writeSegments(folder, source, total.segments + 1)
    total.segments += written.segments.length
    const started = performance.now()
    const cpu = process.cpuUsage()
    await ledger.appendAll?.(written.segments)
    const used = process.cpuUsage(cpu)
    total.ms += performance.now() - started
    total.cpu_us += used.user + used.system
    total.receipts += written.receipts
    total.bytes += written.bytes
    total.open_bytes += written.open_bytes
    for (const { path } of written.segments) unlinkSync(path)
    process.stderr.write(
      `\r${total.receipts.toLocaleString('en-US')} receipts, ${Math.round((1000 * total.receipts) / total.ms).toLocaleString('en-US')} a second `,
    )
  }
  process.stderr.write('\n')
  return total
}

const middleOf = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN

/** Medians: the time that a user waits, and the CPU of all threads, which a busy machine stretches less. */
const medians = async (ledger: Ledger, question: Question) => {
  const times: number[] = []
  const cpus_ms: number[] = []
  for (let repeat = 0; repeat < REPEATS; repeat += 1) {
    const started = performance.now()
    const cpu = process.cpuUsage()
    await ledger.query(question)
    const { user, system } = process.cpuUsage(cpu)
    times.push(performance.now() - started)
    cpus_ms.push((user + system) / 1000)
  }
  return { ms: middleOf(times), cpu_ms: middleOf(cpus_ms) }
}

const tellQuestion = async (ledger: Ledger, name: string, question: Question, limit?: string): Promise<void> => {
  const { ms, cpu_ms } = await medians(ledger, question)
  tell({ name, value: ms, unit: `ms (${Math.round(cpu_ms)} CPU)`, ...(limit ? { limit } : {}) })
}

/**
 * The first question that reads many days has them rolled up behind its back: the ledger looks which are worth it, and queues
 * them behind the append that came in meanwhile. The one after that comes when they are done.
 */
const rollUp = async (ledger: Ledger, folder: string) => {
  const started = performance.now()
  await ledger.query({ ask: 'spend', window, group_by: ['day', 'team'] })
  tell({ name: 'spend by day and team, the first time', value: performance.now() - started, unit: 'ms' })
  const path = join(folder, 'empty.ndjson')
  writeFileSync(path, '')
  for (const turn of [1, 2]) await ledger.append({ name: `empty-${started}-${turn}`, path })
  tell({ name: 'rolling the days up, once, behind the back', value: performance.now() - started, unit: 'ms' })
}

const ask = async (ledger: Ledger) => {
  const week = { from_us: window.to_us - 7 * DAY_US, to_us: window.to_us }
  const spend = (more: object) => ({ ask: 'spend', window, ...more }) as Question
  const questions: readonly (readonly [name: string, question: Question, limit?: string])[] = [
    ['spend by day and team, all', spend({ group_by: ['day', 'team'] }), '≤ 200 ms'],
    [
      'spend by team, with trend and comparison, last 7 days',
      spend({ window: week, group_by: ['team'], compare: true, slices: 7 }),
    ],
    [
      'spend by customer, top 20, with trend and comparison, last 7 days',
      spend({ window: week, group_by: ['customer'], compare: true, slices: 7, limit: 20 }),
    ],
    [
      'spend by day, team, feature and model, top 100, all',
      spend({ group_by: ['day', 'team', 'feature', 'model'], limit: 100 }),
    ],
    ['spend by day in Berlin, all', spend({ group_by: ['day'], zone: 'Europe/Berlin' })],
    ['spend by session, top 20, all', spend({ group_by: ['session'], limit: 20 })],
    ['50 newest calls', { ask: 'calls', window, limit: 50 }],
    ['50 dearest calls', { ask: 'calls', window, limit: 50, order: 'dearest' }],
    ['extent', { ask: 'extent' }],
    ['ratios', { ask: 'ratios' }],
  ]
  for (const [name, question, limit] of questions) await tellQuestion(ledger, name, question, limit)
  const { receipts } = await ledger.query({ ask: 'calls', window, limit: 1 })
  const id = receipts[0]?.receipt_id ?? ''
  await tellQuestion(ledger, 'one call by its id', { ask: 'call', id })
  const million = {
    from_us: window.to_us - (DAYS * DAY_US * Math.min(1_000_000, RECEIPTS)) / RECEIPTS,
    to_us: window.to_us,
  }
  const started = performance.now()
  await ledger.query({ ask: 'leaks', window: { ...million, from_us: Math.floor(million.from_us) } })
  tell({ name: 'leaks of 1 M receipts', value: performance.now() - started, unit: 'ms' })
}

const folder = process.env['WEIR_BENCH_FOLDER'] ?? mkdtempSync(join(tmpdir(), 'weir-bench-'))
const path = join(folder, 'ledger.duckdb')
console.log(`${RECEIPTS.toLocaleString('en-US')} receipts over ${DAYS} days; ${cpus().length} × ${cpus()[0]?.model}`)

const before = performance.now()
const ledger = await open({ path })
tell({ name: 'opening an empty ledger', value: performance.now() - before, unit: 'ms' })
if ((await ledger.query({ ask: 'extent' })).receipts === 0) {
  const loaded = await load(ledger, folder)
  tell({ name: 'length of an open line', value: loaded.open_bytes / loaded.receipts, unit: 'bytes' })
  tell({ name: 'length of a receipt', value: (loaded.bytes - loaded.open_bytes) / loaded.receipts, unit: 'bytes' })
  tell({ name: 'loading', value: (1000 * loaded.receipts) / loaded.ms, unit: 'receipts/s', limit: '≥ 300,000' })
  tell({ name: 'loading', value: loaded.bytes / loaded.ms / 1000, unit: 'MB/s' })
  tell({ name: 'loading, CPU', value: loaded.cpu_us / loaded.receipts, unit: 'µs/receipt' })
}
await rollUp(ledger, folder)
await ask(ledger)
await ledger.close()
const memory = execFileSync(
  process.execPath,
  [join(import.meta.dirname, 'rest.ts'), path, String(window.from_us), String(window.to_us)],
  { encoding: 'utf8' },
)
const { node_mb, opened_mb, asked_mb, rested_mb } = JSON.parse(memory) as Record<string, number>
tell({ name: 'memory of Node with the code of the ledger', value: node_mb ?? Number.NaN, unit: 'MB RSS' })
tell({ name: 'memory with the ledger open', value: opened_mb ?? Number.NaN, unit: 'MB RSS' })
tell({ name: 'memory after two reports over everything', value: asked_mb ?? Number.NaN, unit: 'MB RSS' })
tell({ name: 'memory at rest, four seconds later', value: rested_mb ?? Number.NaN, unit: 'MB RSS', limit: '≤ 250 MB' })
tell({ name: 'size on disk', value: statSync(path).size / RECEIPTS, unit: 'bytes/receipt' })

const results = join(import.meta.dirname, '..', 'results')
mkdirSync(results, { recursive: true })
writeFileSync(join(results, 'ledger.json'), `${JSON.stringify({ receipts: RECEIPTS, figures }, null, 2)}\n`)
if (process.env['WEIR_BENCH_FOLDER'] === undefined) rmSync(folder, { recursive: true })
