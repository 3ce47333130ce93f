/**
 * What a call costs the gateway: CPU of the server process a call, for a further 10 KB of body and for a stream's chunk,
 * and the latency added at half load; beside a bare Node pass-through in the same run. Servers and load generator are
 * processes of their own; rounds are interleaved and the median counts. Run: `node bench/gateway/cpu.ts [calls a round]`.
 */
import { type ChildProcess, fork } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import type { Pool } from 'undici'
import { closedLoop, fixedRate, openPool, quantile, type Shot, shoot } from './load.ts'

type Server = Readonly<{ name: string; child: ChildProcess; port: number; pool: Pool }>
type Usage = Readonly<{ cpu: NodeJS.CpuUsage; rss: number }>

const ROUNDS = 5
const AT_ONCE = 8
const WARM_CALLS = Number(process.argv[3] ?? 20_000)
const calls = Number(process.argv[2] ?? 2000)

const told = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve) => child.once('message', resolve as () => void))

const dieWith = (name: string, child: ChildProcess): void => {
  child.once('exit', (code) => {
    if (code === 0) return
    console.error(`the ${name} process ended with ${code}`)
    process.exit(1)
  })
}

const start = async (name: string, origin = ''): Promise<Server> => {
  const child = fork(new URL('./server.ts', import.meta.url), [name, origin])
  dieWith(name, child)
  const { port } = await told<{ port: number }>(child)
  return { name, child, port, pool: openPool(port, 64) }
}

const usage = (server: Server): Promise<Usage> => {
  server.child.send('usage')
  return told<Usage>(server.child)
}

const chat = (bytes: number, stream: boolean): Shot => {
  const frame = JSON.stringify({
    model: 'gpt-4o-mini',
    stream,
    max_tokens: 100,
    messages: [
      { role: 'system', content: 'Answer briefly and kindly.' },
      { role: 'user', content: '' },
    ],
  })
  const words = 'The river rises when the weir is closed and falls when it opens again. '
  const text = words.repeat(Math.ceil(bytes / words.length)).slice(0, Math.max(0, bytes - frame.length))
  return { path: '/v1/chat/completions', body: Buffer.from(frame.replace('"content":""', `"content":"${text}"`)) }
}

const shots = { '1 KB': chat(1024, false), '11 KB': chat(11 * 1024, false), stream: chat(1040, true) }
type Kind = keyof typeof shots

/** CPU µs of the server a call. */
const measure = async (server: Server, shot: Shot, count: number): Promise<number> => {
  const before = await usage(server)
  await closedLoop(server.pool, shot, count, AT_ONCE)
  const after = await usage(server)
  return (after.cpu.user + after.cpu.system - before.cpu.user - before.cpu.system) / count
}

const median = (values: readonly number[]): number =>
  quantile(
    [...values].sort((a, b) => a - b),
    0.5,
  )

const cpuOf = async (servers: readonly Server[], kind: Kind): Promise<Map<string, number>> => {
  const count = kind === 'stream' ? Math.ceil(calls / 8) : calls
  const found = new Map<string, number[]>(servers.map(({ name }) => [name, []]))
  // Code that runs for the first thousands of times is not compiled well yet: a gateway runs for days.
  for (const server of servers)
    await closedLoop(server.pool, shots[kind], kind === 'stream' ? count : WARM_CALLS, AT_ONCE)
  for (let round = 0; round < ROUNDS; round++)
    for (const server of servers) found.get(server.name)?.push(await measure(server, shots[kind], count))
  return new Map([...found].map(([name, values]) => [name, median(values)]))
}

/** Latency at half of the rate that Weir sustains. */
const latencies = async (servers: readonly Server[], direct: Server): Promise<Map<string, readonly number[]>> => {
  const weir = servers.find(({ name }) => name === 'weir') ?? direct
  const from = performance.now()
  await closedLoop(weir.pool, shots['1 KB'], calls, AT_ONCE)
  const rate = Math.floor(calls / ((performance.now() - from) / 1000) / 2)
  const all = new Map<string, readonly number[]>()
  for (const server of [direct, ...servers]) all.set(server.name, await fixedRate(server.pool, shots['1 KB'], rate, 3))
  return all
}

const simulator = await start('simulator')
const origin = `http://127.0.0.1:${simulator.port}`
const servers = [await start('bare', origin), await start('weir', origin)]
for (const shot of Object.values(shots)) await shoot(simulator.pool, shot)
const chunks = await shoot(simulator.pool, shots.stream)

const cpu = {
  '1 KB': await cpuOf(servers, '1 KB'),
  '11 KB': await cpuOf(servers, '11 KB'),
  stream: await cpuOf(servers, 'stream'),
}
const waits = await latencies(servers, simulator)
const direct = waits.get('simulator') ?? []

const rows = await Promise.all(
  servers.map(async (server) => {
    const { name } = server
    const of = (kind: Kind): number => cpu[kind].get(name) ?? Number.NaN
    const times = waits.get(name) ?? []
    return {
      server: name,
      cpu_us: Math.round(of('1 KB') * 10) / 10,
      ratio_to_bare: Math.round((of('1 KB') / (cpu['1 KB'].get('bare') ?? Number.NaN)) * 100) / 100,
      further_10kb_us: Math.round((of('11 KB') - of('1 KB')) * 10) / 10,
      chunk_us: Math.round(((of('stream') - of('1 KB')) / chunks) * 100) / 100,
      added_p50_ms: Math.round((quantile(times, 0.5) - quantile(direct, 0.5)) * 1000) / 1000,
      added_p99_ms: Math.round((quantile(times, 0.99) - quantile(direct, 0.99)) * 1000) / 1000,
      rss_mb: Math.round((await usage(server)).rss / 1e6),
    }
  }),
)
console.table(rows)
console.log(
  `${calls} calls a round, ${ROUNDS} rounds, ${AT_ONCE} at once; streams of ${chunks} chunks. Limits: 150 µs, 1.6 x bare, 40 µs, 8 µs, 0.3 ms, 2 ms.`,
)
mkdirSync(new URL('../results/', import.meta.url), { recursive: true })
writeFileSync(
  new URL('../results/gateway.json', import.meta.url),
  `${JSON.stringify({ calls, rounds: ROUNDS, chunks, rows }, null, 2)}\n`,
)
for (const { child, pool } of [simulator, ...servers]) {
  await pool.destroy()
  child.disconnect()
}
