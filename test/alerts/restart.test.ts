/** A gateway in a process of its own that is killed: no alert is lost, none doubled, and nothing secret is anywhere. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../simulator/start.ts'
import { open as openStore } from '../../src/stores/sqlite.ts'
import { httpReceiver, mailReceiver } from './receivers.ts'

let folder: string
let simulator: Simulator
const closing: (() => Promise<unknown>)[] = []
const children: ChildProcess[] = []
beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-restart-'))
  simulator = await startSimulator({})
  closing.push(simulator.close)
})
afterEach(async () => {
  for (const child of children.splice(0)) if (child.exitCode === null && child.signalCode === null) await kill(child)
  for (const close of closing.splice(0)) await close()
  rmSync(folder, { recursive: true, force: true })
})

const kill = async (child: ChildProcess, signal: NodeJS.Signals = 'SIGKILL'): Promise<void> => {
  const ended = once(child, 'exit')
  child.kill(signal)
  await ended
}

const canaries = {
  SLACK: '/services/T0SLACKCANARY/B0SLACKCANARY/slackcanarytoken',
  HOOK_SECRET: 'hook-canary-secret',
  ROUTING: 'routing-canary-key',
  SMTP: 'smtp-canary-password',
}

/** Starts `weir serve` on the folder and gives its address. */
const serve = async (yaml: string, env: Record<string, string> = {}) => {
  writeFileSync(join(folder, 'weir.yaml'), yaml)
  const said: string[] = []
  const child = spawn(
    process.execPath,
    ['src/main.ts', 'serve', '--json', '--port', '0', '--log-level', 'debug', '--config', join(folder, 'weir.yaml')],
    {
      env: { PATH: process.env['PATH'], HOME: folder, ...env },
    },
  )
  children.push(child)
  child.stderr.setEncoding('utf8').on('data', (piece: string) => said.push(piece))
  child.stdout.setEncoding('utf8')
  const [line] = (await once(child.stdout, 'data')) as [string]
  const { url } = JSON.parse(line) as { url: string }
  return { child, url, said }
}

const config = (channels: string, alerts = '') => `
data: ./data
threads: 1
providers: { openai: { base_url: "${simulator.base_urls.openai}" } }
prices:
  - { provider: openai, models: [gpt-4o-mini], rates: { in.text.fresh: 100, out.text.visible: 400 }, source: test }
channels:
${channels}
alerts: { floors: { retry-storm: 0 }, off: [new-model, level-burst, level-hour, level-day, stale-prices]${alerts} }
`

const storm = async (url: string, team: string, times: number) => {
  for (let sent = 0; sent < times; sent++) {
    const response = await fetch(`${url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', authorization: 'Bearer sk-client', 'x-weir-team': team },
      body: JSON.stringify({ model: 'gpt-4o-mini', max_tokens: 20, messages: [{ role: 'user', content: team }] }),
    })
    await response.arrayBuffer()
    expect(response.status).toBe(200)
  }
}

const deliveriesIn = async () => {
  const store = await openStore({ data: join(folder, 'data') })
  try {
    const alerts = await store.alerts.list({})
    const deliveries = (await Promise.all(alerts.map(({ id }) => store.alerts.deliveries.of(id)))).flat()
    return { alerts, deliveries }
  } finally {
    await store.close()
  }
}

/** Looks into the store until it holds what is waited for. */
const until = async (holds: (found: Awaited<ReturnType<typeof deliveriesIn>>) => boolean, what: string) => {
  for (let tries = 0; tries < 120; tries++) {
    const found = await deliveriesIn()
    if (holds(found)) return found
    await new Promise((resolve) => setTimeout(resolve, 250))
  }
  throw new Error(`waited in vain for ${what}`)
}

const hook = (url: string) => `  ops: { type: webhook, url: "${url}/hook", secret: shared-secret }`
const idsOf = (received: readonly { headers: Record<string, unknown> }[]) =>
  new Set(received.map(({ headers }) => String(headers['webhook-id'])))

test('a gateway that is killed with a channel down, amid a storm, loses no alert and tells none under two ids', async () => {
  const down = await httpReceiver([503])
  closing.push(down.close)
  const first = await serve(config(hook(down.url)))
  await storm(first.url, 'search', 9)
  await storm(first.url, 'billing', 9)
  await until(
    ({ alerts, deliveries }) =>
      alerts.length === 2 && deliveries.every(({ attempts }) => attempts > 0 || down.received.length > 0),
    'two alerts',
  )
  await storm(first.url, 'labs', 9)
  await kill(first.child)
  const up = await httpReceiver()
  closing.push(up.close)
  const second = await serve(config(hook(up.url)))
  const { alerts, deliveries } = await until(
    (found) => found.alerts.length === 3 && found.deliveries.every(({ state }) => state === 'delivered'),
    'three alerts delivered',
  )
  expect(alerts.map(({ owner }) => owner).sort()).toEqual(['team:billing', 'team:labs', 'team:search'])
  expect(idsOf(up.received)).toEqual(new Set(deliveries.map(({ id }) => id)))
  expect(up.received).toHaveLength(3)
  await storm(second.url, 'search', 3)
  await kill(second.child, 'SIGTERM')
  const third = await serve(config(hook(up.url)))
  await storm(third.url, 'search', 3)
  await kill(third.child, 'SIGTERM')
  expect((await deliveriesIn()).alerts).toHaveLength(3)
  expect(up.received).toHaveLength(3)
}, 90_000)

const filesUnder = (at: string): string[] =>
  readdirSync(at, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))

test('no secret of a channel is in a log, a metric, the journal, the ledger, the store or an alert', async () => {
  const echo = await httpReceiver([
    (response) => response.writeHead(500).end(Object.values(canaries).join(' ')),
    (response) => response.writeHead(500).end(Object.values(canaries).join(' ')),
  ])
  const mail = await mailReceiver({ user: 'weir', password: 'another' })
  closing.push(echo.close, mail.close)
  const { child, url, said } = await serve(
    config(`  chat: { type: slack, url: "${echo.url}\${SLACK}" }
  hook: { type: webhook, url: "${echo.url}/hook", secret: "\${HOOK_SECRET}" }
  pager: { type: pagerduty, url: "${echo.url}/v2", routing_key: "\${ROUTING}" }
  mail: { type: email, host: 127.0.0.1, port: ${mail.port}, user: weir, password: "\${SMTP}", from: a@example.com, to: b@example.com }`),
    canaries,
  )
  await storm(url, 'search', 9)
  await until(
    ({ deliveries }) => deliveries.length === 4 && deliveries.every(({ attempts }) => attempts > 0),
    'four attempts',
  )
  const metrics = await (await fetch(`${url}/metrics`)).text()
  expect(metrics).toContain('weir_alerts_open 1')
  expect(metrics).toMatch(/weir_alert_deliveries_waiting 3/)
  await kill(child, 'SIGTERM')
  const texts = [
    metrics,
    said.join(''),
    ...filesUnder(join(folder, 'data')).map((path) => readFileSync(path, 'latin1')),
  ]
  for (const text of texts) expect(text).not.toMatch(/canary/i)
  expect(said.join('')).toContain('an alert could not be delivered')
}, 60_000)
