import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { type Simulator, startSimulator } from '../simulator/start.ts'
import type { NamedWindow } from '../src/cli/asking.ts'
import { renderLeaks } from '../src/cli/leaks/render.ts'
import { renderReport } from '../src/cli/report/render.ts'
import { count, duration } from '../src/cli/show/format.ts'
import { lookOf, paint } from '../src/cli/show/look.ts'
import { progress } from '../src/cli/show/progress.ts'
import { defaultSettings } from '../src/config.ts'
import type { Extent } from '../src/core/ledger.ts'
import type { Settings } from '../src/core/settings.ts'
import { reachLedger } from '../src/gateway/reach.ts'
import { startGateway } from '../src/gateway/start.ts'
import { providers } from '../src/providers/index.ts'
import { askReport } from '../src/verbs/spend/report.ts'
import type { Endpoints } from './kit.ts'
import { STORM_KEY } from './scenes/retries.ts'
import { planWorkload, type Ran, runWorkload } from './workload.ts'

const usage = `npm run demo -- [--size N] [--keep]

Plays a day of an organisation's traffic against simulated providers, through the gateway, and shows what it cost.
No provider key is needed and nothing leaves this machine.

  --size N   how much traffic: 1 is about 1,050 calls
  --keep     keep the data folder, to look at it with weir report, weir calls and weir leaks`

const now_us = (): number => Date.now() * 1_000

/** Every provider at the simulator's address, in pass-through mode on a free port. */
const settingsFor = (simulator: Simulator, data: string): Settings => ({
  ...defaultSettings,
  port: 0,
  data,
  log_level: 'error',
  // The retry storm is meant: it must not close the way for the other teams.
  breaker: { failures: 1_000, open_ms: 1_000 },
  providers: Object.keys(providers).flatMap((name) => {
    const base_url = Object.entries(simulator.base_urls).find(([played]) => played === name)?.[1]
    return base_url === undefined ? [] : [{ name, adapter: name, base_url, options: {}, credentials: {} }]
  }),
})

/** A provider that has a bad hour, for one key: most calls fail, with and without a time to come back. */
const brewStorm = ({ faults }: Simulator): void => {
  const storm = (headers: Readonly<Record<string, string>>): boolean =>
    headers['authorization'] === `Bearer ${STORM_KEY}`
  faults.chance(0.15, { kind: 'rate-limit', retry_after_s: 1 }, ({ headers }) => storm(headers))
  faults.chance(0.5, 'server-error', ({ headers }) => storm(headers))
}

const endpointsOf = (url: string): Endpoints => ({
  openai: `${url}/v1`,
  anthropic: url,
  google: url,
  compatible: (provider) => `${url}/${provider}/v1`,
})

/** Sends the traffic, with a bar on a terminal and a line now and then elsewhere. */
const send = async (url: string, size: number): Promise<Ran> => {
  const workload = planWorkload(size)
  console.log(`Sending ${count(workload.calls)} calls with the SDKs of OpenAI, Anthropic and Google:`)
  for (const { title, sessions } of workload.scenes) {
    console.log(`  ${count(sessions.reduce((n, session) => n + session.calls, 0)).padStart(6)}  ${title}`)
  }
  const shown = progress({ label: 'Traffic', total: workload.calls })
  const quarter = Math.ceil(workload.calls / 4)
  const ran = await runWorkload({
    workload,
    endpoints: endpointsOf(url),
    concurrency: 12,
    progress: (done, doing) => {
      shown.update(done, doing)
      if (process.stderr.isTTY !== true && done % quarter === 0) console.log(`  ${count(done)} calls done`)
    },
  })
  shown.end()
  return ran
}

const INPUT = ['in', 'in_audio', 'in_image', 'cr', 'cw', 'cw5m', 'cw1h', 'tool_in']
const OUTPUT = ['out', 'out_reasoning']

/** The simulator keeps a bill of its own, and a ledger that is right agrees with it to the token. */
const agreement = ({ calls }: Simulator, extent: Extent): string => {
  const billed = (names: readonly string[]): number =>
    calls.reduce((total, { bill }) => total + names.reduce((n, name) => n + (bill?.buckets[name] ?? 0), 0), 0)
  const [input, output] = [billed(INPUT), billed(OUTPUT)]
  const colours = paint(lookOf())
  if (extent.input_tokens === input && extent.output_tokens === output) {
    return `${colours.green('✓')} The ledger has exactly the ${count(input)} input and ${count(output)} output tokens that the simulated providers billed.`
  }
  const ledger = `${count(extent.input_tokens)} input and ${count(extent.output_tokens)} output tokens`
  return `${colours.red('!')} The ledger has ${ledger}; the simulated providers billed ${count(input)} and ${count(output)}.`
}

const show = async (simulator: Simulator, data: string, window: NamedWindow): Promise<void> => {
  const ledger = await reachLedger(data, { now_us, role: 'npm run demo' })
  const look = lookOf()
  const colours = paint(look)
  const sections = [['team'], ['feature'], ['model']] as const
  const report = await askReport(ledger, { window, sections, filters: [], limit: 12 })
  console.log(`\n${colours.bold('── Where the money goes')}  ${colours.dim('(weir report)')}\n`)
  console.log(renderReport(report, look))
  const answer = await ledger.query({ ask: 'leaks', window: window.window, examples: 2 })
  console.log(`\n${colours.bold('── Where it leaks')}  ${colours.dim('(weir leaks)')}\n`)
  console.log(renderLeaks({ window, answer }, look))
  console.log(`\n${agreement(simulator, await ledger.query({ ask: 'extent' }))}`)
  await ledger.close()
}

const howToUse = (kept: string | undefined): string => {
  const { bold, dim } = paint(lookOf())
  return `
${bold('── Your own traffic')}

Start the gateway with ${bold('npm start')} and point a client at it; your provider key goes through untouched:

  export OPENAI_BASE_URL=http://127.0.0.1:4141/v1          ${dim('# OpenAI')}
  export ANTHROPIC_BASE_URL=http://127.0.0.1:4141          ${dim('# Anthropic, Claude Code')}
  export GOOGLE_GEMINI_BASE_URL=http://127.0.0.1:4141      ${dim('# Gemini')}

Send x-weir-team, x-weir-feature and x-weir-customer headers to say who pays.${
    kept === undefined ? '' : `\n\nKept: npm run weir -- report --data ${kept} (also calls, leaks)`
  }`
}

type Stage = Readonly<{ simulator: Simulator; data: string; size: number; keep: boolean }>

const play = async ({ simulator, data, size, keep }: Stage): Promise<void> => {
  const gateway = await startGateway(settingsFor(simulator, data))
  try {
    console.log(`Simulated providers on ${simulator.url}, the gateway in front of them on ${gateway.url}.\n`)
    const from_us = now_us()
    const ran = await send(gateway.url, size)
    const failed = ran.failed === 0 ? '' : `; ${count(ran.failed)} failed at the end of their retries`
    console.log(`\n${count(ran.calls)} calls in ${duration(ran.elapsed_ms)}${failed}.`)
    // Closing writes what the journal still holds into the ledger.
    await gateway.close()
    await show(simulator, data, { window: { from_us, to_us: now_us() + 1 }, name: 'the demo', zone: 'UTC' })
    console.log(howToUse(keep ? data : undefined))
  } finally {
    await gateway.close()
  }
}

const run = async (size: number, keep: boolean): Promise<void> => {
  const begun = performance.now()
  const data = mkdtempSync(join(tmpdir(), 'weir-demo-'))
  const forget = (): void => {
    if (!keep) rmSync(data, { recursive: true, force: true })
  }
  process.once('SIGINT', () => {
    forget()
    process.exit(130)
  })
  const simulator = await startSimulator({ seed: 2026, latency_ms: 15 })
  try {
    brewStorm(simulator)
    await play({ simulator, data, size, keep })
    console.log(`\nDone in ${duration(performance.now() - begun)}.`)
  } finally {
    await simulator.close()
    forget()
  }
}

const { values } = parseArgs({
  options: {
    size: { type: 'string', default: '1' },
    keep: { type: 'boolean', default: false },
    help: { type: 'boolean', short: 'h', default: false },
  },
})
if (values.help) console.log(usage)
else await run(Number(values.size) || 1, values.keep)
