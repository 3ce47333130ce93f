import { describe, expect, test } from 'vitest'
import { lever } from '../../src/playbook/compact/tools.ts'
import { bodyAfter, callOf, chosen, kitOf, type Message } from './calling.ts'

const tools = ['search', 'book', 'cancel', 'refund'].map((name) => ({
  name,
  description: `To ${name}. `.repeat(100),
  parameters: { type: 'object' },
}))

const asking = (id: number): Message[] => [
  { role: 'system', content: 'You help travellers.' },
  { role: 'user', content: `Request number ${id}` },
]

const calling = (name: string): Message[] => [
  { role: 'assistant', tool_calls: [{ id: 'c1', function: { name, arguments: '{}' } }] },
  { role: 'tool', tool_call_id: 'c1', content: 'done' },
]

const settings = chosen(lever, { most_missed: 0.05 })
const ENOUGH = 59

/** The names of the tools that the provider is given. */
const given = (kit: ReturnType<typeof kitOf>, messages: readonly Message[], more = {}, at_s = 0, chosen = settings) => {
  const call = callOf({ messages, tools, more }, at_s)
  const body = bodyAfter(call, lever.pull(call, chosen, kit)) as { tools?: { function: { name: string } }[] }
  return body.tools?.map((tool) => tool.function.name)
}

/** So many conversations that call `search`, and every tenth also `book`. */
const learn = (kit: ReturnType<typeof kitOf>, count: number) => {
  for (let id = 0; id < count; id++)
    given(kit, [...asking(id), ...calling('search'), ...(id % 10 === 0 ? calling('book') : [])], {}, id * 10)
}

describe('compact/tools', () => {
  test('leaves out what no conversation called, once there were enough of them', () => {
    const kit = kitOf()
    learn(kit, ENOUGH - 1)
    expect(given(kit, asking(1000), {}, 5000)).toEqual(['search', 'book', 'cancel', 'refund'])
    learn(kit, ENOUGH)
    expect(given(kit, asking(1001), {}, 5000)).toEqual(['search', 'book'])
  })

  test('asks for so many conversations as bound the share that would miss a tool', () => {
    const call = callOf({ messages: asking(1), tools })
    expect(lever.pull(call, chosen(lever), kitOf())).toEqual({ do: 'nothing', why: '0 of 299 conversations seen' })
  })

  test('never leaves out a tool that is chosen, was called, is named by the user, or is to be kept', () => {
    const kit = kitOf()
    learn(kit, ENOUGH)
    const choice = { tool_choice: { type: 'function', function: { name: 'refund' } } }
    expect(given(kit, asking(2000), choice, 6000)).toEqual(['search', 'book', 'refund'])
    expect(given(kit, [...asking(2001), { role: 'user', content: 'Please cancel it.' }], {}, 6000)).toEqual([
      'search',
      'book',
      'cancel',
    ])
    const keeping = kitOf()
    for (let id = 0; id < ENOUGH; id++)
      given(keeping, [...asking(id), ...calling('search')], {}, id, { ...settings, keep: ['refund'] })
    expect(given(keeping, asking(2002), {}, 6000, { ...settings, keep: ['refund'] })).toEqual(['search', 'refund'])
  })

  test('puts a tool back for all that follow when a conversation calls it after all', () => {
    const kit = kitOf()
    learn(kit, ENOUGH)
    expect(given(kit, asking(3000), {}, 7000)).toEqual(['search', 'book'])
    expect(given(kit, [...asking(3000), ...calling('cancel')], {}, 7010)).toEqual(['search', 'book', 'cancel'])
    expect(given(kit, asking(3001), {}, 7020)).toEqual(['search', 'book', 'cancel'])
  })

  test('gives one conversation the same tools on every turn, whatever is learnt meanwhile', () => {
    const kit = kitOf()
    const messages = [...asking(4000)]
    expect(given(kit, messages, {}, 0)).toHaveLength(4)
    learn(kit, ENOUGH)
    expect(given(kit, asking(4001), {}, 300)).toHaveLength(2)
    expect(given(kit, [...messages, ...calling('search')], {}, 299)).toHaveLength(4)
  })

  test('does not count one conversation twice, nor one that has no answer yet', () => {
    const kit = kitOf()
    for (let turn = 0; turn < 200; turn++) given(kit, [...asking(1), ...calling('search')], {}, turn)
    for (let id = 0; id < 200; id++) given(kit, asking(id + 10), {}, id)
    expect(given(kit, asking(5000), {}, 9000)).toHaveLength(4)
  })
})
