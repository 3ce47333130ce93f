/**
 * What the levers' step costs a call: CPU of `pull`, of the edits, the traces and what levers learn, with every lossless lever on and a
 * body of 10 KB. The fingerprints are taken before, because every call's receipt has them anyway.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { defaultsOf } from '../../src/config/levers.ts'
import { defaultSettings } from '../../src/config.ts'
import type { Lever, LeverPolicy } from '../../src/core/lever.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import type { Call } from '../../src/gateway/call.ts'
import { blankDraft } from '../../src/gateway/draft.ts'
import { endLevers } from '../../src/gateway/levers/end.ts'
import { openKits } from '../../src/gateway/levers/kit.ts'
import { addTraces } from '../../src/gateway/levers/traces.ts'
import { promptOf } from '../../src/gateway/prompt.ts'
import { pull } from '../../src/gateway/pull.ts'
import { now_us, random } from '../../src/gateway/system.ts'
import { openTenants } from '../../src/gateway/tenant.ts'
import { openTokens } from '../../src/gateway/tokens.ts'
import type { Upstream, World } from '../../src/gateway/world.ts'
import { levers } from '../../src/playbook/levers.ts'
import { inOrder } from '../../src/playbook/order.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { openAnswers } from '../../src/stores/answers.ts'
import { wire } from '../../src/wires/anthropic-messages.ts'

const rounds = Number(process.argv[2] ?? 20_000)
const LIMIT_US = 60
/** Calls alive at a time, about as many as are in flight: more would be copied about by the collector on the levers' account. */
const BATCH = 20

/** Levers that lose nothing and ask nobody: those that a careful user turns on at once. */
const lossless = Object.values<Lever>(levers).filter(
  ({ traits }) => traits.risk === 'none' && traits.effort === 'switch',
)

const words = (count: number, from: number): string => Array.from({ length: count }, (_, i) => `w${from + i}`).join(' ')
const template = JSON.stringify({
  model: 'claude-opus-4-5',
  max_tokens: 500,
  temperature: 0,
  system: `You are careful. ${words(600, 0)}`,
  tools: [
    {
      name: 'find',
      description: words(60, 0),
      input_schema: { type: 'object', properties: { q: { type: 'string' } } },
    },
  ],
  messages: Array.from({ length: 9 }, (_, i) => ({
    role: i % 2 === 0 ? 'user' : 'assistant',
    content: i === 8 ? 'Question TURN' : words(140, i * 200),
  })),
})

const bodyOf = (turn: number): string => template.replace('TURN', String(turn))

const folder = mkdtempSync(join(tmpdir(), 'weir-bench-'))
const policy: LeverPolicy = {
  match: {},
  levers: Object.fromEntries(
    lossless.map((lever) => [lever.name, { mode: 'on', settings: defaultsOf(lever.settings) }]),
  ),
  holdout: 0,
  experiment: 'levers',
}
const tokens = openTokens()
const kitOf = openKits({
  now_us,
  random,
  book: compileBook({ rows: [], version: 'none' }),
  tokens,
  answers: openAnswers({ path: join(folder, 'answers.db'), now_us }),
  price_as: (provider) => provider,
})
const world = {
  settings: { ...defaultSettings, policies: [policy] },
  tokens,
  tenants: openTenants(new Uint8Array(32)),
  levers: { ordered: inOrder(levers), kitOf },
  now_us,
  log: { failure: (_: string, error: Error) => process.stderr.write(`${error.stack}\n`) },
} as unknown as World
const upstream = { name: 'anthropic', price_as: 'anthropic', has_credentials: true } as Upstream

const callOf = (turn: number): Call => {
  const body = Buffer.from(bodyOf(turn))
  const json: unknown = JSON.parse(body.toString())
  const path = '/v1/messages'
  const headers = { 'x-api-key': 'k' }
  const reading = wire.read({ method: 'POST', path, query: '', headers, body, json }, {})
  const call = {
    id: `c${turn}`,
    started_at_us: now_us(),
    path,
    query: '',
    headers,
    payer: { session: 's' },
    upstream,
    wire,
    body,
    plain: body,
    json,
    reading,
  }
  promptOf(call as unknown as Call)
  return call as unknown as Call
}

const work = async (call: Call): Promise<void> => {
  await pull(call, world)
  const draft = {
    ...blankDraft(),
    outcome: 'ok',
    http_status: 200,
    usage_source: 'provider',
    ended_at_us: now_us(),
    input_fresh_tokens: 3000,
    output_tokens: 10,
  } as const
  addTraces(draft, call, world.levers)
  endLevers(call, { outcome: 'ok', retryable: false }, draft as unknown as Receipt, world)
}

const cpuOf = async (count: number, from: number): Promise<number> => {
  let spent = 0
  for (let done = 0; done < count; done += BATCH) {
    const calls = Array.from({ length: Math.min(BATCH, count - done) }, (_, i) => callOf(from + done + i))
    const start = process.cpuUsage()
    for (const call of calls) await work(call)
    const { user, system } = process.cpuUsage(start)
    spent += user + system
  }
  return spent / count
}

await cpuOf(Math.min(rounds, 4000), 0)
const us = await cpuOf(rounds, 1_000_000)
rmSync(folder, { recursive: true, force: true })
const names = lossless.map(({ name }) => name).join(', ')
process.stdout.write(
  `levers: ${names}\nbody: ${bodyOf(0).length} bytes\nlever work: ${us.toFixed(1)} µs of CPU a call (limit ${LIMIT_US} µs)\n`,
)
