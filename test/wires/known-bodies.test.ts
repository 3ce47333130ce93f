/** Editors that remember a conversation's last body: what comes of it is what comes of a body that nobody has seen. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Change } from '../../src/core/prompt.ts'
import type { Edit, Wire } from '../../src/core/wire.ts'
import { openBodies } from '../../src/gateway/levers/bodies.ts'
import { applyEdits } from '../../src/wires/framing/json-bytes.ts'
import { cases, changesOf, indents, noise, written } from './bodies.ts'

type Body = Readonly<Record<string, unknown>>
/** What happens to a conversation from one call to the next; `other` is a body that has what is new. */
type Step = Readonly<{
  act: 'grow' | 'shorten' | 'edit' | 'again' | 'fields' | 'other' | 'turned' | 'named twice'
  other: object
  at: number
  changes: 'same' | 'new' | 'none'
}>

const lists: Readonly<Record<string, string>> = {
  'anthropic-messages': 'messages',
  'openai-chat': 'messages',
  'openai-responses': 'input',
  'gemini-generate': 'contents',
  'bedrock-converse': 'messages',
}

const listOf = (body: Body, list: string): readonly unknown[] => {
  const value = body[list]
  return Array.isArray(value) ? value : []
}

const after = (body: Body, { act, other: given, at }: Step, list: string): Body => {
  const other = given as Body
  const [old, more] = [listOf(body, list), listOf(other, list)]
  if (act === 'grow') return { ...body, [list]: [...old, ...more] }
  if (act === 'shorten') return { ...body, [list]: old.slice(0, Math.max(1, old.length - at)) }
  if (act === 'edit') return { ...body, [list]: old.map((one, index) => (index === at ? (more[0] ?? one) : one)) }
  if (act === 'fields') return { ...other, [list]: body[list] }
  if (act === 'other') return other
  if (act !== 'turned') return body
  const { [list]: first, ...rest } = body
  return { [list]: first, ...rest }
}

const ordered = (edits: readonly Edit[]) =>
  edits
    .map(({ start, end, bytes }) => ({ start, end, bytes: Buffer.from(bytes).toString() }))
    .sort((left, right) => left.start - right.start || left.end - right.end)

const parsed = (body: Uint8Array): unknown => JSON.parse(new TextDecoder().decode(body))

/** Levers repeat a change of theirs as the same object for as long as its block stands. */
const openChanges = () => {
  const known = new Map<string, Change>()
  return (change: Change): Change => {
    const name = JSON.stringify(change)
    known.set(name, known.get(name) ?? change)
    return known.get(name) ?? change
  }
}

const conversation = (wire: Wire, path: string, most_bytes: number) => {
  const memory = openBodies(most_bytes)
  const repeated = openChanges()
  return (body: Uint8Array, name: string, dice: readonly number[], changing: Step['changes']): void => {
    const json = parsed(body)
    const { parts } = wire.read({ method: 'POST', path, query: '', headers: {}, body, json }, {})
    const fresh = wire.editor?.outline(json, parts)
    const other = parsed(body)
    const outline = wire.editor?.outline(other, parts, { body, name, memory })
    expect(outline).toEqual(fresh)
    if (changing === 'none') return
    const set: Change[] = (dice[0] ?? 0) % 2 === 0 ? [{ do: 'set', fields: { max_output_tokens: 321 } }] : []
    // Where nothing is left out, edits of texts are remembered.
    const stays = ({ do: act }: Change) => act !== 'remove' || (dice[1] ?? 0) < 5
    const drawn = [...changesOf(outline?.blocks ?? [], dice, outline?.most_marks ?? 0).filter(stays), ...set]
    const anew = (one: Change): Change => (one.do === 'replace' ? { ...one, text: `${one.text} anew` } : one)
    const changes = drawn.map(changing === 'same' ? repeated : anew)
    const wanted = wire.editor?.edits(body, json, changes) ?? []
    const edits = wire.editor?.edits(body, other, changes, outline) ?? []
    expect(ordered(edits)).toEqual(ordered(wanted))
    expect(applyEdits(body, edits)).toEqual(applyEdits(body, wanted))
  }
}

describe.each(cases)('the editor of %s', (wire_name, wire, path, bodies) => {
  const list = lists[wire_name] ?? ''
  const step: fc.Arbitrary<Step> = fc.record({
    act: fc.constantFrom<Step['act'][]>(
      ...(['grow', 'grow', 'grow', 'shorten', 'edit', 'again', 'fields', 'other', 'turned', 'named twice'] as const),
    ),
    other: bodies,
    at: fc.nat(4),
    changes: fc.constantFrom<Step['changes'][]>('same', 'same', 'new', 'none'),
  })

  test('finds the same, and makes the same edits, whatever came before in the conversation', () => {
    const given = fc.record({
      begun: bodies,
      more: noise,
      indent: indents,
      steps: fc.array(step, { minLength: 2, maxLength: 8 }),
      dice: fc.array(fc.nat(9), { minLength: 7, maxLength: 7 }),
      most_bytes: fc.constantFrom(300, 1_000_000),
    })
    fc.assert(
      fc.property(given, ({ begun, more, indent, steps, dice, most_bytes }) => {
        const call = conversation(wire, path, most_bytes)
        let body = begun as Body
        for (const one of [{ act: 'again', other: begun, at: 0, changes: 'same' } as const, ...steps]) {
          body = after(body, one, list)
          const bytes = written(body, more, indent, false, false)
          const again = JSON.stringify(listOf(one.other as Body, list))
          const twice = Buffer.from(bytes).toString().replace(/\}$/, `,"${list}":${again}}`)
          call(one.act === 'named twice' ? Buffer.from(twice) : bytes, one.at === 4 ? 'b' : 'a', dice, one.changes)
        }
      }),
      { seed: 20261128, numRuns: 80 },
    )
  })
})

test('no more bytes of bodies are remembered than may be, and those that were used last', () => {
  const memory = openBodies(10_000)
  for (let nth = 0; nth < 100; nth++) {
    memory.set('again', { body: new Uint8Array(1000) })
    memory.set(`${nth}`, { body: new Uint8Array(500) })
  }
  const kept = Array.from({ length: 100 }, (_, nth) => memory.get(`${nth}`)?.body.length ?? 0)
  const sum = kept.reduce((all, bytes) => all + bytes, 1000)
  expect(memory.get('again')).toBeDefined()
  expect(kept[99]).toBe(500)
  expect(sum).toBeGreaterThan(4000)
  expect(sum).toBeLessThanOrEqual(11_000)
})
