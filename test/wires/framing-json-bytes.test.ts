import fc from 'fast-check'
import { expect, test } from 'vitest'
import { applyEdits, inserting, locate, removing, replacing, valueAt } from '../../src/wires/framing/json-bytes.ts'
import { locateAll } from '../../src/wires/framing/json-places.ts'

const pick = (whole: Uint8Array, path: readonly (string | number)[]) => valueAt(whole, locate(whole, path))

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (piece: Uint8Array) => new TextDecoder().decode(piece)
const parameters = { seed: 20261123, numRuns: 300 }

/** Without backslashes: Node 24's JSON.parse itself takes `"\\u00fc"` for an earlier seen name `\`, so it is no judge of them. */
const names = fc.oneof(
  fc.constantFrom('usage', 'a"b', 'ü', '', 'model'),
  fc.string({ unit: 'grapheme' }).map((name) => name.replaceAll('\\', '/')),
)
const values = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.jsonValue({ maxDepth: 0 }),
    fc.dictionary(names, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    fc.array(tie('value'), { maxLength: 4 }),
  ),
})).value
const records = fc.dictionary(names, values, { minKeys: 1, maxKeys: 5, noNullPrototype: true })
const indents = fc.constantFrom('', ' ', '\n\t', '  ')

/** Every path of a value with what lies there. */
const paths = (value: unknown, path: (string | number)[] = []): [(string | number)[], unknown][] => {
  const below = Array.isArray(value)
    ? value.flatMap((item, i) => paths(item, [...path, i]))
    : typeof value === 'object' && value !== null
      ? Object.entries(value).flatMap(([name, item]) => paths(item, [...path, name]))
      : []
  return path.length === 0 ? below : [[path, value], ...below]
}

test('every member of any JSON is found where JSON.parse finds it, whatever the whitespace and escapes', () => {
  fc.assert(
    fc.property(records, indents, fc.boolean(), (value, indent, escaped) => {
      const plain = JSON.stringify(value, null, indent)
      const written = escaped
        ? plain.replace(/[\u007f-\uffff]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`)
        : plain
      const whole = bytes(` ${written}\n`)
      const parsed: unknown = JSON.parse(written)
      for (const [path, wanted] of paths(parsed)) {
        if (path.includes('__proto__')) continue
        expect(pick(whole, path)).toEqual(wanted)
      }
      expect(locate(whole, ['no such name'])).toBeUndefined()
    }),
    parameters,
  )
})

test('many places found in one walk are those that are found one by one', () => {
  fc.assert(
    fc.property(records, indents, fc.nat(), (value, indent, choice) => {
      const whole = bytes(JSON.stringify(value, null, indent))
      const wanted = paths(JSON.parse(text(whole)))
        .map(([path]) => path)
        .filter((path, nth) => (choice + nth) % 3 > 0 && !path.includes('__proto__'))
      const find = locateAll(whole, wanted)
      for (const path of wanted) expect(find(path)).toEqual(locate(whole, path))
      expect(find(['no such name'])).toBeUndefined()
    }),
    parameters,
  )
})

test('strings of any length end at their quote, whatever stands before it', () => {
  const pieces = fc.constantFrom('a', '"', '\\', '\n', 'x'.repeat(300), 'y'.repeat(255), '"'.repeat(9))
  fc.assert(
    fc.property(fc.array(pieces, { maxLength: 12 }), (some) => {
      const written = JSON.stringify({ long: some.join(''), after: 1 })
      expect(pick(bytes(written), ['long'])).toBe(some.join(''))
      expect(pick(bytes(written), ['after'])).toBe(1)
    }),
    parameters,
  )
})

test('removing a member leaves what JSON.parse would give without it, and every other byte', () => {
  fc.assert(
    fc.property(records, indents, fc.nat(), (value, indent, choice) => {
      const written = JSON.stringify(value, null, indent)
      const keys = Object.keys(JSON.parse(written))
      const key = keys[choice % keys.length] ?? ''
      if (key === '__proto__') return
      const place = locate(bytes(written), [key])
      expect(place).toBeDefined()
      if (!place) return
      const { [key]: _, ...rest } = JSON.parse(written)
      expect(JSON.parse(text(applyEdits(bytes(written), [removing(place)])))).toEqual(rest)
    }),
    parameters,
  )
})

test('a member put in is there, whatever was there before', () => {
  fc.assert(
    fc.property(fc.oneof(records, fc.constant({})), indents, values, (value, indent, added) => {
      const whole = bytes(JSON.stringify(value, null, indent))
      const edit = inserting(whole, 0, 'a new "name"', added)
      expect(edit).toBeDefined()
      if (!edit) return
      const wanted = JSON.parse(JSON.stringify({ ...value, 'a new "name"': added }))
      expect(JSON.parse(text(applyEdits(whole, [edit])))).toEqual(wanted)
    }),
    parameters,
  )
})

test('of repeated names the last counts, as for JSON.parse', () => {
  const whole = bytes('{"a":{"x":1},"b":0,"a":{"y":2}, "\\u0061":{"z":3}}')
  expect(pick(whole, ['a'])).toEqual({ z: 3 })
  expect(pick(whole, ['a', 'x'])).toBeUndefined()
  const find = locateAll(whole, [['a', 'x'], ['a', 'y'], ['a', 'z'], ['b']])
  expect([find(['a', 'x']), find(['a', 'y'])]).toEqual([undefined, undefined])
  expect(find(['a', 'z'])).toEqual(locate(whole, ['a', 'z']))
})

test('names with backslashes are told from names with escapes', () => {
  const whole = bytes('{"\\\\":1,"\\u00fc":2,"a\\\\u0062":3}')
  expect([pick(whole, ['\\']), pick(whole, ['ü']), pick(whole, ['a\\u0062'])]).toEqual([1, 2, 3])
})

test('a null usage member is taken out so that the bytes are those of a call that did not ask', () => {
  const without = '{"id":"a","choices":[{"delta":{"content":"\\"usage\\":null"}}],"obfuscation":"x"}'
  const asked = without.replace('],"obf', '],"usage":null,"obf')
  const last = without.replace('"obfuscation":"x"', '"obfuscation":"x", "usage": null')
  const first = without.replace('{"id"', '{"usage":null,"id"')
  for (const written of [asked, last, first]) {
    const place = locate(bytes(written), ['usage'])
    expect(place && text(applyEdits(bytes(written), [removing(place)]))).toBe(without)
  }
})

test('a value is replaced in place', () => {
  const whole = bytes('{"stream_options" : {"include_usage": false}, "n": 1}')
  const place = locate(whole, ['stream_options', 'include_usage'])
  expect(place && text(applyEdits(whole, [replacing(place, true)]))).toBe(
    '{"stream_options" : {"include_usage": true}, "n": 1}',
  )
})

test('what is not JSON is searched without error and without end', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('{', '}', '[', ']', '"', ':', ',', '\\', 'a', '1', ' ') }), (odd) => {
      expect(() => [
        locate(bytes(odd), ['a', 0, 'a']),
        pick(bytes(odd), ['a']),
        inserting(bytes(odd), 0, 'a', 1),
      ]).not.toThrow()
    }),
    { ...parameters, numRuns: 2000 },
  )
})
