/** Editors of wires: what they show of a prompt, and that their edits change what they name and nothing else. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Block, Change } from '../../src/core/prompt.ts'
import type { Wire } from '../../src/core/wire.ts'
import { applyEdits } from '../../src/wires/framing/json-bytes.ts'
import { wire as chat } from '../../src/wires/openai-chat.ts'
import { cases, changesOf, indents, noise, written } from './bodies.ts'

const parameters = { seed: 20261128, numRuns: 150 }
const read = (wire: Wire, path: string, body: Uint8Array) => {
  const json: unknown = JSON.parse(new TextDecoder().decode(body))
  const reading = wire.read({ method: 'POST', path, query: '', headers: {}, body, json }, {})
  return { json, reading, outline: wire.editor?.outline(json, reading.parts) }
}

const seen = (list: readonly Block[]) => list.map(({ text: said, form, mark, name }) => ({ said, form, mark, name }))

/** The block as it should be after the changes that name it; none where it is left out. */
const changed = (block: Block, own: readonly Change[], wire: Wire): Block[] => {
  if (own.some((change) => change.do === 'remove')) return []
  const replaced = own.findLast((change) => change.do === 'replace')
  const placed = wire.name.startsWith('openai') ? '30m' : '1h'
  const mark = own.some((change) => change.do === 'mark') ? placed : block.mark
  return [{ ...block, text: replaced?.text ?? block.text, ...(mark === undefined ? {} : { mark }) }]
}

describe.each(cases)('the editor of %s', (_, wire, path, bodies) => {
  const given = fc.tuple(bodies, noise, indents, fc.boolean(), fc.boolean())

  test('shows every part of the reading as blocks, in order', () => {
    fc.assert(
      fc.property(given, (args) => {
        const { reading, outline } = read(wire, path, written(...args))
        const blocks = outline?.blocks ?? []
        const shown = blocks.map(({ part }) => part).filter((part) => part >= 0)
        expect(shown).toEqual(shown.toSorted((a, b) => a - b))
        reading.parts.forEach((part, index) => {
          const own = blocks.filter((block) => block.part === index)
          expect(own.length, `part ${index}: ${part.text}`).toBeGreaterThan(0)
          for (const block of own) {
            expect(block.kind).toBe(part.kind)
            if (part.kind !== 'tools') expect(part.text).toContain(block.text)
          }
        })
      }),
      parameters,
    )
  })

  test('changes nothing where nothing is wanted', () => {
    fc.assert(
      fc.property(given, (args) => {
        const body = written(...args)
        expect(wire.editor?.edits(body, JSON.parse(new TextDecoder().decode(body)), [])).toEqual([])
      }),
      { ...parameters, numRuns: 20 },
    )
  })

  test('changes what is named, and not a byte besides', () => {
    fc.assert(
      fc.property(given, fc.array(fc.nat(9), { minLength: 7, maxLength: 7 }), (args, dice) => {
        const body = written(...args)
        const { json, outline } = read(wire, path, body)
        const blocks = outline?.blocks ?? []
        const changes = changesOf(blocks, dice, outline?.most_marks ?? 0)
        const edits = [...(wire.editor?.edits(body, json, changes) ?? [])].sort(
          (a, b) => a.start - b.start || a.end - b.end,
        )
        edits.reduce((from, { start, end }) => {
          expect(start).toBeGreaterThanOrEqual(from)
          return end
        }, 0)
        const after = read(wire, path, applyEdits(body, edits))
        const wanted = blocks.flatMap((block, index) =>
          changed(
            block,
            changes.filter((change) => change.do !== 'set' && change.block === index),
            wire,
          ),
        )
        expect(seen(after.outline?.blocks ?? [])).toEqual(seen(wanted))
        for (const [name, value] of Object.entries(args[1]))
          expect((after.json as Record<string, unknown>)[name]).toEqual(value)
      }),
      parameters,
    )
  })

  test('sets fields where they are or where they belong', () => {
    fc.assert(
      fc.property(given, (args) => {
        const body = written(...args)
        const { json, outline } = read(wire, path, body)
        const fields = { max_output_tokens: 321, cache_key: 'k"1', cache_ttl: '12h' } as const
        const edits = wire.editor?.edits(body, json, [{ do: 'set', fields }]) ?? []
        const after = read(wire, path, applyEdits(body, edits))
        expect(after.reading.max_output_tokens).toBe(321)
        expect(after.outline?.fields.max_output_tokens).toBe(321)
        if (wire.name.startsWith('openai'))
          expect(after.outline?.fields).toMatchObject({ cache_key: 'k"1', cache_ttl: '12h' })
        expect(after.outline?.blocks).toEqual(outline?.blocks)
      }),
      parameters,
    )
  })
})

test.each(['\n', '\r\n', '\r'])(
  'a stream says the same with line ends %j, and with a line separator in its text',
  (end) => {
    const chunk = (content: string) => `data: {"choices":[{"delta":{"content":"${content}"}}]}${end}${end}`
    const stream = `: ping${end}${end}${chunk('A\u2028low ')}${chunk('dam.')}data: [DONE]${end}${end}`
    const said = chat.editor?.said(new TextEncoder().encode(stream), 'text/event-stream; charset=utf-8')
    expect(said).toBe('A\u2028low dam.')
  },
)
