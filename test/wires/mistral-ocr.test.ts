import { describe, expect, test } from 'vitest'
import { loadBook } from '../../src/catalogs/load.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { price } from '../../src/playbook/price/price.ts'
import { wire } from '../../src/wires/mistral-ocr.ts'
import { type Call, meter, read } from './feeding.ts'

const call: Call = {
  wire,
  path: '/v1/ocr',
  request: { model: 'mistral-ocr-latest', document: { type: 'document_url', document_url: 'https://x.test/a.pdf' } },
}
const answer = (more: object = {}) => ({
  pages: [{ index: 0, markdown: '# Usage\n"usage_info": {"pages_processed": 99}' }],
  model: 'mistral-ocr-4-1',
  usage_info: { pages_processed: 10, doc_size_bytes: 5000 },
  ...more,
})

describe('documents that Mistral reads', () => {
  test('are recognised where its SDK sends them, and only there', () => {
    expect(wire.recognise('POST', '/v1/ocr', {})).toBe(true)
    expect(wire.recognise('GET', '/v1/ocr', {})).toBe(false)
    expect(read(call).reading).toMatchObject({ endpoint: 'ocr', model: 'mistral-ocr-latest', billable: true })
  })

  test.each([
    ['short', {}],
    ['long', { padding: 'x'.repeat(100_000) }],
  ])('are billed by the page, in a %s answer', (_, more) => {
    const metered = meter(call, answer(more))
    expect(metered).toMatchObject({ complete: true, model_served: 'mistral-ocr-4-1' })
    expect(metered.usage?.lines).toMatchObject([{ tokens: {}, units: { 'ocr.page': { n: 10 } } }])
  })

  test('cost what the price file says a page costs', async () => {
    const { usage } = meter(call, answer())
    if (!usage) throw new Error('no usage')
    const at_us = Date.parse('2026-11-28') * 1000
    const billed = { provider: 'mistral', model: 'mistral-ocr-4-1', at_us, usage }
    expect(price(billed, compileBook(await loadBook([]))).cost).toBe(40_000_000_000n)
  })

  test('are not billed where there were none', () => {
    const refused = meter({ ...call, status: 422 }, { message: 'no such document', code: 'invalid_document' })
    expect(refused).toMatchObject({ error: { code: 'invalid_document' } })
    expect(refused.usage).toBeUndefined()
  })
})
