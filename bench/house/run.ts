/**
 * The whole house as a user starts it (`weir serve` of the package, which is built first, with the embedded ledger): time until
 * it is ready, memory at rest, and memory over a million calls; the start of a checkout, whose TypeScript Node strips as it loads,
 * beside it. Run: `node bench/house/run.ts [calls]`.
 */
import { type ChildProcess, execFileSync, fork, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { openPool, quantile, shoot } from '../gateway/load.ts'

const root = fileURLToPath(new URL('../../', import.meta.url))
const calls = Number(process.argv[2] ?? 1_000_000)
const STARTS = 9
const PACKAGE = 'dist/src/main.js'
const CHECKOUT = 'src/main.ts'
const SAMPLES = 40
const AT_ONCE = 16

type Served = Readonly<{ child: ChildProcess; url: string; port: number; ready_ms: number }>

const isReady = (url: string): Promise<boolean> =>
  fetch(`${url}/readyz`).then(
    ({ ok }) => ok,
    () => false,
  )

type Start = Readonly<{ main: string; folder: string; port: number; base_url?: string }>

/** Starts `weir serve` on an empty data folder and times it from the spawn to the first ready answer. */
const serve = async ({ main, folder, port, base_url }: Start): Promise<Served> => {
  const file = join(folder, 'weir.yaml')
  writeFileSync(file, base_url === undefined ? '' : `providers:\n  openai: { base_url: "${base_url}" }\n`)
  const words = [main, 'serve', '--config', file, '--data', join(folder, 'data'), '--port', String(port)]
  const begun = performance.now()
  const child = spawn(process.execPath, [...words, '--log-level', 'error'], { cwd: root, stdio: 'ignore' })
  const url = `http://127.0.0.1:${port}`
  while (!(await isReady(url))) {
    if (child.exitCode !== null) throw new Error(`weir serve ended with ${child.exitCode}`)
    await sleep(2)
  }
  return { child, url, port, ready_ms: performance.now() - begun }
}

const stop = async ({ child }: Served): Promise<void> => {
  child.kill('SIGTERM')
  if (child.exitCode === null) await once(child, 'exit')
}

/** Resident memory of the whole process, MB. */
const rss = ({ child }: Served): number => {
  const status = readFileSync(`/proc/${child.pid}/status`, 'utf8')
  return Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1000)
}

const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  )
const inFolder = async <T>(work: (folder: string) => Promise<T>): Promise<T> => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'))
  try {
    return await work(folder)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const startTimes = async (main: string): Promise<number[]> => {
  const times: number[] = []
  for (let n = 0; n < STARTS; n += 1) {
    await inFolder(async (folder) => {
      const served = await serve({ main, folder, port: 14_200 + n })
      times.push(Math.round(served.ready_ms))
      await stop(served)
    })
  }
  return times.sort((a, b) => a - b)
}

const body = Buffer.from(
  JSON.stringify({
    model: 'gpt-4o-mini',
    max_tokens: 100,
    messages: [{ role: 'user', content: 'The river rises when the weir is closed. '.repeat(22) }],
  }),
)

const startSimulator = async (): Promise<{ child: ChildProcess; port: number }> => {
  const child = fork(new URL('../gateway/server.ts', import.meta.url), ['simulator'])
  const [{ port }] = (await once(child, 'message')) as [{ port: number }]
  return { child, port }
}

/** Sends the calls and samples memory beside; after the first fifth (caches, JIT, the ledger's buffers) it should be flat. */
const soak = () =>
  inFolder(async (folder) => {
    const simulator = await startSimulator()
    const base_url = `http://127.0.0.1:${simulator.port}/v1`
    const served = await serve({ main: PACKAGE, folder, port: 14_300, base_url })
    await sleep(5000)
    const at_rest = rss(served)
    const pool = openPool(served.port, AT_ONCE)
    const samples: number[] = []
    const begun = performance.now()
    for (let n = 0; n < SAMPLES; n += 1) {
      let left = calls / SAMPLES
      const lane = async () => {
        while (left-- > 0) await shoot({ pool, headers: [] }, { path: '/v1/chat/completions', body })
      }
      await Promise.all(Array.from({ length: AT_ONCE }, lane))
      samples.push(rss(served))
      process.stderr.write(`\r${(((n + 1) / SAMPLES) * 100).toFixed(0)} % · ${samples.at(-1)} MB `)
    }
    process.stderr.write('\n')
    const seconds = (performance.now() - begun) / 1000
    await pool.destroy()
    await stop(served)
    simulator.child.disconnect()
    const fifth = SAMPLES / 5
    const early = median(samples.slice(fifth, 2 * fifth))
    const late = median(samples.slice(-fifth))
    return { calls, calls_per_s: Math.round(calls / seconds), at_rest, early, late, growth: late - early, samples }
  })

execFileSync(process.execPath, ['bin/build.mjs'], { cwd: root, stdio: 'ignore' })
const starts = await startTimes(PACKAGE)
const checkout = await startTimes(CHECKOUT)
const memory = await soak()
console.table([
  { what: 'ready after, ms (median of 9)', figure: median(starts), limit: 1000 },
  { what: 'the same from a checkout, ms', figure: median(checkout) },
  { what: 'memory at rest, MB', figure: memory.at_rest, limit: 250 },
  { what: `memory after a fifth of ${calls} calls, MB`, figure: memory.early },
  { what: `memory at the end of ${calls} calls, MB`, figure: memory.late },
  { what: 'calls a second, load generator and simulator on the same cores', figure: memory.calls_per_s },
])
mkdirSync(new URL('../results/', import.meta.url), { recursive: true })
writeFileSync(
  new URL('../results/house.json', import.meta.url),
  `${JSON.stringify({ starts_ms: starts, checkout_ms: checkout, memory }, null, 2)}\n`,
)
