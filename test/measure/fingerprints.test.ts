import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Part } from '../../src/core/wire.ts'
import { fingerprinter } from '../../src/playbook/measure/fingerprints.ts'
import { keptBoundaries, prefixTokens } from '../../src/playbook/measure/prefixes.ts'
import { anyPart, hash, reading } from './readings.ts'

const fingerprint = fingerprinter(hash)
const exact = (json: unknown) => fingerprint({ json, reading: reading([], { model: 'm' }) }).fingerprint_exact
const chainOf = (parts: readonly Part[]) => fingerprint({ json: {}, reading: reading(parts) }).chain

/** The same JSON with the keys of every object in another order. */
const shuffled = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(shuffled)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, inner]) => [key, shuffled(inner)]),
  )
}

describe('the exact fingerprint', () => {
  test('does not depend on the order of keys, at any level', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 4 })), (json) => {
        const body = { ...json, tools: [{ name: 'f', parameters: { a: 1, b: [2] } }] }
        expect(exact(shuffled(body))).toBe(exact(body))
      }),
      { seed: 3 },
    )
  })

  test('differs where the JSON differs', () => {
    const content = fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 3 }))
    fc.assert(
      fc.property(content, content, (one, other) => {
        const same = JSON.stringify(sorted(one)) === JSON.stringify(sorted(other))
        expect(exact({ q: one }) === exact({ q: other })).toBe(same)
      }),
      { seed: 4 },
    )
    const long = 'x'.repeat(600)
    expect(exact({ q: [long, 'a'] })).not.toBe(exact({ q: ['a', long] }))
    expect(exact({ q: ['1'] })).not.toBe(exact({ q: [1] }))
  })

  test('leaves out how the answer travels, who asks and what is cached, but not a tool’s own cache_control', () => {
    const body = { messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello' }] }] }
    const marked = {
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Hello', cache_control: { type: 'ephemeral' } }] }],
      cache_control: { type: 'ephemeral', ttl: '1h' },
      stream: true,
      stream_options: { include_usage: true },
      metadata: { user_id: 'u' },
      user: 'u',
    }
    expect(exact(marked)).toBe(exact(body))
    const tool = (properties: object) => ({ tools: [{ input_schema: { type: 'object', properties } }] })
    expect(exact(tool({ cache_control: { type: 'string' } }))).not.toBe(exact(tool({})))
  })

  test('depends on model and endpoint, and is absent for what is not JSON or nested without end', () => {
    const of = (model: string, endpoint: string, json: unknown) =>
      fingerprint({ json, reading: reading([], { model, endpoint }) }).fingerprint_exact
    expect(of('a', 'chat', {})).toMatch(/^[0-9a-f]{16}$/)
    expect(of('a', 'chat', {})).not.toBe(of('b', 'chat', {}))
    expect(of('a', 'chat', {})).not.toBe(of('a', 'embeddings', {}))
    expect(of('a', 'chat', undefined)).toBeUndefined()
    expect(of('a', 'chat', JSON.parse('['.repeat(50_000) + ']'.repeat(50_000)))).toBeUndefined()
  })
})

const sorted = (value: unknown): unknown => {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .map(([key, inner]) => [key, sorted(inner)] as const)
      .sort(([one], [other]) => (one < other ? -1 : 1)),
  )
}

describe('template and conversation', () => {
  const system: Part = { kind: 'system', text: 'You are terse.' }
  const first: Part = { kind: 'user', text: 'Hello' }

  test('stay the same as a conversation grows', () => {
    const one = fingerprint({ json: {}, reading: reading([system, first]) })
    const later = fingerprint({
      json: {},
      reading: reading([
        system,
        { ...first, kind: 'history' },
        { kind: 'history', text: 'Hi.' },
        { kind: 'user', text: 'More' },
      ]),
    })
    expect(later.fingerprint_template).toBe(one.fingerprint_template)
    expect(later.fingerprint_conversation).toBe(one.fingerprint_conversation)
  })

  test('tell apart other tools, another format and another beginning', () => {
    const of = (parts: readonly Part[], response_format?: string) =>
      fingerprint({ json: {}, reading: reading(parts, response_format === undefined ? {} : { response_format }) })
    const plain = of([system, first])
    expect(of([{ kind: 'tools', text: '[]' }, system, first]).fingerprint_template).not.toBe(plain.fingerprint_template)
    expect(of([system, first], 'json_object').fingerprint_template).not.toBe(plain.fingerprint_template)
    const other = of([system, { kind: 'user', text: 'Goodbye' }])
    expect(other.fingerprint_template).toBe(plain.fingerprint_template)
    expect(other.fingerprint_conversation).not.toBe(plain.fingerprint_conversation)
    expect(of([first]).fingerprint_template).toBeUndefined()
  })
})

describe('the prefix chain', () => {
  const parts = fc.array(anyPart, { minLength: 1, maxLength: 150 })

  test('of two prompts agrees exactly as far as the prompts do', () => {
    fc.assert(
      fc.property(fc.array(anyPart, { maxLength: 20 }), anyPart, anyPart, (common, one, other) => {
        fc.pre(one.text !== other.text)
        const left = chainOf([...common, one])
        const right = chainOf([...common, other])
        expect(left.hashes.slice(0, common.length)).toEqual(right.hashes.slice(0, common.length))
        expect(left.hashes.at(-1)).not.toBe(right.hashes.at(-1))
      }),
      { seed: 5 },
    )
  })

  test('does not care that the user’s words of yesterday are history today, nor how text is cut across blocks', () => {
    const user: Part = { kind: 'user', text: 'Hello' }
    expect(chainOf([user]).hashes).toEqual(chainOf([{ kind: 'history', text: 'Hello' }]).hashes)
    expect(
      chainOf([
        { kind: 'user', text: 'ab' },
        { kind: 'user', text: 'c' },
      ]).hashes.at(-1),
    ).not.toBe(
      chainOf([
        { kind: 'user', text: 'a' },
        { kind: 'user', text: 'bc' },
      ]).hashes.at(-1),
    )
  })

  test('tells a long text from a short one that is its digest', () => {
    const long = 'x'.repeat(1000)
    expect(chainOf([{ kind: 'user', text: long }]).hashes).not.toEqual(
      chainOf([{ kind: 'user', text: hash(long) }]).hashes,
    )
  })

  test('has at most 64 ascending boundaries, and the last is the whole prompt', () => {
    fc.assert(
      fc.property(parts, (given) => {
        const { hashes, characters } = chainOf(given)
        expect(hashes.length).toBe(Math.min(64, characters.length))
        expect(characters.at(-1)).toBe(given.reduce((sum, part) => sum + part.text.length, 0))
        expect([...characters]).toEqual([...characters].sort((a, b) => a - b))
      }),
      { seed: 6, numRuns: 40 },
    )
  })

  test('is thinned so that the first 8, the last 24 and a spread of the middle stay', () => {
    for (const count of [1, 64, 65, 100, 333, 1000, 20_000]) {
      const kept = keptBoundaries(count)
      expect(kept.length).toBeLessThanOrEqual(64)
      expect(kept.slice(0, Math.min(8, count))).toEqual(Array.from({ length: Math.min(8, count) }, (_, i) => i))
      expect(kept.slice(-Math.min(24, count))).toEqual(
        Array.from({ length: Math.min(24, count) }, (_, i) => count - Math.min(24, count) + i),
      )
      // Between neighbours at most half of the way from the start is lost.
      for (const [at, index] of kept.entries()) expect(index).toBeLessThanOrEqual(2 * (kept[at - 1] ?? index) + 1)
    }
  })

  test('thins alike: a boundary in the middle of a longer chain is kept in a shorter one', () => {
    fc.assert(
      fc.property(fc.integer({ min: 65, max: 5000 }), fc.integer({ min: 0, max: 3000 }), (count, more) => {
        const shorter = new Set(keptBoundaries(count))
        const longer = keptBoundaries(count + more)
        const shared = longer.filter((index) => index < count && index < count + more - 24)
        expect(shared.filter((index) => !shorter.has(index))).toEqual([])
      }),
      { seed: 7 },
    )
  })

  test('scales to tokens so that nothing is lost and the last boundary is the provider’s count', () => {
    fc.assert(
      fc.property(parts, fc.nat({ max: 1_000_000 }), (given, input) => {
        const tokens = prefixTokens(chainOf(given), input, 4)
        expect(tokens.at(-1)).toBe(input)
        expect([...tokens]).toEqual([...tokens].sort((a, b) => a - b))
      }),
      { seed: 8, numRuns: 40 },
    )
    expect(prefixTokens({ hashes: ['a', 'b'], characters: [40, 100] }, undefined, 4)).toEqual([10, 25])
  })
})
