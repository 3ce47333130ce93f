import { describe, expect, test } from 'vitest'
import type { Ended, Kit } from '../../src/core/lever.ts'
import type { Past } from '../../src/core/past.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { lever } from '../../src/playbook/compact/output.ts'
import { wire as anthropic } from '../../src/wires/anthropic-messages.ts'
import { bodyAfter, callOf, chosen, kitOf, rates } from './calling.ts'

const system = { role: 'system', content: 'Be brief.' } as const
const question = { messages: [system, { role: 'user', content: 'What is it?' }] } as const
const settings = chosen(lever)

/** Lengths of answers as models write them: log-normal about 200 tokens, and now and then a runaway. Seeded. */
const lengths = (count: number): number[] => {
  let state = 42
  const next = () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state + 1) / 2 ** 32
  }
  return Array.from({ length: count }, (_, index) => {
    const normal = Math.sqrt(-2 * Math.log(next())) * Math.cos(2 * Math.PI * next())
    return index % 400 === 399 ? 16_000 : Math.ceil(200 * Math.exp(0.5 * normal))
  })
}

type Step = Readonly<{ at_us: number; ended_at_us: number; length: number }>
/** Calls a second apart that take half a second to three: some end before earlier ones. */
const day = (count: number): Step[] =>
  lengths(count).map((length, index) => ({
    at_us: index * 1e6,
    ended_at_us: index * 1e6 + 5e5 + (index % 6) * 5e5,
    length,
  }))

/** Sends the calls through the lever while it is on, and gives back how long the answers became. */
const live = (steps: readonly Step[], kit: Kit = kitOf()): number[] => {
  const asked = callOf(question)
  const open: (Ended & { ended_at_us: number })[] = []
  return steps.map(({ at_us, ended_at_us, length }) => {
    open.sort((left, right) => left.ended_at_us - right.ended_at_us)
    while ((open[0]?.ended_at_us ?? Number.POSITIVE_INFINITY) <= at_us)
      lever.learn(open.shift() as Ended, settings, kit)
    const call = { ...asked, at_us }
    const pulled = lever.pull(call, settings, kit)
    const set = pulled.do === 'change' && pulled.changes[0]?.do === 'set' ? pulled.changes[0].fields : {}
    const output = Math.min(length, set.max_output_tokens ?? length)
    open.push({ ended_at_us, call, pulled, receipt: { outcome: 'ok', output_tokens: output } as Receipt })
    return output
  })
}

const pastOf = ({ at_us, ended_at_us, length }: Step): Past => {
  const { circle, fingerprints, chain, model, provider } = callOf(question)
  return {
    ...{
      receipt_id: '',
      at_us,
      ended_at_us,
      circle,
      tenant: '',
      account: '',
      provider,
      model,
      stream: false,
      outcome: 'ok',
    },
    ...{ fingerprints, chain, tools_tokens: 0, system_tokens: 0, traces: [], answered: false, rates },
    usage: { fresh: 10, cache_read: 0, cache_write_5m: 0, cache_write_long: 0, output: length },
  } satisfies Past
}

const sum = (numbers: readonly number[]) => numbers.reduce((all, number) => all + number, 0)

describe('compact/output', () => {
  test('saves to the token what its replay of the same day promises', () => {
    const steps = day(6000)
    const replay = lever.replay(settings)
    const promised = steps.map((step) => replay(pastOf(step)).usage.output)
    expect(live(steps)).toEqual(promised)
    expect(sum(promised)).toBeLessThan(sum(steps.map(({ length }) => length)) * 0.95)
  })

  test('cuts runaways and hardly anything else', () => {
    const steps = day(6000)
    const outputs = live(steps)
    const cut = steps.filter(({ length }, index) => length !== outputs[index])
    expect(cut.length).toBeGreaterThan(5)
    expect(cut.filter(({ length }) => length < 16_000).length).toBeLessThan(3)
  })

  test('says nothing of a route before it has seen enough of its answers, and never caps below the floor', () => {
    const kit = kitOf()
    const call = callOf(question)
    for (let seen = 0; seen < 199; seen++)
      lever.learn({ call, receipt: { outcome: 'ok', output_tokens: 5 } as Receipt }, settings, kit)
    expect(lever.pull(call, settings, kit)).toEqual({ do: 'nothing', why: '199 of 200 answers of this route seen' })
    lever.learn({ call, receipt: { outcome: 'ok', output_tokens: 5 } as Receipt }, settings, kit)
    expect(bodyAfter(call, lever.pull(call, settings, kit))).toMatchObject({ max_completion_tokens: 256 })
    const other = callOf({ messages: [{ role: 'system', content: 'Be long.' }, question.messages[1]] })
    expect(lever.pull(other, settings, kit)).toMatchObject({ do: 'nothing' })
  })

  test('learns nothing from answers that the client’s own maximum cut, live and in replay alike', () => {
    const kit = kitOf()
    const call = callOf(question)
    for (let seen = 0; seen < 300; seen++) {
      const receipt = { outcome: 'ok', output_tokens: 60, finish_reason: 'length' } as Receipt
      lever.learn({ call, receipt }, settings, kit)
    }
    expect(lever.pull(call, settings, kit)).toEqual({ do: 'nothing', why: '0 of 200 answers of this route seen' })
    const replay = lever.replay(settings)
    for (let at = 0; at < 300; at++)
      replay({ ...pastOf({ at_us: at * 1e6, ended_at_us: at * 1e6 + 5e5, length: 60 }), finish_reason: 'max_tokens' })
    const long = pastOf({ at_us: 400e6, ended_at_us: 401e6, length: 3000 })
    expect(replay(long).usage.output).toBe(3000)
  })

  test('doubles the cap after each answer that it cut, and comes back down when answers are whole again', () => {
    const kit = kitOf()
    const call = callOf(question)
    const cap = () => {
      const pulled = lever.pull(call, settings, kit)
      return pulled.do === 'change' && pulled.changes[0]?.do === 'set' ? pulled.changes[0].fields.max_output_tokens : 0
    }
    const answer = (output_tokens: number) =>
      lever.learn(
        { call, pulled: lever.pull(call, settings, kit), receipt: { outcome: 'ok', output_tokens } as Receipt },
        settings,
        kit,
      )
    for (let seen = 0; seen < 300; seen++) answer(300)
    const before = cap() ?? 0
    answer(before)
    expect(cap()).toBe(2 * before)
    answer(2 * before)
    expect(cap()).toBe(4 * before)
    for (let seen = 0; seen < 400; seen++) answer(300)
    expect(cap()).toBe(before)
  })

  test('never raises what the client asks', () => {
    const kit = kitOf()
    const call = callOf({ ...question, more: { max_completion_tokens: 100 } })
    for (let seen = 0; seen < 300; seen++)
      lever.learn({ call, receipt: { outcome: 'ok', output_tokens: 300 } as Receipt }, settings, kit)
    expect(lever.pull(call, settings, kit)).toEqual({ do: 'nothing', why: 'the call asks for less than the cap' })
  })
})

test('a maximum that each of several choices has is left alone: answers are counted together', () => {
  const kit = kitOf()
  const call = callOf({ ...question, more: { n: 4, max_tokens: 100 } })
  for (let seen = 0; seen < 300; seen++)
    lever.learn({ call, receipt: { outcome: 'ok', output_tokens: 200 } as Receipt }, settings, kit)
  expect(lever.pull(call, settings, kit)).toEqual({ do: 'nothing', why: 'the call asks for less than the cap' })
})

test('a cap that a thinking budget would exceed is not written: Anthropic refuses such a call', () => {
  const thinking = { type: 'enabled', budget_tokens: 4000 }
  const body = {
    model: 'claude-sonnet-5-5',
    max_tokens: 20_000,
    thinking,
    messages: [{ role: 'user', content: 'Why?' }],
  }
  const bytes = new TextEncoder().encode(JSON.stringify(body))
  const edits = (max_output_tokens: number) =>
    anthropic.editor?.edits(bytes, body, [{ do: 'set', fields: { max_output_tokens } }])
  expect(edits(4000)).toEqual([])
  expect(edits(4001)).toHaveLength(1)
})

describe('structured output', () => {
  const schema = (more: object = {}) => ({
    type: 'object',
    properties: { city: { type: 'string' }, days: { type: 'array', items: { type: 'number' } } },
    required: ['city', 'days'],
    additionalProperties: false,
    ...more,
  })
  const stating = (words: string, value: unknown, more = {}) =>
    callOf({
      messages: [{ role: 'system', content: `${words}\n${JSON.stringify(value, null, 2)}` }, question.messages[1]],
      more,
    })
  const asking = chosen(lever, { structured: true })
  const format = (call: ReturnType<typeof callOf>, settings = asking) =>
    (bodyAfter(call, lever.pull(call, settings, kitOf())) as { response_format?: unknown }).response_format

  test('is asked for by the schema that the system prompt states', () => {
    expect(format(stating('Answer with JSON of this schema:', schema()))).toEqual({
      type: 'json_schema',
      json_schema: { name: 'answer', strict: true, schema: schema() },
    })
  })

  test('is not asked for where it is off, nobody asks for JSON, a format is set, or strict modes would refuse the schema', () => {
    const words = 'Answer with JSON of this schema:'
    expect(format(stating(words, schema()), settings)).toBeUndefined()
    expect(format(stating('The database has this schema:', schema()))).toBeUndefined()
    expect(format(stating(words, schema(), { response_format: { type: 'text' } }))).toEqual({ type: 'text' })
    for (const loose of [{ required: ['city'] }, { additionalProperties: true }, { patternProperties: {} }])
      expect(format(stating(words, schema(loose)))).toBeUndefined()
    const broken = `${words} ${JSON.stringify(schema({ description: 'x' })).replace('"x"', '"line\nline"')}`
    const told = callOf({ messages: [{ role: 'system', content: broken }, question.messages[1]] })
    expect(format(told), 'what only looks like JSON states nothing, and harms no cap').toBeUndefined()
    const two = callOf({
      messages: [
        { role: 'system', content: `${words} ${JSON.stringify(schema())} or ${JSON.stringify(schema())}` },
        question.messages[1],
      ],
    })
    expect(format(two)).toBeUndefined()
  })
})
