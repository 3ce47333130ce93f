import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anatomy, apportion } from '../../src/playbook/measure/anatomy.ts'
import { anyPart } from './readings.ts'

const sum = (numbers: readonly number[]) => numbers.reduce((total, number) => total + number, 0)

test('shares sum to the total, whatever the weights, and differ from the exact share by less than one', () => {
  const weights = fc.array(fc.nat({ max: 1_000_000 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(fc.nat({ max: 2_000_000 }), weights, (total, given) => {
      const shares = apportion(total, given)
      expect(sum(shares)).toBe(total)
      const whole = sum(given)
      if (whole > 0)
        for (const [index, weight] of given.entries())
          expect(Math.abs((shares[index] ?? 0) - (total * weight) / whole)).toBeLessThan(1)
    }),
    { seed: 1 },
  )
})

test('the tokens of the parts sum to what the provider counted', () => {
  fc.assert(
    fc.property(fc.array(anyPart), fc.nat({ max: 1_000_000 }), (parts, input) => {
      expect(sum(Object.values(anatomy(parts, input, 4)))).toBe(input)
    }),
    { seed: 2 },
  )
})

test('tokens go to the parts in proportion to their characters, and a kind that is not there is absent', () => {
  const parts = [
    { kind: 'system', text: 'x'.repeat(300) },
    { kind: 'user', text: 'y'.repeat(60) },
    { kind: 'user', text: 'z'.repeat(40) },
  ] as const
  expect(anatomy(parts, 40, 4)).toEqual({ system_tokens: 30, user_tokens: 10 })
  expect(anatomy(parts, undefined, 4)).toEqual({ system_tokens: 75, user_tokens: 25 })
})

test('a prompt without text is the user’s, and no prompt has no anatomy', () => {
  expect(anatomy([], 258, 4)).toEqual({ user_tokens: 258 })
  expect(anatomy([], undefined, 4)).toEqual({})
})
