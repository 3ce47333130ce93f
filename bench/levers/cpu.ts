/**
 * What the levers' step costs a call: CPU of `pull`, of the edits, the traces and what levers learn, with every lossless lever on and
 * bodies of about 10 KB. The fingerprints are taken before, because every call's receipt has them anyway; what the levers count in
 * tokens beside the provider's work is told apart.
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
import { openBodies } from '../../src/gateway/levers/bodies.ts'
import { endLevers } from '../../src/gateway/levers/end.ts'
import { openKits } from '../../src/gateway/levers/kit.ts'
import { openPolicies } from '../../src/gateway/levers/policies.ts'
import { openRecount } from '../../src/gateway/levers/recount.ts'
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
import { openNotes } from '../../src/stores/notes.ts'
import { wire as anthropic } from '../../src/wires/anthropic-messages.ts'
import { applyEdits } from '../../src/wires/framing/json-bytes.ts'
import { wire as openai } from '../../src/wires/openai-chat.ts'
import { type Kind, kinds } from './traffic.ts'

const rounds = Number(process.argv[2] ?? 20_000)
const LIMIT_US = 60
/** Calls alive at a time, about as many as are in flight: more would be copied about by the collector on the levers' account. */
const BATCH = 20

/** Levers that lose nothing as they are by default and ask nobody: those that a careful user turns on at once. */
const lossless = Object.values<Lever>(levers).filter(
  ({ traits }) => traits.effort === 'switch' && traits.certainty === 'exact',
)

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
  doors: { notes: openNotes({ path: join(folder, 'learnt.db'), now_us }) },
  price_as: (provider) => provider,
})
let recounts = 0
const recount = openRecount(tokens)
const world = {
  settings: { ...defaultSettings, policies: [policy] },
  tokens,
  tenants: openTenants(new Uint8Array(32)),
  levers: {
    choose: openPolicies(inOrder(levers), [policy]),
    kitOf,
    bodies: openBodies(),
    // Beside the provider's work: kept for later, so that it is not counted among the call's own.
    recount: (...of: Parameters<typeof recount>) => {
      later.push(() => recount(...of))
      return Promise.resolve()
    },
  },
  now_us,
  log: { failure: (_: string, error: Error) => process.stderr.write(`${error.stack}\n`) },
} as unknown as World
const later: (() => Promise<void>)[] = []
const wires = { 'anthropic-messages': anthropic, 'openai-chat': openai }
const paths = { 'anthropic-messages': '/v1/messages', 'openai-chat': '/v1/chat/completions' }

let bytes = 0
const callOf = (kind: Kind, nth: number): Call => {
  const name = kind.wire === 'openai-chat' ? 'openai' : 'anthropic'
  const upstream = { name, price_as: name, has_credentials: true, settings: {} } as Upstream
  // As many conversations go on at once as calls are alive.
  const body = Buffer.from(
    JSON.stringify(
      kind.body(Math.floor(nth / BATCH / kind.turns) * BATCH + (nth % BATCH), Math.floor(nth / BATCH) % kind.turns),
    ),
  )
  bytes += body.length
  const json: unknown = JSON.parse(body.toString())
  const wire = wires[kind.wire]
  const path = paths[kind.wire]
  const headers = { 'x-api-key': 'k' }
  const reading = wire.read({ method: 'POST', path, query: '', headers, body, json }, {})
  const call = {
    id: `${kind.name} ${nth}`,
    started_at_us: now_us(),
    path,
    query: '',
    headers,
    payer: { session: `s${nth % BATCH}`, feature: kind.name },
    upstream,
    wire,
    body,
    plain: body,
    json,
    reading,
    stops: [{ upstream, model: reading.model, renamed: false, target: name }],
  } as unknown as Call
  promptOf(call)
  return call
}

const work = async (call: Call): Promise<void> => {
  const pulled = pull(call, world)
  if (pulled) await pulled
  if (call.pulling) applyEdits(call.plain, call.pulling.edits)
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

const spentUs = async (act: () => Promise<void>): Promise<number> => {
  const start = process.cpuUsage()
  await act()
  const { user, system } = process.cpuUsage(start)
  return user + system
}

type Spent = Readonly<{ own: number; beside: number; here: number; parse: number }>

/** µs of CPU a call, of the counting beside the provider's work, and of JSON.parse of the body: what the machine gives today. `here` is the gateway thread's part of the counting. */
const cpuOf = async (kind: Kind, count: number, from: number): Promise<Spent> => {
  let [own, beside, here, parse] = [0, 0, 0, 0]
  for (let done = 0; done < count; done += BATCH) {
    const calls = Array.from({ length: BATCH }, (_, i) => callOf(kind, from + done + i))
    own += await spentUs(async () => {
      for (const call of calls) await work(call)
    })
    parse += await spentUs(async () => {
      for (const { body } of calls) JSON.parse(body.toString())
    })
    const before = process.threadCpuUsage()
    beside += await spentUs(async () => {
      for (const one of later.splice(0)) {
        recounts += 1
        await one()
      }
    })
    const { user, system } = process.threadCpuUsage(before)
    here += user + system
  }
  return { own: own / count, beside: beside / count, here: here / count, parse: parse / count }
}

const whole = (count: number): number => Math.ceil(count / BATCH) * BATCH
const figures = []
let [mean, parsed] = [0, 0]
for (const kind of kinds.filter(({ name }) => name.includes(process.argv[3] ?? ''))) {
  const count = whole((rounds * kind.share) / 100)
  const before = whole(Math.min(count, 2000))
  await cpuOf(kind, before, 0)
  bytes = 0
  recounts = 0
  const { own, beside, here, parse } = await cpuOf(kind, count, before)
  mean += (own * kind.share) / 100
  parsed += (parse * kind.share) / 100
  figures.push({
    traffic: kind.name,
    share: `${kind.share} %`,
    body_bytes: Math.round(bytes / count),
    edited: `${Math.round((100 * recounts) / count)} %`,
    cpu_us: Number(own.toFixed(1)),
    beside_us: Number(beside.toFixed(1)),
    of_it_here_us: Number(here.toFixed(1)),
    parse_us: Number(parse.toFixed(1)),
  })
}
rmSync(folder, { recursive: true, force: true })
console.log(`levers: ${lossless.map(({ name }) => name).join(', ')}`)
console.table(figures)
console.log(
  `lever work: ${mean.toFixed(1)} µs of CPU a call in the mean (limit ${LIMIT_US} µs), ${(mean / parsed).toFixed(2)} × JSON.parse of the bodies`,
)
