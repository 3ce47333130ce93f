import { describe, expect, test } from 'vitest'
import { WeirError } from '../../src/core/errors.ts'
import { wire } from '../../src/wires/rerank.ts'
import { type Call, meter, read, text } from './feeding.ts'

const call = (given: Partial<Call> = {}): Call => ({
  wire,
  path: '/v2/rerank',
  request: { model: 'rerank-v4', query: 'q', documents: ['a', { text: 'b' }, { title: 'c' }] },
  ...given,
})

describe('reranking', () => {
  test.each(['/v1/rerank', '/v2/rerank', '/rerank', '/api/v1/rerank', '/inference/v1/rerank'])(
    'is recognised at %s',
    (path) => {
      expect(wire.recognise('POST', path, {})).toBe(true)
      expect(wire.recognise('GET', path, {})).toBe(false)
    },
  )

  test('has documents as context and the query as what the user asks', () => {
    expect(read(call()).reading).toMatchObject({
      endpoint: 'rerank',
      model: 'rerank-v4',
      stream: false,
      parts: [
        { kind: 'context', text: 'a\nb\n{"title":"c"}' },
        { kind: 'user', text: 'q' },
      ],
    })
  })

  test.each<[string, unknown, unknown]>([
    [
      'Cohere by the search',
      { id: 'r', results: [], meta: { billed_units: { search_units: 2 } } },
      { tokens: {}, units: { 'rerank.search_unit': { n: 2 } } },
    ],
    [
      'Voyage by its total',
      { data: [], model: 'rerank-2.5', usage: { total_tokens: 12 } },
      { tokens: { 'in.text.fresh': 12 }, units: {} },
    ],
    [
      'Together by its tokens',
      { results: [], usage: { prompt_tokens: 9, completion_tokens: 0, total_tokens: 9 } },
      { tokens: { 'in.text.fresh': 9 }, units: {} },
    ],
    [
      'OpenRouter by the search where it names searches',
      { results: [], usage: { search_units: 1, total_tokens: 33 } },
      { tokens: {}, units: { 'rerank.search_unit': { n: 1 } } },
    ],
  ])('is billed at %s', (_, answer, line) => {
    const { usage, complete } = meter(call(), answer)
    expect(complete).toBe(true)
    expect(usage?.lines).toMatchObject([line])
    expect(usage?.warnings).toEqual([])
  })

  test('keeps a stated cost where the provider states one', () => {
    const stated = call({ quirks: { stated_cost: 'usage.cost' } })
    expect(meter(stated, { usage: { search_units: 1, cost: 0.002 } }).usage?.stated).toEqual({
      amount_usd: '0.002',
      field: 'usage.cost',
      includes_tools: true,
    })
    expect(meter(call(), { usage: { search_units: 1, cost: 0.002 } }).usage?.stated).toBeUndefined()
  })

  test('says an error, and says ours so that every client finds it', () => {
    expect(meter(call({ status: 400 }), { detail: 'bad model' })).toMatchObject({ error: { message: 'bad model' } })
    expect(meter(call({ status: 400 }), { message: 'bad model' })).toMatchObject({ error: { message: 'bad model' } })
    const shaped = wire.shape(new WeirError('unknown-model', 'No such model.'))
    expect(JSON.parse(text(shaped.body))).toEqual({ message: 'No such model.', detail: 'No such model.' })
  })
})
