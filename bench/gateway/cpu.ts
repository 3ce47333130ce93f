/**
 * What a call costs the gateway: CPU of the server process a call, for a further 10 KB of body and for an event of a
 * stream, and the latency added at a rate that every server sustains; beside a bare Node pass-through and Portkey in the
 * same run. Servers and load generator are processes of their own, and take turns.
 * Run: `node bench/gateway/cpu.ts [calls a round] [calls to warm up]`.
 */
import { type ChildProcess, type ForkOptions, fork } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Pool } from 'undici'
import { reachLedger } from '../../src/gateway/reach.ts'
import { payer } from '../budgets/scopes.ts'
import { ascending, closedLoop, fixedRate, openPool, quantile, type Shot, shoot } from './load.ts'
import { answers, freePort, installPortkey, portkeyCommand, portkeyHeaders } from './portkey.ts'

type Server = Readonly<{
  name: string
  child: ChildProcess
  port: number
  pool: Pool
  headers: readonly string[]
  /** Where Weir keeps its data, if it has a ledger. */
  data?: string
}>
type Usage = Readonly<{ cpu: NodeJS.CpuUsage; rss: number }>

const ROUNDS = 5
const AT_ONCE = 8
const EVENTS_WANTED = 400
const calls = Number(process.argv[2] ?? 2000)
const WARM_CALLS = Number(process.argv[3] ?? 20_000)

const told = <T>(child: ChildProcess): Promise<T> =>
  new Promise((resolve) => child.once('message', resolve as () => void))

const dieWith = (name: string, child: ChildProcess): void => {
  child.once('exit', (code) => {
    if (code === 0) return
    console.error(`the ${name} process ended with ${code}`)
    process.exit(1)
  })
}

/** Forks a server, ours or not, that says its CPU time when it is asked. */
const launch = (name: string, file: string, words: readonly string[], options: ForkOptions): ChildProcess => {
  const child = fork(file, words, { env: { ...process.env, NODE_ENV: 'production' }, ...options })
  dieWith(name, child)
  return child
}

const start = async (name: string, origin = ''): Promise<Server> => {
  const file = fileURLToPath(new URL('./server.ts', import.meta.url))
  const child = launch(name, file, [name, origin], { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] })
  const { port, data } = await told<{ port: number; data?: string }>(child)
  return { name, child, port, pool: openPool(port, 64), headers: [], ...(data === undefined ? {} : { data }) }
}

const startPortkey = async (origin: string): Promise<Server> => {
  const port = await freePort()
  const { file, words } = portkeyCommand(port)
  const child = launch('portkey', file, words, {
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    execArgv: ['--import', new URL('./usage.ts', import.meta.url).href],
  })
  await answers(port)
  return { name: 'portkey', child, port, pool: openPool(port, 64), headers: portkeyHeaders(origin) }
}

const usage = (server: Server): Promise<Usage> => {
  server.child.send('usage')
  return told<Usage>(server.child)
}

const chat = (bytes: number, stream: boolean): Shot => {
  const frame = JSON.stringify({
    model: 'gpt-4o-mini',
    stream,
    max_tokens: stream ? EVENTS_WANTED * 4 : 100,
    messages: [
      { role: 'system', content: 'Answer briefly and kindly.' },
      { role: 'user', content: '' },
    ],
  })
  const length = stream ? `sim:output=${EVENTS_WANTED * 4} ` : ''
  const words = 'The river rises when the weir is closed and falls when it opens again. '
  const text = length + words.repeat(Math.ceil(bytes / words.length)).slice(0, Math.max(0, bytes - frame.length))
  return { path: '/v1/chat/completions', body: Buffer.from(frame.replace('"content":""', `"content":"${text}"`)) }
}

const shots = { '1 KB': chat(1024, false), '11 KB': chat(11 * 1024, false), stream: chat(1024, true) }
type Kind = keyof typeof shots

/** A stream is worth many calls. */
const countOf = (kind: Kind, count: number): number => (kind === 'stream' ? Math.ceil(count / 20) : count)

const cpuTime = async (server: Server): Promise<number> => {
  const { cpu } = await usage(server)
  return cpu.user + cpu.system
}

/** Asks Weir's ledger something, so that it has taken every receipt: what that costs belongs to the calls. */
const settle = async ({ data }: Server): Promise<void> => {
  if (data === undefined) return
  const ledger = await reachLedger(data, { now_us: () => Date.now() * 1000 })
  await ledger.query({ ask: 'extent' })
}

/**
 * CPU µs a call by server and kind: all that the process used from before the first round until its ledger had every
 * receipt. Servers take turns, so that what else the machine does falls on all of them. Whoever cannot stream is not
 * asked for one.
 */
const cpuOf = async (servers: readonly Server[], streaming: readonly Server[]) => {
  const found = new Map<string, number>()
  const kinds = Object.keys(shots) as Kind[]
  const takers = (kind: Kind): readonly Server[] => (kind === 'stream' ? streaming : servers)
  // Code that runs for the first thousands of times is not compiled well yet: a gateway runs for days.
  for (const kind of kinds)
    for (const server of takers(kind)) await closedLoop(server, shots[kind], countOf(kind, WARM_CALLS), AT_ONCE)
  for (const kind of kinds) {
    const before = new Map<Server, number>()
    for (const server of takers(kind)) {
      await settle(server)
      before.set(server, await cpuTime(server))
    }
    for (let round = 0; round < ROUNDS; round++)
      for (const server of takers(kind)) await closedLoop(server, shots[kind], countOf(kind, calls), AT_ONCE)
    for (const [server, start] of before) {
      await settle(server)
      found.set(`${server.name} ${kind}`, ((await cpuTime(server)) - start) / (ROUNDS * countOf(kind, calls)))
    }
  }
  return (name: string, kind: Kind): number => found.get(`${name} ${kind}`) ?? Number.NaN
}

/** Calls a second that a server sustains: the lesser of two looks. */
const sustained = async (server: Server): Promise<number> => {
  const looks: number[] = []
  for (let look = 0; look < 2; look++) {
    const from = performance.now()
    await closedLoop(server, shots['1 KB'], calls, AT_ONCE)
    looks.push(calls / ((performance.now() - from) / 1000))
  }
  return Math.min(...looks)
}

/** Every server's times at half of the rate that the slowest of them sustains. */
const latencies = async (servers: readonly Server[], direct: Server) => {
  const rates: number[] = []
  for (const server of servers) rates.push(await sustained(server))
  const rate = Math.floor(Math.min(...rates) / 2)
  const all = new Map<string, number[]>([direct, ...servers].map(({ name }) => [name, []]))
  for (let round = 0; round < ROUNDS; round++)
    for (const server of [direct, ...servers])
      all.get(server.name)?.push(...(await fixedRate(server, shots['1 KB'], rate, 1)))
  return { rate, rates, times: new Map([...all].map(([name, times]) => [name, ascending(times)])) }
}

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits))

const simulator = await start('simulator')
const origin = `http://127.0.0.1:${simulator.port}`
const budgeted = Object.entries(payer).flatMap(([name, value]) => [`x-weir-${name}`, value])
const servers = [
  await start('bare', origin),
  await start('weir', origin),
  { ...(await start('weir, ten budgets', origin)), headers: budgeted },
]
if (installPortkey()) servers.push(await startPortkey(origin))
for (const shot of Object.values(shots)) await shoot(simulator, shot)
const events = await shoot(simulator, shots.stream, true)

/** Portkey 1.15.2 as npm gives it answers 500 to streams (its Hono returns headers that it cannot change). */
const streaming: Server[] = []
for (const server of servers) {
  const streams = await shoot(server, shots.stream).then(
    () => true,
    () => false,
  )
  if (streams) streaming.push(server)
  else console.log(`${server.name} fails on a stream, so its cost for one is not measured.`)
}

const cpu = await cpuOf(servers, streaming)
const { rate, rates, times } = await latencies(servers, simulator)
const direct = times.get('simulator') ?? []

const rows = await Promise.all(
  servers.map(async (server, index) => {
    const of = (kind: Kind): number => cpu(server.name, kind)
    const added = (share: number): number => quantile(times.get(server.name) ?? [], share) - quantile(direct, share)
    return {
      server: server.name,
      cpu_us: rounded(of('1 KB'), 1),
      ratio_to_bare: rounded(of('1 KB') / cpu('bare', '1 KB'), 2),
      further_10kb_us: rounded(of('11 KB') - of('1 KB'), 1),
      event_us: streaming.includes(server) ? rounded((of('stream') - of('1 KB')) / events, 2) : null,
      added_p50_ms: rounded(added(0.5), 3),
      added_p99_ms: rounded(added(0.99), 3),
      calls_a_second: Math.round(rates[index] ?? Number.NaN),
      rss_mb: Math.round((await usage(server)).rss / 1e6),
    }
  }),
)
console.table(rows)
console.log(
  `${calls} calls a round, ${ROUNDS} rounds, ${AT_ONCE} at once; streams of ${events} events; latency at ${rate} calls a second. Limits: 150 µs, 1.6 x bare, 40 µs, 8 µs, 0.3 ms, 2 ms.`,
)
mkdirSync(new URL('../results/', import.meta.url), { recursive: true })
writeFileSync(
  new URL('../results/gateway.json', import.meta.url),
  `${JSON.stringify({ calls, rounds: ROUNDS, events, rate, rows }, null, 2)}\n`,
)
for (const { child, pool } of [simulator, ...servers]) {
  await pool.destroy()
  child.disconnect()
}
