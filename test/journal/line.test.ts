import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeLine, encodeLine, identifyLine } from '../../src/core/journal-line.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { earlierLine } from '../ledger/earlier.ts'
import { fullReceipt, lineAsJson, receipt, usd } from '../ledger/receipts.ts'

const told = (r: Receipt) => decodeLine(encodeLine('receipt', r).slice(0, -1))

describe('a journal line', () => {
  test('says every field by position and gives it back', () => {
    const full = { ...fullReceipt(), cost_usd: usd('123456.000000000001') }
    const line = encodeLine('open', full)
    expect(line.startsWith('o2\u001d0199-full\u001d')).toBe(true)
    expect(line.endsWith('\u001d.\n')).toBe(true)
    expect(encodeLine('receipt', full).startsWith('r2\t0199-full\t')).toBe(true)
    expect(decodeLine(line.slice(0, -1))).toEqual({ k: 'open', r: full })
    expect(line.length).toBeLessThan(lineAsJson('open', full).length / 2)
  })

  test('is JSON where a position cannot hold a value, and holds it all the same', () => {
    const odd: readonly Partial<Receipt>[] = [
      { team: '' },
      { user: 'a\tb' },
      { finish_reason: 'a\nb' },
      { usage_raw: '{\n}' },
      { usage_raw: '\u001f' },
      { cost_usd: usd('1000000') },
      { cost_usd: usd('0.0000000000001') },
      { lines: [] },
      { prefix_hashes: ['short'] },
      { prefix_tokens: [] },
      { input_tokens: 1.5 },
    ]
    for (const fields of odd) {
      const one = receipt(fields)
      expect(encodeLine('receipt', one)).toMatch(/^\{"k":"receipt"/)
      expect(told(one)).toEqual({ k: 'receipt', r: one })
    }
  })

  test('is one line and comes back, whatever texts and amounts a receipt has', () => {
    const text = fc.string({ unit: 'binary' }).filter((one) => one.isWellFormed())
    const money = fc.integer({ min: -(10 ** 9), max: 10 ** 9 }).map((one) => usd(String(one)))
    const some = fc.record(
      {
        team: text,
        user: text,
        error_code: text,
        usage_raw: text,
        trace_id: text,
        tags: fc.dictionary(text, text),
        warnings: fc.array(text),
        stream: fc.boolean(),
        cost_usd: money,
        reserved_usd: money,
        input_tokens: fc.maxSafeInteger(),
        quality_score: fc.double({ noNaN: true, noDefaultInfinity: true }).map((one) => one + 0),
        lines: fc.array(
          fc.record({ kind: fc.constant('message'), model: text, meter: fc.constant('request'), quantity: fc.nat() }),
        ),
        prefix_tokens: fc.array(fc.nat()),
      },
      { requiredKeys: [] },
    )
    fc.assert(
      fc.property(some, (fields) => {
        const one = JSON.parse(JSON.stringify(receipt(fields as Partial<Receipt>))) as Receipt
        const line = encodeLine('receipt', one)
        expect(line.indexOf('\n')).toBe(line.length - 1)
        expect(told(one)).toEqual({ k: 'receipt', r: one })
        expect(identifyLine(line.slice(0, -1))).toEqual({ k: 'receipt', id: one.receipt_id })
      }),
      { seed: 11, numRuns: 500 },
    )
  })

  test('that is cut anywhere is no line', () => {
    for (const line of [encodeLine('receipt', fullReceipt()), encodeLine('open', receipt())])
      for (let length = 1; length < line.length - 1; length += 1)
        expect(() => decodeLine(line.slice(0, length)), line.slice(0, length)).toThrow()
  })

  test('by position in its first form is still read and told apart', () => {
    const { line, receipt: one } = earlierLine('receipt', 'an-id')
    expect(decodeLine(line)).toEqual({ k: 'receipt', r: one })
    expect(identifyLine(line)).toEqual({ k: 'receipt', id: 'an-id' })
    expect(identifyLine(earlierLine('open', 'other').line)).toEqual({ k: 'open', id: 'other' })
    for (let length = 1; length < line.length; length += 1) expect(() => decodeLine(line.slice(0, length))).toThrow()
  })

  test('says a chain that two lines share the same way, and anew where its tokens differ', () => {
    const prefix_hashes = ['00000000000000aa', 'ffffffffffffffbb']
    const one = receipt({ prefix_hashes, prefix_tokens: [1, 2] })
    const other = receipt({ prefix_hashes, prefix_tokens: [1, 3] })
    for (const each of [one, one, other]) expect(told(each).r).toEqual(each)
  })

  test('of the first format is still read and told apart', () => {
    const one = receipt()
    expect(decodeLine(lineAsJson('open', one))).toEqual({ k: 'open', r: one })
    expect(identifyLine(lineAsJson('open', one))).toEqual({ k: 'open', id: one.receipt_id })
    expect(identifyLine('r3\tnewer\t.')).toBeUndefined()
    expect(identifyLine('\u0000\u0000')).toBeUndefined()
  })
})
