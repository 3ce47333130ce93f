import { describe, expect, test } from 'vitest'
import { loadBook } from '../../src/catalogs/load.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { price } from '../../src/playbook/price/price.ts'
import { wire } from '../../src/wires/openai-batches.ts'
import { bytes, type Call, cutAt, feed, meter, seeded } from './feeding.ts'
import { wireFor } from './recognising.ts'

const call: Call = { wire, method: 'GET', path: '/v1/files/file-7/content' }

const line = (custom_id: string, body: unknown, status_code = 200) =>
  `${JSON.stringify({ id: `batch_req_${custom_id}`, custom_id, response: { status_code, body }, error: null })}\n`
const chat = (prompt_tokens: number, completion_tokens: number, model = 'gpt-5.5-2026-04-23') => ({
  object: 'chat.completion',
  model,
  choices: [],
  service_tier: 'default',
  usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
})

describe('the results file of a batch', () => {
  test.each([
    ['openai', '/v1/files/file-7/content'],
    ['azure-openai', '/openai/files/file-7/content'],
    ['azure-openai', '/openai/v1/files/file-7/content'],
    ['groq', '/openai/v1/files/file-7/content'],
    ['mistral', '/v1/files/file-7/content'],
  ])('is recognised where the SDKs fetch it from %s, and no other file is', (adapter, path) => {
    expect(wireFor('GET', path, adapter).name).toBe('openai-batches')
    expect(wire.recognise('GET', '/v1/containers/c/files/file-7/content', {})).toBe(false)
    expect(wire.recognise('GET', '/v1/files/file-7', {})).toBe(false)
    expect(wire.recognise('POST', path, {})).toBe(false)
  })

  test('bills what succeeded, of every endpoint, a line for what is billed alike, and passes byte for byte', () => {
    const response = {
      object: 'response',
      id: 'resp_1',
      model: 'gpt-5.5-2026-04-23',
      status: 'completed',
      output: [{ type: 'web_search_call', action: { type: 'search' } }],
      usage: { input_tokens: 40, output_tokens: 9, output_tokens_details: { reasoning_tokens: 4 }, total_tokens: 49 },
    }
    const vectors = {
      object: 'list',
      data: [],
      model: 'text-embedding-3-small',
      usage: { prompt_tokens: 6, total_tokens: 6 },
    }
    const file = [
      line('1', chat(10, 5)),
      line('2', { error: { message: 'no', code: 'x' } }, 400),
      line('3', chat(20, 6)),
      `${JSON.stringify({ id: 'batch_req_4', custom_id: '4', response: null, error: { code: 'batch_expired' } })}\n`,
      line('5', chat(300_000, 7)),
      line('6', response),
      line('7', vectors),
      'torn {\n',
    ]
    const body = bytes(file.join(''))
    const { metered, passed } = feed(call, cutAt(body, seeded(3), 25))
    expect(metered).toMatchObject({ complete: true, response_id: 'file-7' })
    const item = { kind: 'batch_item', service_tier: 'batch', model_served: 'gpt-5.5-2026-04-23' }
    expect(metered.usage?.lines).toMatchObject([
      { ...item, context_tokens: 20, tokens: { 'in.text.fresh': 30, 'out.text.visible': 11 } },
      { ...item, context_tokens: 300_000, tokens: { 'in.text.fresh': 300_000, 'out.text.visible': 7 } },
      { ...item, tokens: { 'in.text.fresh': 40, 'out.text.reasoning': 4 }, units: { 'web_search.query': { n: 1 } } },
      { ...item, model_served: 'text-embedding-3-small', tokens: { 'in.text.fresh': 6 } },
    ])
    expect(metered.usage?.raw).toEqual({ batch_results: { succeeded: 5, errored: 2, unreadable: 1 } })
    expect(Buffer.compare(passed, body)).toBe(0)
  })

  test('costs half of what the same calls cost at once', async () => {
    const book = compileBook(await loadBook([]))
    const cost = (usage: ReturnType<typeof meter>['usage'], batch: boolean) => {
      if (!usage) throw new Error('no usage')
      const at_us = Date.parse('2026-11-28') * 1000
      return price({ provider: 'openai', model: 'gpt-5.5-2026-04-23', at_us, usage, batch }, book).cost
    }
    const { usage } = meter(call, bytes(line('1', chat(1000, 100))))
    const [one] = usage?.lines ?? []
    if (!(usage && one)) throw new Error('no line')
    const atOnce = { ...usage, lines: [{ ...one, kind: 'message' as const, service_tier: 'standard' as const }] }
    expect(cost(usage, true)).toBe((cost(atOnce, false) ?? 0n) / 2n)
    expect(cost(usage, true)).toBeGreaterThan(0n)
  })

  test('has a line of its own for items on each side of every long-context threshold in the price book', async () => {
    const thresholds = (await loadBook([])).rows.flatMap(({ context }) =>
      context === undefined ? [] : [context.tokens],
    )
    expect(new Set(thresholds).size).toBeGreaterThan(3)
    for (const tokens of new Set(thresholds)) {
      const file = [tokens - 1, tokens, tokens + 1].map((input) => line(String(input), chat(input, 1)))
      const { usage } = meter(call, bytes(file.join('')))
      expect(usage?.lines.map(({ context_tokens }) => context_tokens)).toEqual([tokens - 1, tokens, tokens + 1])
    }
  })

  test.each([
    ['requests of a batch', `${JSON.stringify({ custom_id: '1', method: 'POST', url: '/v1/responses', body: {} })}\n`],
    ['a training set', `${JSON.stringify({ messages: [] })}\n${line('1', chat(10, 5))}`],
    ['text', `hello\n${line('1', chat(10, 5))}`],
    ['nothing', ''],
  ])('is not what %s are: they cost nothing', (_, text) => {
    expect(meter(call, bytes(text)).usage).toMatchObject({ lines: [], totals: { input: 0, output: 0 } })
  })

  test('bills nothing for a part of it, nor where it is not there', () => {
    expect(meter({ ...call, status: 206 }, bytes(line('1', chat(10, 5)))).usage?.lines).toEqual([])
    const error = { error: { message: 'No such File', type: 'invalid_request_error', code: null } }
    expect(meter({ ...call, status: 404 }, error)).toMatchObject({ error: { code: 'invalid_request_error' } })
  })
})
