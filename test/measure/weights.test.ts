import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anatomy } from '../../src/playbook/measure/anatomy.ts'
import { linkParts, prefixTokens, weighted } from '../../src/playbook/measure/prefixes.ts'
import { weightsOf } from '../../src/playbook/measure/weights.ts'

const parts = [
  { kind: 'system', text: 's'.repeat(4000) },
  { kind: 'context', text: ' '.repeat(9000) },
  { kind: 'user', text: 'u'.repeat(400) },
] as const
const { chain } = linkParts(parts, (text) => text.slice(0, 16))

test('a text that was counted has its own tokens, and the others share the rest by their characters', () => {
  const weights = weightsOf(parts, 1700, new Map([[1, { characters: 9000, tokens: 600 }]])) ?? []
  expect(prefixTokens(weighted(chain, weights), 1700, 4)).toEqual([1000, 1600, 1700])
  expect(anatomy(parts, 1700, 4, {}, weights)).toEqual({ system_tokens: 1000, context_tokens: 600, user_tokens: 100 })
})

test('characters decide where nothing was counted, or where more than text was', () => {
  expect(weightsOf(parts, 1700, undefined)).toBeUndefined()
  expect(weightsOf(parts, undefined, new Map([[1, { characters: 9000, tokens: 600 }]]))).toBeUndefined()
  expect(weightsOf(parts, 90_000, new Map([[1, { characters: 9000, tokens: 600 }]]))).toBeUndefined()
  expect(weightsOf(parts, 500, new Map([[1, { characters: 9000, tokens: 600 }]]))).toBeUndefined()
})

test('whatever was counted, a chain ascends to the whole and is as long as it was', () => {
  const texts = fc.array(fc.tuple(fc.nat(2000), fc.option(fc.nat(500))), { minLength: 1, maxLength: 90 })
  fc.assert(
    fc.property(texts, fc.integer({ min: 1, max: 60_000 }), (made, input) => {
      const all = made.map(([length], at) => ({ kind: 'user' as const, text: `${at}`.padEnd(length + 3, 'x') }))
      const counted = made.flatMap(([, tokens], at) =>
        tokens === null ? [] : [[at, { characters: all[at]?.text.length ?? 0, tokens }] as const],
      )
      const weights = weightsOf(all, input, new Map(counted))
      if (weights === undefined) return
      const linked = linkParts(all, (text) => text)
      const tokens = prefixTokens(weighted(linked.chain, weights), input, 4)
      expect(tokens.length).toBe(linked.chain.hashes.length)
      expect(tokens.at(-1)).toBe(input)
      expect(tokens.toSorted((one, two) => one - two)).toEqual(tokens)
    }),
  )
})
