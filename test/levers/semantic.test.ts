/** cache/semantic through the real gateway: what is shared, what is served, and what happens when the embedder is down. */
import { join } from 'node:path'
import OpenAI from 'openai'
import { afterEach, describe, expect, test } from 'vitest'
import { chance } from '../../src/core/chance.ts'
import type { LeverMode, LeverPolicy } from '../../src/core/lever.ts'
import type { Services, Settings } from '../../src/core/settings.ts'
import { rested } from '../../src/gateway/levers/rested.ts'
import { lever } from '../../src/playbook/cache/semantic.ts'
import { openAnswers } from '../../src/stores/answers.ts'
import { post } from '../gateway/ask.ts'
import { type House, startHouse } from '../gateway/harness.ts'

let house: House | undefined
afterEach(async () => {
  await house?.close()
  house = undefined
})

const ways = ['how do I', 'how can I', 'please tell me how to', 'what is the way to', 'I want to', 'help me to']
const acts = ['activate', 'freeze', 'replace', 'top up', 'cancel', 'order']
const things = ['my virtual card', 'the physical card', 'a standing payment', 'the savings pot', 'my account statement']

/** A question and what makes its answer: what is done to what, however it is asked. */
const ask = (random: () => number) => {
  const pick = (list: readonly string[]): string => list[Math.floor(random() * list.length)] ?? ''
  const [way, act, thing] = [pick(ways), pick(acts), pick(things)]
  return { text: `${way} ${act} ${thing}?`, answer: `To ${act} ${thing} open its page.` }
}

const answerTo = (latest: string): string | undefined => {
  const act = acts.find((one) => latest.includes(one))
  const thing = things.find((one) => latest.includes(one))
  return act && thing ? `To ${act} ${thing} open its page.` : undefined
}

const policy = (mode: LeverMode, settings: object): LeverPolicy => {
  const defaults = Object.fromEntries(Object.entries(lever.settings).map(([name, setting]) => [name, setting.default]))
  return {
    match: {},
    holdout: 0,
    experiment: 'levers',
    levers: { [lever.name]: { mode, settings: { ...defaults, ...settings } } },
  }
}

const open = async (mode: LeverMode, settings: object = {}, services: Services = {}): Promise<House> => {
  house = await startHouse({
    simulator: { says: answerTo },
    settings: { policies: [policy(mode, { most_wrong_percent: 10, confidence_percent: 90, ...settings })], services },
    overrides: { random: chance(5) },
  })
  return house
}

/** With an embedder of the simulator's, which answers within a deadline in ms. */
const openEmbedding = async (deadline_ms: number, more: Partial<Settings> = {}): Promise<House> => {
  const services = { embedder: { provider: 'openai', model: 'text-embedding-3-small', deadline_ms } }
  house = await startHouse({
    simulator: { says: answerTo },
    settings: { policies: [policy('on', {})], services, ...more },
    providers: { openai: { credentials: { api_key: 'sk-ours' } } },
  })
  return house
}

const client = ({ gateway }: House, key = 'sk-one') =>
  new OpenAI({ apiKey: key, baseURL: `${gateway.url}/v1`, maxRetries: 0 })

const say = async (openai: OpenAI, text: string): Promise<string> => {
  const { choices } = await openai.chat.completions.create({
    model: 'gpt-4o-mini',
    messages: [
      { role: 'system', content: 'You answer customers of a bank.' },
      { role: 'user', content: text },
    ],
  })
  return choices[0]?.message.content ?? ''
}

/** Asks so many questions and counts the wrong answers. */
const askMany = async (openai: OpenAI, count: number, seed: number): Promise<number> => {
  const random = chance(seed)
  let wrong = 0
  for (let asked = 0; asked < count; asked++) {
    const { text, answer } = ask(random)
    if ((await say(openai, text)) !== answer) wrong += 1
  }
  return wrong
}

const tracesOf = async (at: House) =>
  (await at.receipts()).map(({ outcome, levers = [], cost_usd }) => ({
    outcome,
    cost_usd,
    trace: levers.find(({ name }) => name === lever.name),
  }))

describe('cache/semantic', () => {
  test('begins in shadow, then answers what means the same, right and for nothing', async () => {
    const at = await open('on')
    const wrong = await askMany(client(at), 500, 1)
    const traces = await tracesOf(at)
    const served = traces.filter(({ outcome }) => outcome === 'cached')
    expect(traces.slice(0, 100).some(({ outcome }) => outcome === 'cached')).toBe(false)
    expect(served.length).toBeGreaterThan(100)
    expect(at.simulator.calls.length).toBe(500 - served.length)
    expect(wrong).toBeLessThanOrEqual(0.1 * served.length)
    for (const { trace } of served) expect(trace).toMatchObject({ action: 'acted', saving_usd: expect.any(String) })
    for (const { cost_usd } of served) expect(Number(cost_usd ?? 0)).toBe(0)
    const explored = traces.filter(({ trace }) => trace?.why.includes('keep the error bound true'))
    expect(explored.length).toBeGreaterThan(0)
  }, 120_000)

  test('serves each policy within its own bound, though all learn from the same calls', async () => {
    const strict = {
      ...policy('on', { most_wrong_percent: 0.1, confidence_percent: 99.9 }),
      match: { feature: 'strict' },
    }
    const loose = policy('on', { most_wrong_percent: 10, confidence_percent: 90 })
    const at = await startHouse({
      simulator: { says: answerTo },
      settings: { policies: [strict, loose] },
      overrides: { random: chance(5) },
    })
    house = at
    await askMany(client(at), 400, 1)
    const before = at.simulator.calls.length
    expect(before).toBeLessThan(400)
    const openai = client(at).withOptions({ defaultHeaders: { 'x-weir-feature': 'strict' } })
    await askMany(openai, 50, 2)
    expect(at.simulator.calls.length - before).toBe(50)
    expect((await tracesOf(at)).at(-1)?.trace?.why).toMatch(
      /the error bound does not hold for it yet \(\d{3} verified\)/,
    )
  }, 120_000)

  test('answers who asks for a stream with what came whole, and says so', async () => {
    const at = await open('on')
    await askMany(client(at), 500, 1)
    const before = at.simulator.calls.length
    const random = chance(3)
    let right = 0
    for (let asked = 0; asked < 40; asked++) {
      const { text, answer } = ask(random)
      const stream = client(at).chat.completions.stream({
        model: 'gpt-4o-mini',
        messages: [
          { role: 'system', content: 'You answer customers of a bank.' },
          { role: 'user', content: text },
        ],
      })
      const { choices } = await stream.finalChatCompletion()
      if (choices[0]?.message.content === answer) right += 1
    }
    expect(at.simulator.calls.length - before).toBeLessThan(30)
    expect(right).toBeGreaterThanOrEqual(36)
    const served = (await tracesOf(at)).slice(500).filter(({ outcome }) => outcome === 'cached')
    expect(served.some(({ trace }) => trace?.why.includes('was asked before, whole'))).toBe(true)
  }, 120_000)

  test('keeps answers under the tags by which they are purged', async () => {
    const at = await open('on')
    await say(client(at).withOptions({ defaultHeaders: { 'x-weir-team': 'care' } }), ask(chance(1)).text)
    const answers = openAnswers({ path: join(at.gateway.settings.data, 'answers.db'), now_us: () => Date.now() * 1000 })
    expect(answers.list(5).map(({ tags }) => tags)).toEqual([['team:care', 'model:gpt-4o-mini']])
    expect(answers.purge({ tag: 'team:care' })).toBe(1)
    answers.close()
  })

  test('serves nothing while it only observes, and says what it would have served', async () => {
    const at = await open('observe')
    await askMany(client(at), 300, 1)
    const traces = await tracesOf(at)
    expect(at.simulator.calls.length).toBe(300)
    expect(traces.filter(({ trace }) => trace?.action === 'observed').length).toBeGreaterThan(20)
  }, 120_000)

  test('never serves one caller what another one asked, nor a digit for another, nor another system prompt', async () => {
    const at = await open('on')
    await askMany(client(at), 400, 1)
    const before = at.simulator.calls.length
    const random = chance(9)
    for (let asked = 0; asked < 20; asked++) await say(client(at, 'sk-two'), ask(random).text)
    expect(at.simulator.calls.length - before).toBe(20)
    for (const digit of [1, 2, 3]) await say(client(at), `how do I freeze my virtual card ${digit}?`)
    expect(at.simulator.calls.length - before).toBe(23)
    await client(at).chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [
        { role: 'system', content: 'You answer in rhymes.' },
        { role: 'user', content: 'how do I freeze my virtual card?' },
      ],
    })
    expect(at.simulator.calls.length - before).toBe(24)
  }, 120_000)

  test.each(['chat/completions', 'responses'])(
    'takes no question for the same as one that was asked of another picture, or after another call of a tool (%s)',
    async (endpoint) => {
      const at = await open('on')
      const whys: (string | undefined)[] = []
      for (const [picture, input] of [
        ['AAAA', '1'],
        ['BBBB', '1'],
        ['AAAA', '2'],
        ['AAAA', '1'],
      ] as const) {
        const chat = endpoint !== 'responses'
        const url = `data:image/png;base64,${picture}`
        const shown = chat
          ? [
              { type: 'text', text: 'Look at it.' },
              { type: 'image_url', image_url: { url } },
            ]
          : [
              { type: 'input_text', text: 'Look at it.' },
              { type: 'input_image', image_url: url },
            ]
        const called = chat
          ? [
              { role: 'assistant', tool_calls: [{ id: 'c', type: 'custom', custom: { name: 'run', input } }] },
              { role: 'tool', tool_call_id: 'c', content: 'done' },
            ]
          : [
              { type: 'custom_tool_call', call_id: 'c', name: 'run', input },
              { type: 'custom_tool_call_output', call_id: 'c', output: 'done' },
            ]
        const prompt = [
          { role: 'user', content: shown },
          ...called,
          { role: 'assistant', content: 'A plot.' },
          { role: 'user', content: 'how do I freeze my virtual card?' },
        ]
        await post(at, {
          path: `/v1/${endpoint}`,
          body: { model: 'gpt-4o-mini', ...(chat ? { messages: prompt } : { input: prompt }) },
        }).then((response) => response.arrayBuffer())
        whys.push((await tracesOf(at)).at(-1)?.trace?.why)
      }
      expect(whys.slice(0, 3)).toEqual(new Array(3).fill('nothing like it was asked before'))
      expect(whys[3]).toMatch(/error bound/)
    },
    60_000,
  )

  test('leaves calls alone whose newest words are not all that is new, and answers with tools', async () => {
    const at = await open('on')
    await client(at).chat.completions.create({
      model: 'gpt-4o-mini',
      messages: [
        { role: 'user', content: 'first words' },
        { role: 'user', content: 'and more words' },
      ],
    })
    const [receipt] = await at.receipts()
    expect(receipt?.levers?.[0]).toMatchObject({ action: 'skipped', why: expect.stringContaining('newest words') })
  })

  test('leaves calls alone whose body names a key twice', async () => {
    const at = await open('on')
    const asked = { model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'how do I freeze my virtual card?' }] }
    const body = JSON.stringify(asked).replace('{', '{"messages":[],')
    await (await post(at, { body })).text()
    const [receipt] = await at.receipts()
    expect(receipt?.levers?.[0]).toMatchObject({ action: 'skipped', why: 'the body names a key twice' })
  })

  test('with an embedder that is down every call still goes through, and its receipt says so', async () => {
    const nowhere = { provider: 'mistral', model: 'no-such-embedder', deadline_ms: 100 }
    const at = await open('on', {}, { embedder: nowhere })
    expect(await say(client(at), 'how do I freeze my virtual card?')).toBe('To freeze my virtual card open its page.')
    const receipts = await at.receipts()
    const call = receipts.find(({ agent }) => agent !== 'weir')
    expect(call?.levers?.[0]).toMatchObject({ name: lever.name, action: 'skipped' })
    expect(call?.outcome).toBe('ok')
  })

  test('with an embedder that is slower than its deadline the call goes on without it, and its receipt says so', async () => {
    const at = await openEmbedding(100)
    at.simulator.faults.next(1, { kind: 'slow-head', ms: 3000 })
    const begun = performance.now()
    expect(await say(client(at), 'how do I freeze my virtual card?')).toBe('To freeze my virtual card open its page.')
    expect(performance.now() - begun).toBeLessThan(2500)
    const [call] = (await at.receipts()).filter(({ agent }) => agent !== 'weir')
    expect(call).toMatchObject({ outcome: 'ok', levers: [{ name: lever.name, action: 'skipped' }] })
    expect(call?.levers?.[0]?.why).toMatch(/embed/)
  })

  test('an embedder that hangs keeps a few calls waiting, and then none until it is tried again', async () => {
    const at = await openEmbedding(100, { breaker: { failures: 2, open_ms: 60_000 } })
    at.simulator.faults.always('stall', ({ path }) => path.endsWith('/embeddings'))
    for (const nth of [1, 2, 3, 4]) await say(client(at), `how do I freeze my virtual card ${nth}?`)
    const calls = (await at.receipts()).filter(({ agent }) => agent !== 'weir')
    expect(calls.map(({ outcome, levers }) => [outcome, levers?.[0]?.why])).toEqual([
      ['ok', 'the embedder failed, or was slower than its deadline'],
      ['ok', 'the embedder failed, or was slower than its deadline'],
      ['ok', 'the embedder failed repeatedly, and is not asked for now'],
      ['ok', 'the embedder failed repeatedly, and is not asked for now'],
    ])
    expect(at.simulator.calls.filter(({ path }) => path.endsWith('/embeddings'))).toHaveLength(2)
  })

  test('vectors that cannot be compared with those before are a failure of the embedder', async () => {
    const given = [
      [1, 2],
      [1, 2, 3],
      [Number.NaN, 1],
      [3, 4],
    ]
    const embed = async () => [Float32Array.from(given.shift() ?? [])]
    const checked = rested({ name: 'of a test', deadline_ms: 100, embed }, { failures: 9, open_ms: 1 }, () => 0)
    await checked.embed(['one'])
    await expect(checked.embed(['two'])).rejects.toThrow('vectors of 3 values, after some of 2')
    await expect(checked.embed(['three'])).rejects.toThrow('values that are no numbers')
    expect(await checked.embed(['four'])).toEqual([Float32Array.of(3, 4)])
  })

  test('an embedder may take as long as its deadline says, however long that is', async () => {
    const at = await openEmbedding(5000)
    at.simulator.faults.next(1, { kind: 'slow-head', ms: 600 })
    await say(client(at), 'how do I freeze my virtual card?')
    const [call] = (await at.receipts()).filter(({ agent }) => agent !== 'weir')
    expect(call?.levers?.[0]?.why).toBe('nothing like it was asked before')
  })

  test("an embedder's calls go through the gateway and have receipts of their own", async () => {
    const at = await openEmbedding(2000)
    await say(client(at), 'how do I freeze my virtual card?')
    const receipts = await at.receipts()
    const [errand] = receipts.filter(({ agent }) => agent === 'weir')
    expect(errand).toMatchObject({ endpoint: 'embeddings', model_asked: 'text-embedding-3-small', outcome: 'ok' })
    expect(Number(errand?.cost_usd)).toBeGreaterThan(0)
  })

  test('a local model whose package is not installed is named, and the call goes through', async () => {
    const at = await open('on', {}, { embedder: { local: 'Xenova/all-MiniLM-L6-v2', deadline_ms: 2000 } })
    expect(await say(client(at), 'how do I freeze my virtual card?')).toBe('To freeze my virtual card open its page.')
    expect(at.log.join('')).not.toContain('freeze')
    const [receipt] = await at.receipts()
    expect(receipt?.levers?.[0]?.action).toBe('skipped')
  })
})
