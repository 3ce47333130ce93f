import { describe, expect, test } from 'vitest'
import { lever } from '../../src/playbook/compact/tool-results.ts'
import { callOf, chosen, kitOf, type Message, sent } from './calling.ts'

const long = (word: string) => `${word} `.repeat(60)

const turn = (id: number, output: string): Message[] => [
  { role: 'assistant', tool_calls: [{ id: `call_${id}`, function: { name: 'look', arguments: `{"at":${id}}` } }] },
  { role: 'tool', content: output, tool_call_id: `call_${id}`, name: 'look' },
]

const start: Message[] = [{ role: 'user', content: long('Please look around, and tell me what there is.') }]
const prompt = (...outputs: string[]) => ({
  messages: [...start, ...outputs.flatMap((output, id) => turn(id, output))],
})

/** Texts of the results as they would be sent. */
const results = (outputs: string[], settings = chosen(lever), kit = kitOf(), at_s = 0) => {
  const call = callOf(prompt(...outputs), at_s)
  const texts = sent(call, lever.pull(call, settings, kit))
  return (call.outline()?.blocks ?? []).flatMap(({ form }, index) => (form === 'tool-result' ? [texts[index]] : []))
}

describe('compact/tool-results', () => {
  test('refers to the earliest result of the same text, and keeps that one whole', () => {
    const [first, other, again, third] = results([long('sea'), long('sky'), long('sea'), long('sea')])
    expect(first).toBe(long('sea'))
    expect(other).toBe(long('sky'))
    expect(again).toBe('[The same output as above, of tool call call_0.]')
    expect(third).toBe(again)
  })

  test('lets results stand that differ in a character, are short, or are not tools’', () => {
    expect(results([long('sea'), long('sea').replace('sea', 'set')])).toEqual([
      long('sea'),
      long('sea').replace('sea', 'set'),
    ])
    expect(results(['done', 'done'])).toEqual(['done', 'done'])
    const call = callOf({ messages: [...start, { role: 'assistant', content: 'Yes.' }, ...start] })
    expect(lever.pull(call, chosen(lever), kitOf())).toEqual({ do: 'nothing', why: 'no result is repeated' })
  })

  test('refers to no piece of a result: who reads the reference would take the whole of it', () => {
    const pieces = [long('sea'), long('sky')].map((text) => ({ type: 'text', text }))
    const messages: Message[] = [
      ...start,
      { role: 'assistant', tool_calls: [{ id: 'call_0', function: { name: 'look', arguments: '{}' } }] },
      { role: 'tool', content: pieces, tool_call_id: 'call_0' },
      ...turn(1, long('sea')),
      ...turn(2, long('sky')),
      ...turn(3, long('sea')),
    ]
    const call = callOf({ messages })
    const texts = sent(call, lever.pull(call, chosen(lever), kitOf())).filter((text) => text?.startsWith('[The same'))
    expect(texts).toEqual(['[The same output as above, of tool call call_1.]'])
  })

  test('takes a reference back where another lever has cut what it refers to', () => {
    const kit = kitOf()
    const outputs = [long('sea'), long('sky'), long('sea')]
    expect(results(outputs, chosen(lever), kit)[2]).toMatch(/^\[The same output/)
    const later = callOf(prompt(...outputs), 60)
    const cut = later.outline()?.blocks.map((block, at) => (at === 2 ? { ...block, text: 'sea …' } : block)) ?? []
    const call = { ...later, outline: () => ({ blocks: cut, definitions: [], marked: [], fields: {}, most_marks: 0 }) }
    expect(cut[2]?.form).toBe('tool-result')
    expect(sent(call, lever.pull(call, chosen(lever), kit)).at(-1)).toBe(long('sea'))
  })

  test('loses nothing by default, however old', () => {
    const outputs = Array.from({ length: 30 }, (_, index) => long(`sight ${index}`))
    expect(results(outputs)).toEqual(outputs)
  })

  test('leaves old results out where the cache is cold, and only those', () => {
    const outputs = Array.from({ length: 6 }, (_, index) => long(`sight ${index}`))
    const texts = results(outputs, chosen(lever, { mask_after_turns: 3 }))
    expect(texts.slice(0, 3)).toEqual(
      new Array(3).fill('[This output of look was left out because it is old. Call the tool again if it is needed.]'),
    )
    expect(texts.slice(3)).toEqual(outputs.slice(3))
  })

  test('keeps an old result for as long as a young one refers to it', () => {
    const outputs = [long('sea'), long('a'), long('b'), long('c'), long('sea')]
    const texts = results(outputs, chosen(lever, { mask_after_turns: 3 }))
    expect(texts[0]).toBe(long('sea'))
    expect(texts[1]).toContain('left out')
    expect(texts[4]).toContain('same output')
  })

  test('does not break a warm prefix for a result that has just grown old, and keeps what it left out so', () => {
    const kit = kitOf()
    const outputs = Array.from({ length: 24 }, (_, index) => long(`sight ${index}`))
    const settings = chosen(lever, { mask_after_turns: 3 })
    let before: (string | undefined)[] = []
    let broken = 0
    for (let calls = 1; calls <= 24; calls++) {
      const texts = results(outputs.slice(0, calls), settings, kit, calls * 20)
      if (before.some((text, index) => texts[index] !== text)) broken += 1
      for (const [index, text] of before.entries()) if (text?.includes('left out')) expect(texts[index]).toBe(text)
      before = texts
    }
    expect(broken).toBeLessThan(4)
    const cold = results(outputs, settings, kit, 10_000)
    expect(cold.filter((text) => text?.includes('left out'))).toHaveLength(21)
  })
})
