import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../simulator/start.ts'
import { chance } from '../../src/core/chance.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { reachLedger } from '../../src/gateway/reach.ts'
import { freePort, type GatewayProcess, startProcess } from './gateway-process.ts'

const KILLS = 100
const CLIENTS = 12

let simulator: Simulator
let folder: string
beforeAll(async () => {
  simulator = await startSimulator({ seed: 7, latency_ms: 1, pace_ms: 1, keep_calls: 1_000_000 })
  folder = mkdtempSync(join(tmpdir(), 'weir-kill-'))
})
afterAll(async () => {
  await simulator.close()
  rmSync(folder, { recursive: true, force: true })
})

const chat = (label: string, stream: boolean) => ({
  path: '/v1/chat/completions',
  body: { model: 'gpt-4o-mini', max_tokens: 24, stream, messages: [{ role: 'user', content: label }] },
})
const message = (label: string, stream: boolean) => ({
  path: '/v1/messages',
  body: { model: 'claude-haiku-4-5', max_tokens: 24, stream, messages: [{ role: 'user', content: label }] },
})

const ends: Readonly<Record<string, string>> = {
  '/v1/chat/completions': 'data: [DONE]',
  '/v1/messages': 'event: message_stop',
}

/** Sends one call; true when the client saw it whole: a whole body, or the event with which the API ends a stream. */
const callThrough = async (url: string, label: string, random: () => number): Promise<boolean> => {
  const stream = random() < 0.5
  const { path, body } = random() < 0.5 ? chat(label, stream) : message(label, stream)
  let text = ''
  try {
    const response = await fetch(url + path, {
      method: 'POST',
      headers: {
        'content-type': 'application/json',
        authorization: 'Bearer test-key',
        'x-api-key': 'test-key',
        'anthropic-version': '2023-06-01',
        'x-weir-session': label,
      },
      body: JSON.stringify(body),
    })
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) text += decoder.decode(chunk, { stream: true })
    return response.status === 200
  } catch {
    return stream && text.includes(ends[path] ?? '?')
  }
}

const load = async (gateway: GatewayProcess, round: number, complete: Set<string>, random: () => number) => {
  let running = true
  const clients = Array.from({ length: CLIENTS }, async (_, client) => {
    for (let n = 0; running; n += 1) {
      const label = `r${round}-c${client}-n${n}`
      if (await callThrough(gateway.url, label, random)) complete.add(label)
    }
  })
  await sleep(20 + random() * 250)
  // Every other gateway dies in the middle of its work, however slow the machine is to begin with it.
  const before = complete.size
  for (let waited = 0; round % 2 === 1 && complete.size < before + 3 && waited < 100; waited++) await sleep(20)
  await gateway.kill()
  running = false
  await Promise.all(clients)
}

const everyReceipt = async (data: string): Promise<Receipt[]> => {
  const ledger = await reachLedger(data, { now_us: () => Date.now() * 1000 })
  const window = { from_us: 0, to_us: 4e15 }
  const all: Receipt[] = []
  try {
    for (;;) {
      const after = all.at(-1)?.receipt_id
      const { receipts } = await ledger.query({ ask: 'calls', window, limit: 1000, ...(after && { after }) })
      all.push(...receipts)
      if (receipts.length < 1000) return all
    }
  } finally {
    await ledger.close()
  }
}

const countBy = <T>(items: readonly T[], key: (item: T) => string): Map<string, number> => {
  const counts = new Map<string, number>()
  for (const item of items) counts.set(key(item), (counts.get(key(item)) ?? 0) + 1)
  return counts
}

test('after 100 kills under load every call that a client saw whole has one receipt, and every dispatch is accounted for', async () => {
  const random = chance(20261123)
  const port = await freePort()
  const complete = new Set<string>()
  for (let round = 0; round < KILLS; round += 1) {
    const gateway = await startProcess({ folder, port, base_urls: simulator.base_urls })
    await load(gateway, round, complete, random)
  }
  const receipts = await everyReceipt(join(folder, 'data'))
  const okay = countBy(
    receipts.filter((receipt) => receipt.outcome === 'ok'),
    (receipt) => receipt.session ?? '',
  )
  const attempts = countBy(receipts, (receipt) => receipt.session ?? '')
  const dispatched = countBy(
    simulator.calls,
    ({ body }) => /r\d+-c\d+-n\d+/.exec(Buffer.from(body).toString())?.[0] ?? '',
  )

  expect(complete.size).toBeGreaterThan(KILLS)
  expect([...complete].filter((label) => okay.get(label) !== 1)).toEqual([])
  expect(new Set(receipts.map((receipt) => receipt.receipt_id)).size).toBe(receipts.length)
  expect(new Set(receipts.map((receipt) => `${receipt.call_id}/${receipt.attempt}`)).size).toBe(receipts.length)
  expect([...dispatched].filter(([label, times]) => (attempts.get(label) ?? 0) < times)).toEqual([])
  const unknown = receipts.filter((receipt) => receipt.outcome === 'unknown')
  expect(unknown.length).toBeGreaterThan(0)
  for (const receipt of unknown) expect(receipt.cost_usd).toBe(receipt.reserved_usd)
  // A hundred starts of a process: two seconds each on a machine of its own, ten on one that is shared by many.
}, 2_400_000)
