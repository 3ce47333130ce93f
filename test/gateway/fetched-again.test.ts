/** An answer that the provider keeps is billed once, however often it is fetched, and by whichever process. */
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import type { Receipt } from '../../src/core/receipt.ts'
import { reachLedger } from '../../src/gateway/reach.ts'
import { type Overrides, type Running, startGateway } from '../../src/gateway/start.ts'
import { type House, type HouseOptions, startHouse } from './harness.ts'
import { prices } from './prices.ts'

let house: House
let provider: Server | undefined
let second: Running | undefined
afterEach(async () => {
  await second?.close()
  second = undefined
  await house.close()
  provider?.closeAllConnections()
  provider?.close()
  provider = undefined
})

const RESULTS = '/v1/messages/batches/msgbatch_1/results'
const FILE = '/v1/files/file-1/content'
const keysOf = (path: string): Record<string, string> =>
  path === RESULTS ? { 'x-api-key': 'k', 'anthropic-version': '2023-06-01' } : { authorization: 'Bearer sk' }
const get = (url: string, path: string) => fetch(url + path, { headers: keysOf(path) })

const answers: Readonly<Record<string, string>> = {
  '/v1/responses/resp_1': JSON.stringify({
    id: 'resp_1',
    object: 'response',
    background: true,
    status: 'completed',
    model: 'gpt-5-mini-2025-08-07',
    output: [],
    usage: { input_tokens: 30, output_tokens: 20, total_tokens: 50 },
  }),
  '/v1beta/interactions/int_1': JSON.stringify({
    id: 'int_1',
    model: 'gemini-2.5-flash',
    status: 'completed',
    steps: [{ type: 'model_output', content: [{ type: 'text', text: 'hi' }] }],
    usage: { total_input_tokens: 30, total_output_tokens: 20, total_tokens: 50 },
  }),
  [RESULTS]: ['a', 'b']
    .map((custom_id) => ({
      custom_id,
      result: {
        type: 'succeeded',
        message: {
          id: `msg_${custom_id}`,
          type: 'message',
          model: 'claude-sonnet-5-5',
          content: [],
          stop_reason: 'end_turn',
          usage: { input_tokens: 15, output_tokens: 10 },
        },
      },
    }))
    .map((item) => `${JSON.stringify(item)}\n`)
    .join(''),
  [FILE]: ['a', 'b']
    .map((custom_id) => ({
      id: `batch_req_${custom_id}`,
      custom_id,
      response: {
        status_code: 200,
        body: {
          id: `chatcmpl-${custom_id}`,
          object: 'chat.completion',
          model: 'gpt-5-mini-2025-08-07',
          choices: [],
          usage: { prompt_tokens: 15, completion_tokens: 10, total_tokens: 25 },
        },
      },
      error: null,
    }))
    .map((item) => `${JSON.stringify(item)}\n`)
    .join(''),
}
const paths = Object.keys(answers)

/** Every provider at once, who keeps the answers above. `cut_after` breaks each answer off there. */
const keeper = async (options: HouseOptions = {}, cut = { after: Number.POSITIVE_INFINITY }) => {
  provider = createServer((request, response) => {
    const body = answers[request.url ?? ''] ?? ''
    response.writeHead(body ? 200 : 404, {
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(body),
    })
    if (body.length <= cut.after) response.end(body)
    else response.write(body.slice(0, cut.after), () => response.destroy())
  })
  await new Promise<void>((resolve) => provider?.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(provider.address() as AddressInfo).port}`
  house = await startHouse({
    ...options,
    providers: {
      openai: { base_url: `${url}/v1` },
      anthropic: { base_url: url },
      google: { base_url: url },
    },
  })
}

const fetchAll = async (url: string) => {
  for (const path of paths) {
    const response = await get(url, path)
    expect(response.status, path).toBe(200)
    await response.arrayBuffer()
  }
}

const billed = (receipts: readonly Receipt[]) =>
  receipts
    .filter(({ usage_source }) => usage_source !== 'none')
    .map(({ endpoint, input_tokens, output_tokens }) => [endpoint, input_tokens, output_tokens])

const once = [
  ['responses.poll', 30, 20],
  ['interactions.poll', 30, 20],
  ['batch_results', 30, 20],
  ['files.content', 30, 20],
]

test('every kind of fetch is billed by the first that sees its usage, and the others say that nothing was billed', async () => {
  await keeper()
  for (let times = 0; times < 3; times++) await fetchAll(house.gateway.url)
  const receipts = await house.receipts()
  expect(receipts).toHaveLength(3 * paths.length)
  expect(billed(receipts)).toEqual(once)
  expect(receipts.filter(({ price_state }) => price_state === 'none')).toHaveLength(2 * paths.length)
})

test('a fetch that breaks off bills nothing, and the next one everything', async () => {
  const cut = { after: 330 }
  await keeper({}, cut)
  await get(house.gateway.url, RESULTS)
    .then((response) => response.arrayBuffer())
    .catch(() => {})
  expect(billed(await house.receipts())).toEqual([])
  cut.after = Number.POSITIVE_INFINITY
  await (await get(house.gateway.url, RESULTS)).arrayBuffer()
  expect(billed(await house.receipts())).toEqual([['batch_results', 30, 20]])
})

describe('after a restart', () => {
  const restart = async (first: Overrides, settings: HouseOptions['settings'] = {}) => {
    await keeper({ overrides: first, settings })
    await fetchAll(house.gateway.url)
    await house.gateway.close()
    second = await startGateway({ ...house.gateway.settings, port: 0, log_level: 'silent' }, { prices })
    // At once: the ledger may not be open yet.
    await fetchAll(second.url)
    await fetchAll(second.url)
    await second.close()
    const ledger = await reachLedger(house.gateway.settings.data, { now_us: () => Date.now() * 1000 })
    const window = { from_us: 0, to_us: Number.MAX_SAFE_INTEGER }
    const { receipts } = await ledger.query({ ask: 'calls', window, limit: 1000 })
    await ledger.close()
    return receipts
  }

  test('what the ledger holds is not billed again', async () => {
    const receipts = await restart({ ledger: true })
    expect(receipts).toHaveLength(3 * paths.length)
    expect(billed(receipts).sort()).toEqual([...once].sort())
  })

  test('nor what only the journal held, and gateway threads ask the same ledger', async () => {
    const receipts = await restart({ ledger: false }, { threads: 2, log_level: 'silent' })
    expect(receipts).toHaveLength(3 * paths.length)
    expect(billed(receipts).sort()).toEqual([...once].sort())
  })
})
