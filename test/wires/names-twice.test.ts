import fc from 'fast-check'
import { expect, test } from 'vitest'
import { namesTwice } from '../../src/wires/framing/names-twice.ts'

/** Texts made of what might deceive: quotes, colons, backslashes and blanks within strings. */
const tricky = fc.string({ unit: fc.constantFrom('"', ':', '\\', ' ', '\n', '{', '}', ',', 'a', 'é', '\u2028') })
const { value } = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    tricky,
    fc.integer(),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(tricky, tie('value'), { maxKeys: 4 }),
  ),
}))
const body = fc.dictionary(tricky, value, { minKeys: 1, maxKeys: 5 })

const twice = (text: string): boolean => namesTwice(Buffer.from(text), JSON.parse(text))

/** JSON with blanks wherever it allows them. */
const written = (json: unknown, blank: string): string => {
  if (typeof json !== 'object' || json === null) return JSON.stringify(json)
  const joined = (pieces: readonly string[]): string => pieces.join(`${blank},${blank}`)
  if (Array.isArray(json)) return `[${joined(json.map((inner) => written(inner, blank)))}]`
  return `{${joined(Object.entries(json).map(([name, inner]) => `${JSON.stringify(name)}${blank}:${blank}${written(inner, blank)}`))}}`
}

test('no body that names each member once is taken for one that names it twice, and each that does is found', () => {
  fc.assert(
    fc.property(body, fc.constantFrom('', ' ', '\n\t '), (json, blank) => {
      const text = written(json, blank)
      expect(twice(text)).toBe(false)
      const [name = ''] = Object.keys(json)
      const again = `{${JSON.stringify(name)}${blank}:":\\\\",${text.slice(1)}`
      expect(twice(again)).toBe(true)
      expect(twice(`{"deep":[${again}]}`)).toBe(true)
    }),
    { seed: 7, numRuns: 2000 },
  )
})

test('a name in escapes is the same name', () => {
  expect(twice('{"max_tokens":1,"max\\u005ftokens":9}')).toBe(true)
  expect(twice('{"a":"\\\\","b\\"":1}')).toBe(false)
})
