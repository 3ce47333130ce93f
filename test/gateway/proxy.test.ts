/** A machine that reaches providers by a proxy only. */
import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { proxyOf } from '../../src/config/proxy.ts'
import type { Settings } from '../../src/core/settings.ts'
import { post } from './ask.ts'
import { type House, startHouse } from './harness.ts'
import { startProxy } from './proxy.ts'

let house: House
let proxy: Awaited<ReturnType<typeof startProxy>>
afterEach(async () => {
  await house.close()
  proxy.close()
})

const SECRET = 'canary-of-the-proxy'

/** A house whose OpenAI has a name that only the proxy can resolve. */
const open = async (env: Readonly<Record<string, string>> = {}, threads = 0, status?: number): Promise<void> => {
  proxy = await startProxy(status)
  const address = `http://weir:${SECRET}@127.0.0.1:${proxy.port}`
  const { proxy: named } = proxyOf({ HTTP_PROXY: address, ...env })
  const settings: Partial<Settings> = {
    threads,
    log_level: threads === 0 ? 'debug' : 'silent',
    ...(named ? { proxy: named } : {}),
  }
  house = await startHouse({ settings, providers: { openai: { base_url: 'http://provider.example:8080/v1' } } })
  proxy.far.port = Number(new URL(house.simulator.base_urls.openai).port)
}

describe.each([0, 1])('calls leave by the proxy that the environment names, with %i threads', (threads) => {
  test('whole and streamed, in one tunnel, and what is on this machine is reached without', async () => {
    await open({}, threads)
    const client = new OpenAI({ baseURL: `${house.gateway.url}/v1`, apiKey: 'sk-client' })
    const asked = { model: 'gpt-4o-mini', messages: [{ role: 'user' as const, content: 'What is a weir?' }] }
    const whole = await client.chat.completions.create(asked)
    expect(whole.usage?.total_tokens).toBeGreaterThan(0)
    let pieces = 0
    const stream = await client.chat.completions.create({ ...asked, stream: true })
    for await (const piece of stream) pieces += piece.choices.length
    expect(pieces).toBeGreaterThan(1)
    const authorization = `Basic ${Buffer.from(`weir:${SECRET}`).toString('base64')}`
    expect(proxy.tunnels).toEqual([{ target: 'provider.example:8080', authorization }])

    const headers = { 'x-api-key': 'sk-ant', 'anthropic-version': '2023-06-01' }
    const body = { model: 'claude-sonnet-4-5', max_tokens: 9, messages: [{ role: 'user', content: 'Hello' }] }
    expect((await post(house, { path: '/v1/messages', body, headers })).status).toBe(200)
    expect(proxy.tunnels).toHaveLength(1)
    expect(await house.receipts()).toHaveLength(3)
  })
})

test('a proxy that refuses is named with what it answered, its password nowhere', async () => {
  await open({}, 0, 407)
  const response = await post(house)
  expect(response.status).toBe(502)
  const text = await response.text()
  expect(text).toContain('The provider openai cannot be reached')
  expect(text).toContain('(the proxy answered 407)')
  const [receipt] = await house.receipts()
  expect(receipt).toMatchObject({ outcome: 'error', error_code: 'provider-unreachable' })
  for (const where of [text, ...house.log, ...house.journal()]) expect(where).not.toContain(SECRET)
})

test('hosts under NO_PROXY are asked straight', async () => {
  await open({ no_proxy: 'other.example, .example' })
  expect((await post(house)).status).toBe(502) // nobody knows the name but the proxy
  expect(proxy.tunnels).toEqual([])
})
