import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { LeverMode } from '../../src/core/lever.ts'
import { lever as minify } from '../../src/playbook/compact/minify.ts'
import { callOf, chosen, kitOf, type Message, type Prompt, sent } from './calling.ts'

const document = (rows: number) =>
  JSON.stringify(
    Array.from({ length: rows }, (_, id) => ({ id, name: `row ${id}` })),
    null,
    2,
  )

/** A conversation of so many turns, each with a tool's answer in pretty JSON. */
const conversation = (turns: number, rows = 40): Message[] => [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'What is in the tables?' },
  ...Array.from({ length: turns }, (_, turn): Message[] => [
    {
      role: 'assistant',
      tool_calls: [{ id: `call_${turn}`, function: { name: 'read', arguments: `{"table": ${turn}}` } }],
    },
    { role: 'tool', content: `${document(rows + turn)}\n`, tool_call_id: `call_${turn}`, name: 'read' },
  ]).flat(),
]

const upTo = (turn: number, all = conversation(30)): Prompt => ({ messages: all.slice(0, 2 + 2 * turn) })

const settings = chosen(minify)

/** Sends one turn after the other, `gap_s` apart, and gives back what was sent. */
const drive = (
  kit: ReturnType<typeof kitOf>,
  turns: readonly number[],
  start_s = 0,
  gap_s = 20,
  mode: LeverMode = 'on',
) =>
  turns.map((turn, index) => {
    const call = callOf(upTo(turn), start_s + index * gap_s)
    const pulled = minify.pull(call, settings, { ...kit, ...(mode === 'observe' ? { mode } : {}) })
    return { call, pulled, texts: sent(call, pulled) }
  })

const isPrefix = (before: readonly (string | undefined)[], after: readonly (string | undefined)[]) =>
  before.every((text, index) => after[index] === text)

describe('a lever that edits a conversation', () => {
  test('makes the same edits at the same places on every later turn', () => {
    const calls = drive(kitOf(), [1, 2, 3, 4, 5, 6])
    for (const [index, { texts, pulled }] of calls.entries()) {
      expect(pulled).toMatchObject({ do: 'change' })
      expect(isPrefix(calls[index - 1]?.texts ?? [], texts)).toBe(true)
    }
  })

  test('leaves a cached prefix alone when it is turned on in the middle, and edits what is new', () => {
    const kit = kitOf()
    drive(kit, [1, 2, 3, 4], 0, 20, 'observe')
    const raw =
      callOf(upTo(4))
        .outline()
        ?.blocks.map(({ text }) => text) ?? []
    const calls = drive(kit, [5, 6, 7], 100)
    for (const { texts, pulled } of calls) {
      expect(isPrefix(raw, texts)).toBe(true)
      expect(pulled).toMatchObject({ do: 'change', why: expect.stringMatching(/edits wait: they would cost more/) })
    }
    expect(calls[2]?.texts.at(-1)).not.toContain('\n')
  })

  test('does the same without having seen the conversation, if it was turned on within the life of the cache', () => {
    const recent = drive(kitOf({ on_since_us: 90e6 }), [8], 100)
    const raw =
      callOf(upTo(7))
        .outline()
        ?.blocks.map(({ text }) => text) ?? []
    expect(isPrefix(raw, recent[0]?.texts ?? [])).toBe(true)
    const old = drive(kitOf({ on_since_us: 90e6 }), [8], 100 + 600)
    expect(isPrefix(raw, old[0]?.texts ?? [])).toBe(false)
  })

  test('leaves alone what a tool has read that the model quotes to the letter', () => {
    const read = (name: string): Message[] => [
      { role: 'user', content: 'Change the file.' },
      { role: 'assistant', tool_calls: [{ id: 'c1', function: { name, arguments: '{}' } }] },
      { role: 'tool', tool_call_id: 'c1', content: 'def a():\n    pass \n\n\ndef b():\n    pass\n' },
    ]
    const sentFor = (name: string) => {
      const call = callOf({ messages: read(name) })
      return sent(call, minify.pull(call, settings, kitOf())).at(-1)
    }
    for (const name of ['read_text_file', 'mcp__fs__read_file', 'str_replace_based_edit_tool', 'view'])
      expect(sentFor(name), name).toBe('def a():\n    pass \n\n\ndef b():\n    pass\n')
    expect(sentFor('run')).toBe('def a():\n    pass\n\ndef b():\n    pass\n')
  })

  test('edits everything once the cache has gone cold', () => {
    const kit = kitOf()
    drive(kit, [1, 2, 3, 4], 0, 20, 'observe')
    const [cold] = drive(kit, [5], 1000)
    expect(cold?.texts.filter((text) => text?.includes('\n'))).toEqual([])
    expect(cold?.pulled).toMatchObject({ why: expect.not.stringContaining('wait') })
  })

  test('rewrites a warm prefix where so many calls are to come that it pays', () => {
    // Runs of this route are long: hundreds of calls are expected after the fifth.
    const kit = kitOf()
    drive(kit, [1, 2, 3, 4], 0, 20, 'observe')
    const before = drive(kit, [5], 100)[0]
    expect(before?.pulled).toMatchObject({ why: expect.stringContaining('wait') })
    for (let run = 0; run < 100; run++) {
      const other = upTo(1, [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: `Question ${run}` },
        ...conversation(30).slice(2),
      ])
      const first = callOf(other, 110)
      for (let call = 0; call < 70; call++) minify.pull({ ...first, at_us: (110 + call) * 1e6 }, settings, kit)
    }
    const after = drive(kit, [6], 200)[0]
    expect(after?.pulled).toMatchObject({ why: expect.not.stringContaining('wait') })
  })

  test('says of what it only observed what it would have done from the start', () => {
    const observed = drive(kitOf(), [1, 2, 3], 0, 20, 'observe')
    const on = drive(kitOf(), [1, 2, 3])
    expect(observed.map(({ pulled }) => pulled)).toEqual(on.map(({ pulled }) => pulled))
  })

  test('counts what it took out up to each boundary: never less than before it, never more than there was', () => {
    for (const { call, pulled } of drive(kitOf(), [1, 3, 9])) {
      if (pulled.do !== 'change') throw new Error('nothing was changed')
      const { removed = [] } = pulled
      expect(removed).toHaveLength(call.chain.tokens.length)
      expect(removed).toEqual([...removed].sort((left, right) => left - right))
      for (const [index, tokens] of removed.entries()) expect(tokens).toBeLessThanOrEqual(call.chain.tokens[index] ?? 0)
      const asked = call.outline()?.blocks.reduce((sum, { text }) => sum + text.length, 0) ?? 0
      const left = sent(call, pulled).reduce((sum, text) => sum + (text?.length ?? 0), 0)
      expect(Math.abs((removed.at(-1) ?? 0) - (asked - left) / 4)).toBeLessThanOrEqual(1)
    }
  })

  test('keeps a prefix stable through branches, repeats and gaps, once it was on from the start', () => {
    const turns = fc.array(fc.tuple(fc.integer({ min: 1, max: 12 }), fc.constantFrom(1, 20, 299, 4000)), {
      minLength: 2,
      maxLength: 12,
    })
    fc.assert(
      fc.property(turns, (turns) => {
        const kit = kitOf()
        const whole = drive(kitOf(), [12])[0]?.texts ?? []
        let now = 0
        for (const [turn, gap] of turns) {
          now += gap
          const { texts } = drive(kit, [turn], now)[0] ?? { texts: [] }
          expect(texts).toEqual(whole.slice(0, texts.length))
        }
      }),
    )
  })

  test('takes nothing of another tenant’s conversation for its own', () => {
    const kit = kitOf()
    drive(kit, [1, 2, 3, 4], 0, 20, 'observe')
    const call = callOf(upTo(5), 100, { tenant: 'another' })
    expect(minify.pull(call, settings, kit)).toMatchObject({ why: expect.not.stringContaining('wait') })
  })

  test('does nothing, and says so, where the wire has no editor or there is nothing to take out', () => {
    expect(minify.pull({ ...callOf(upTo(1)), outline: () => undefined }, settings, kitOf())).toMatchObject({
      do: 'nothing',
    })
    expect(minify.pull(callOf({ messages: [{ role: 'user', content: 'Hello' }] }), settings, kitOf())).toEqual({
      do: 'nothing',
      why: 'nothing to take out',
    })
  })
})
