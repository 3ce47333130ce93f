/** Levers that shorten a prompt's beginning, turned on in the middle of a conversation: what the cache holds is left alone. */
import { describe, expect, test } from 'vitest'
import type { Kit, LiveCall, Pulled } from '../../src/core/lever.ts'
import { lever as examples } from '../../src/playbook/compact/examples.ts'
import { lever as retrieval } from '../../src/playbook/compact/retrieval.ts'
import { lever as tools } from '../../src/playbook/compact/tools.ts'
import { bodyAfter, callOf, chosen, kitOf, type Message, type Prompt } from './calling.ts'

const words = (about: string, count: number): string => `${about} `.repeat(count)

/** A conversation of so many turns, far longer than its beginning. */
const talk = (first: string, turns: number): Message[] => [
  { role: 'user', content: first },
  ...Array.from({ length: turns }, (_, turn): Message[] => [
    { role: 'assistant', content: words(`answer ${turn}`, 800) },
    { role: 'user', content: `And then, in step ${turn}?` },
  ]).flat(),
]

const passages = [
  'refund of a cancelled flight',
  'pets on board',
  'seats by the window',
  'meals for children',
  'lost bags',
  'visa rules',
]
  .map((about) => `<document>\n${words(about, 20)}\n</document>\n`)
  .join('')
const sample = (id: number): string => `<example id="${id}">\n${words(`mail ${id}`, 20)}→ inbox\n</example>\n`
const system = `Sort mails.\n<examples>\n${[1, 2, 3].map(sample).join('')}</examples>\nThat is all.`
const toolbox = ['search', 'book', 'cancel', 'refund'].map((name) => ({
  name,
  description: words(`To ${name}.`, 100),
  parameters: { type: 'object' },
}))

type Case = Readonly<{
  prompt(turns: number): Prompt
  pull(call: LiveCall, kit: Kit): Pulled | Promise<Pulled>
  /** What a route is seen to do before. */
  learn?(kit: Kit): void
}>

const sorted = (turns: number): Prompt => ({
  messages: [{ role: 'system', content: system }, ...talk('A mail', turns)],
})
const verdict = { verdict: 'mails', templates: [callOf(sorted(0)).fingerprints.template ?? ''] }
const booked = (turns: number): Prompt => ({
  messages: [{ role: 'system', content: 'You help travellers.' }, ...talk('Where to?', turns)],
  tools: toolbox,
})
const missed = chosen(tools, { most_missed: 0.05 })
const learnTools = (kit: Kit): void => {
  for (let id = 0; id < 60; id++) {
    const call = { id: 'c1', function: { name: 'search', arguments: '{}' } }
    const messages: Message[] = [
      { role: 'system', content: 'You help travellers.' },
      { role: 'user', content: `Request ${id}` },
      { role: 'assistant', tool_calls: [call] },
      { role: 'tool', tool_call_id: 'c1', content: 'done' },
    ]
    tools.pull(callOf({ messages, tools: toolbox }, 0), missed, kit)
  }
}

const cases: Readonly<Record<string, Case>> = {
  'compact/examples': { prompt: sorted, pull: (call, kit) => examples.pull(call, chosen(examples, verdict), kit) },
  'compact/retrieval': {
    prompt: (turns) => ({ messages: talk(`${passages}\nHow do I get a refund of my cancelled flight?`, turns) }),
    pull: (call, kit) => retrieval.pull(call, chosen(retrieval, { keep: 1 }), kit),
  },
  'compact/tools': { prompt: booked, pull: (call, kit) => tools.pull(call, missed, kit), learn: learnTools },
}

const lengthOf = (value: unknown): number => JSON.stringify(value).length
/** How many characters fewer the provider gets. */
const takenOut = async ({ prompt, pull }: Case, kit: Kit, turns: number, at_s: number): Promise<number> => {
  const call = callOf(prompt(turns), at_s)
  return lengthOf(bodyAfter(call, { do: 'nothing', why: '' })) - lengthOf(bodyAfter(call, await pull(call, kit)))
}

describe.each(Object.entries(cases))('%s', (_, one) => {
  const HOUR_S = 3600
  const warm = async (): Promise<Kit> => {
    const kit = kitOf()
    one.learn?.(kit)
    for (const turns of [3, 4, 5]) await takenOut(one, { ...kit, mode: 'observe' }, turns, HOUR_S + turns * 20)
    return kit
  }

  test('edits a conversation from its start on, alike on every later turn', async () => {
    const kit = kitOf()
    one.learn?.(kit)
    const saved = [
      await takenOut(one, kit, 0, HOUR_S),
      await takenOut(one, kit, 1, HOUR_S + 20),
      await takenOut(one, kit, 2, HOUR_S + 40),
    ]
    expect(saved[0]).toBeGreaterThan(100)
    expect(new Set(saved).size).toBe(1)
  })

  test('leaves a warm beginning alone when it is turned on in the middle, as that would cost more than it saves', async () => {
    const kit = await warm()
    expect(await takenOut(one, kit, 6, HOUR_S + 120)).toBe(0)
    expect(await takenOut(one, kit, 7, HOUR_S + 140)).toBe(0)
  })

  test('edits it once the cache has gone cold', async () => {
    const kit = await warm()
    expect(await takenOut(one, kit, 6, 2 * HOUR_S)).toBeGreaterThan(100)
  })
})
