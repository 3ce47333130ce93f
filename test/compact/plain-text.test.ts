import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { documentAt } from '../../src/playbook/compact/json-text.ts'
import { tidied } from '../../src/playbook/compact/plain-text.ts'

/** A whole text, read as one document. */
const minifiedJson = (text: string) => {
  const found = documentAt(text, text.length - text.trimStart().length)
  return found && text.slice(found.end).trim() === '' ? found.made : undefined
}

const both = { json: true, blanks: true }

/** Blanks as people and programs write them between the tokens of a document. */
const blank = fc.stringMatching(/^[ \t\n\r]{0,4}$/)
const number = fc.constantFrom(
  '0',
  '-0',
  '1.0',
  '1.50',
  '12345678901234567890',
  '1E+2',
  '0.1e-7',
  '-0.00',
  '9007199254740993',
)
const text = fc.string({ unit: 'grapheme' }).map((value) => JSON.stringify(value))
const escaped = fc.constantFrom('"\\u00e9 \\" \\\\"', '"a\\n  b"', '"{ \\"a\\" : 1 }"', '"\\\\"')

/** JSON texts with odd numbers, escapes and blanks everywhere. */
const document = fc.letrec((tie) => ({
  value: fc.oneof(
    { depthSize: 'small' },
    number,
    text,
    escaped,
    fc.constantFrom('true', 'false', 'null'),
    tie('list'),
    tie('record'),
  ),
  list: fc
    .tuple(
      fc.array(
        fc.tuple(blank, tie('value'), blank).map((parts) => parts.join('')),
        { maxLength: 5 },
      ),
      blank,
    )
    .map(([items, inner]) => `[${items.length === 0 ? inner : items.join(',')}]`),
  record: fc
    .tuple(
      fc.array(
        fc.tuple(blank, text, blank, fc.constant(':'), blank, tie('value'), blank).map((parts) => parts.join('')),
        { maxLength: 5 },
      ),
      blank,
    )
    .map(([items, inner]) => `{${items.length === 0 ? inner : items.join(',')}}`),
}))

const numbers = (json: string) => json.replace(/"(?:[^"\\]|\\.)*"/g, '').match(/-?\d[\d.eE+-]*/g) ?? []

/** Prose, fences, lists, documents and every kind of blank. */
const prose = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        '',
        '  ',
        '\t',
        '```',
        '```json',
        '~~~~',
        '- [ ] a task',
        '[1] a source  ',
        'def f():  ',
        '    indented',
        '{',
        '}',
        '[',
        ']',
      ),
      fc.string({ maxLength: 12 }),
      document.value,
      document.record,
    ),
    { maxLength: 12 },
  )
  .chain((lines) => fc.constantFrom('\n', '\r\n', '\n\n\n', ' \n').map((end) => lines.join(end)))

describe('a minified document', () => {
  test('has the same value, the same numbers to the letter, and no blank outside of strings', () => {
    fc.assert(
      fc.property(fc.tuple(blank, fc.oneof(document.list, document.record), blank), (parts) => {
        const json = parts.join('')
        const made = minifiedJson(json) ?? ''
        expect(JSON.parse(made)).toEqual(JSON.parse(json))
        expect(numbers(made)).toEqual(numbers(json))
        expect(made.replace(/"(?:[^"\\]|\\.)*"/g, '')).not.toMatch(/\s/)
        expect(made.length).toBeLessThanOrEqual(json.length)
      }),
      { numRuns: 2000 },
    )
  })

  test('is found exactly where JSON.parse finds one', () => {
    const noise = fc.array(
      fc.constantFrom('{', '}', '[', ']', ',', ':', ' ', '"a"', '1', '-', 'true', 'null', '.5', 'e3'),
      { maxLength: 9 },
    )
    fc.assert(
      fc.property(noise, (tokens) => {
        const text = `[${tokens.join('')}]`
        let is = true
        try {
          JSON.parse(text)
        } catch {
          is = false
        }
        expect(minifiedJson(text) !== undefined).toBe(is)
      }),
      { numRuns: 5000 },
    )
  })

  test('is nothing for a text that only looks like one', () => {
    const fakes = [
      "{'a': 1}",
      '[see the notes]',
      '{ "a" : 1',
      '{"a": 1 2}',
      '[1, 2, ]',
      '{ name }',
      '[01, 2]',
      '[1. , 2]',
      '[ - ]',
    ]
    const more = [
      '{"a" "b"}',
      '{"a": 1, }',
      '{ , }',
      '[1 : 2]',
      '{"a": [1, 2}]',
      '[truely, 1]',
      '[ "a ]',
      '{1: 2}',
      '[nul]',
      '[NaN, 1]',
    ]
    for (const fake of [...fakes, ...more]) expect(minifiedJson(fake)).toBeUndefined()
  })
})

describe('a tidied text', () => {
  test('is never longer, tidy at once, and has all that is not blank', () => {
    fc.assert(
      fc.property(prose, (text) => {
        const made = tidied(text, both)
        expect(made.length).toBeLessThanOrEqual(text.length)
        expect(tidied(made, both)).toBe(made)
        expect(made.replace(/\s/g, '')).toBe(text.replace(/\s/g, ''))
      }),
      { numRuns: 3000 },
    )
  })

  test('keeps code blocks, indentation and single blank lines as they are', () => {
    const text = 'Look:\n\n```python\ndef f(): \n\n\n\n    return {"a": 1}\n```\n\n    kept\n'
    expect(tidied(text, both)).toBe(text)
    const open = 'then\n~~~\n{ "a":  1 }  \n\n\n\nnever closed'
    expect(tidied(open, both)).toBe(open)
  })

  test('keeps a code block in a list, however deep it stands in', () => {
    const text = '1. Do:\n    ```python\n    x = 1  \n\n\n    y = {"a":  1}\n    ```\n'
    expect(tidied(text, both)).toBe(text)
  })

  test('keeps blanks at line ends that mean something: breaks of Markdown, empty columns, lines of a diff', () => {
    const poem = 'Roses are red,  \nviolets are blue.'
    expect(tidied(poem, both)).toBe(poem)
    expect(tidied('a     \nb', both)).toBe('a  \nb')
    expect(tidied('a  \n\nb  ', both)).toBe('a\n\nb')
    const table = 'id\tname\tnote\n1\tAnn\t\n2\t\t\n'
    expect(tidied(table, both)).toBe(table)
    const diff = '--- a/x\n+++ b/x\n@@ -1,3 +1,3 @@\n a\n \n \n-b \n+c\n'
    expect(tidied(diff, both)).toBe(diff)
  })

  test('loses blanks at line ends and all but one of several blank lines', () => {
    expect(tidied('a \r\nb    \n\n \t\n\nc', both)).toBe('a\r\nb\n\nc')
  })

  test('loses the blanks of documents on lines of their own, and of each line of NDJSON', () => {
    const row = `{"name": "${'x'.repeat(60)}", "price": 1.50}`
    const made = row.replaceAll('": ', '":').replaceAll(', ', ',')
    expect(tidied(`Found:\n${JSON.stringify({ a: ['x'.repeat(60)] }, null, 2)}\nThat is all.`, both)).toBe(
      `Found:\n{"a":["${'x'.repeat(60)}"]}\nThat is all.`,
    )
    expect(tidied(`${row}\n${row}\n`, both)).toBe(`${made}\n${made}\n`)
    expect(tidied(`Prose {"a": 1, "b": "${'x'.repeat(60)}"}`, both)).toBe(`Prose {"a": 1, "b": "${'x'.repeat(60)}"}`)
  })

  test('does only what it is asked to', () => {
    const text = '{ "a": 1 }'
    expect(tidied(text, { json: false, blanks: true })).toBe(text)
    expect(tidied('a  \nb', { json: true, blanks: false })).toBe('a  \nb')
  })

  test('is found in time that grows with the text, whatever the text', () => {
    for (const piece of ['[', '{"', '[ ', ' ', '"', '\\"', '{"a":[', '\n[', '`'])
      for (const end of ['', '\n']) {
        const started = performance.now()
        tidied((piece + end).repeat(50_000), both)
        expect(performance.now() - started, `${piece}${end}`).toBeLessThan(1000)
      }
  })
})
