import { describe, expect, test } from 'vitest'
import type { Kit, LiveCall } from '../../src/core/lever.ts'
import { lever } from '../../src/playbook/compact/history.ts'
import { wire as responses } from '../../src/wires/openai-responses.ts'
import { bodyAfter, callOf, chosen, kitOf, type Message, sent } from './calling.ts'

const words = (about: string) => `We spoke of ${about}, at length and in detail. `.repeat(30)

/** So many turns of talk, each with a tool called in between. */
const talk = (turns: number): Message[] => [
  { role: 'system', content: 'Be helpful.' },
  { role: 'user', content: words('the task') },
  ...Array.from({ length: turns }, (_, turn): Message[] => [
    { role: 'assistant', tool_calls: [{ id: `c${turn}`, function: { name: 'look', arguments: '{}' } }] },
    { role: 'tool', tool_call_id: `c${turn}`, content: words(`sight ${turn}`) },
    { role: 'assistant', content: words(`thought ${turn}`) },
    { role: 'user', content: words(`wish ${turn}`) },
  ]).flat(),
]

const settings = chosen(lever, { keep_turns: 4, least_tokens: 500 })
const prompt = (turns: number) => ({ messages: talk(turns) })

const ask = (answers: readonly (string | Error)[]) => {
  const asked: string[] = []
  const door: Kit['ask'] = async ({ text }) => {
    const answer = answers[asked.length] ?? ''
    asked.push(text)
    if (typeof answer !== 'string') throw answer
    return answer
  }
  return { asked, door }
}

describe('compact/history', () => {
  test('cuts long texts of old turns to their beginning; the task, the newest turns and all calls stay whole', async () => {
    const call = callOf(prompt(8))
    const asked = talk(8)
    const { messages } = bodyAfter(call, await lever.pull(call, settings, kitOf()))
    expect(messages).toHaveLength(asked.length)
    const changed = messages.flatMap(({ content }, index) => (content === asked[index]?.content ? [] : [index]))
    expect(changed[0]).toBe(3)
    // Four answers are new: a call and an answer in each of the last two turns. The one before them is old, the wish after it is not.
    expect(changed.at(-1)).toBe(2 + 5 * 4 + 2)
    for (const index of changed) expect(messages[index]?.content?.length).toBeLessThan(200)
    expect(messages.map(({ tool_calls, tool_call_id, role }) => ({ tool_calls, tool_call_id, role }))).toEqual(
      asked.map(({ tool_calls, tool_call_id, role }) => ({ tool_calls, tool_call_id, role })),
    )
  })

  test('leaves instructions whole that were given on the way, however old', async () => {
    const rules = 'Never promise a refund, whatever the customer says. '.repeat(20)
    const input = Array.from({ length: 8 }, (_, turn) => [
      { role: 'user', content: words(`wish ${turn}`) },
      { role: 'assistant', content: words(`thought ${turn}`) },
      ...(turn === 1 ? [{ role: 'developer', content: rules }] : []),
    ]).flat()
    const json = { model: 'gpt-6-sol', input }
    const body = new TextEncoder().encode(JSON.stringify(json))
    const { parts } = responses.read({ method: 'POST', path: '/v1/responses', query: '', headers: {}, body, json }, {})
    const outline = responses.editor?.outline(json, parts)
    const call = { ...callOf(prompt(8)), outline: () => outline }
    const texts = sent(call, await lever.pull(call, settings, kitOf()))
    expect(texts).toContain(rules)
    expect(texts.filter((text) => text?.includes('left out')).length).toBeGreaterThan(2)
  })

  test('does nothing while old turns are short or few', async () => {
    expect(await lever.pull(callOf(prompt(2)), settings, kitOf())).toMatchObject({ do: 'nothing' })
    expect(await lever.pull(callOf(prompt(8)), { ...settings, least_tokens: 1e6 }, kitOf())).toMatchObject({
      do: 'nothing',
    })
  })

  test('leaves a warm prefix alone until the call itself gets cheaper, and then cuts all at once', async () => {
    const kit = kitOf()
    let before: (string | undefined)[] = []
    let rewrites = 0
    for (let turns = 1; turns <= 14; turns++) {
      const call = callOf(prompt(turns), turns * 20)
      const texts = sent(call, await lever.pull(call, settings, kit))
      if (before.some((text, index) => text !== texts[index])) rewrites += 1
      before = texts
    }
    expect(rewrites).toBe(0)
    const cold = callOf(prompt(14), 10_000)
    expect(
      sent(cold, await lever.pull(cold, settings, kit)).filter((text) => text?.includes('left out')).length,
    ).toBeGreaterThan(30)
  })

  test('puts one summary in the place of old turns, asked once, and keeps it on later turns', async () => {
    const { asked, door } = ask(['They looked at many sights.'])
    const kit = kitOf({ ask: door })
    const summarising = { ...settings, method: 'summarise', model: 'gpt-6-luna' }
    const first = callOf(prompt(8))
    const texts = sent(first, await lever.pull(first, summarising, kit))
    expect(asked).toHaveLength(1)
    expect(asked[0]).toContain('sight 0')
    expect(asked[0]).not.toContain('the task')
    expect(asked[0]).not.toContain('sight 7')
    expect(texts.filter((text) => text?.includes('They looked at many sights.'))).toHaveLength(1)
    const next = callOf(prompt(9), 20)
    expect(sent(next, await lever.pull(next, summarising, kit)).slice(0, texts.length)).toEqual(texts)
    expect(asked).toHaveLength(1)
  })

  test('repeats no edit that came too late for its call: the cache holds what was sent without it', async () => {
    const { door } = ask(['They looked at many sights.'])
    const passed = new WeakSet<LiveCall>()
    const kit = kitOf({ ask: door, passed })
    const summarising = { ...settings, method: 'summarise', model: 'gpt-6-luna' }
    const slow = callOf(prompt(8))
    passed.add(slow)
    expect(await lever.pull(slow, summarising, kit)).toMatchObject({ do: 'change' })
    const next = callOf(prompt(9), 20)
    const pulled = await lever.pull(next, summarising, kit)
    expect(pulled).toMatchObject({ do: 'nothing', why: expect.stringContaining('edits wait') })
  })

  test('asks for no summary that could not pay', async () => {
    const { asked, door } = ask(['short'])
    const kit = kitOf({ ask: door })
    const summarising = { ...settings, method: 'summarise', model: 'gpt-6-luna' }
    const masked = { ...settings, least_tokens: 1e6 }
    for (const turns of [6, 7, 8]) await lever.pull(callOf(prompt(turns), turns * 20), masked, kit)
    expect(await lever.pull(callOf(prompt(9), 180), summarising, kit)).toMatchObject({ do: 'nothing' })
    expect(asked).toHaveLength(0)
  })

  test('cuts old turns where the summariser fails or says nothing', async () => {
    for (const answer of [new Error('down'), '  ']) {
      const call = callOf(prompt(8))
      const pulled = await lever.pull(
        call,
        { ...settings, method: 'summarise', model: 'm' },
        kitOf({ ask: ask([answer]).door }),
      )
      expect(sent(call, pulled).filter((text) => text?.includes('left out')).length).toBeGreaterThan(5)
    }
  })
})
