/** All compact levers at once on conversations that are hard to edit: what a provider would refuse is never sent, and what is signed stays. */
import { afterEach, describe, expect, test } from 'vitest'
import { defaultsOf } from '../../src/config/levers.ts'
import type { Chosen, Lever, LeverPolicy } from '../../src/core/lever.ts'
import { levers as catalogue } from '../../src/playbook/levers.ts'
import { post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House | undefined
afterEach(async () => {
  await house?.close()
  house = undefined
})

/** Settings under which each lever does as much as it may. */
const eager: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  'compact/minify': { system: true, verbatim: [] },
  'compact/tool-results': { mask_after_turns: 2 },
  'compact/history': { method: 'summarise', model: 'anthropic/claude-haiku-4-5', keep_turns: 2, least_tokens: 10 },
  'compact/tools': { most_missed: 0.2, least_tokens: 0 },
  'compact/output': { structured: true },
  'compact/retrieval': { keep: 1, near: 1 },
}
const all: Readonly<Record<string, Lever>> = catalogue as never
const policy: LeverPolicy = {
  match: {},
  levers: Object.fromEntries(
    Object.entries(all)
      .filter(([name]) => name.startsWith('compact/'))
      .map(([name, { settings }]) => [
        name,
        { mode: 'on', settings: { ...defaultsOf(settings), ...eager[name] } as Chosen },
      ]),
  ),
  holdout: 0,
  experiment: 'levers',
}

const long = (about: string) => `${about} and some more of it, in words that nobody needs twice. `.repeat(20)
const pretty = (turn: number) =>
  JSON.stringify({ turn, rows: Array.from({ length: 30 }, (_, id) => ({ id })) }, null, 2)
const picture = { type: 'base64', media_type: 'image/png', data: 'iVBORw0KGgo=' }

type Body = { messages?: { role: string; content: unknown }[]; input?: { type?: string }[] }
type Sent = Readonly<{ asked: Body; sent: Body }>

/** Sends conversations that no cache holds yet, so that nothing keeps a lever from what it would do. */
const converse = async (path: string, bodies: readonly Body[], model: string): Promise<Sent[]> => {
  let later_us = 0
  const now_us = () => Date.now() * 1000 + later_us
  const providers = { anthropic: { credentials: { api_key: 'sk-ours' } } }
  const open = await startHouse({ settings: { policies: [policy] }, overrides: { now_us }, providers })
  house = open
  // The levers have been on for longer than any cache lives.
  later_us = 7200 * 1e6
  const seen: Sent[] = []
  for (const asked of bodies) {
    const response = await post(open, { path, body: asked })
    expect(await response.text()).not.toContain('"type":"error"')
    expect(response.status).toBe(200)
    const calls = open.simulator.calls.map(({ body }) => JSON.parse(new TextDecoder().decode(body)) as Body)
    const sent = calls.findLast((call) => (call as { model?: string }).model === model)
    if (sent) seen.push({ asked, sent })
  }
  return seen
}

describe('Anthropic', () => {
  const model = 'claude-sonnet-4-5'
  const tools = ['look', 'book'].map((name) => ({ name, description: long(name), input_schema: { type: 'object' } }))
  const turn = (nth: number) => [
    {
      role: 'assistant',
      content: [
        { type: 'thinking', thinking: long(`thought ${nth}`), signature: `c2ln${nth}` },
        { type: 'text', text: long(`said ${nth}`) },
        { type: 'tool_use', id: `a${nth}`, name: 'look', input: { at: nth, exact: 1.5 } },
        { type: 'tool_use', id: `b${nth}`, name: 'look', input: {} },
      ],
    },
    {
      role: 'user',
      content: [
        {
          type: 'tool_result',
          tool_use_id: `a${nth}`,
          content: [
            { type: 'text', text: pretty(0) },
            { type: 'image', source: picture },
          ],
        },
        {
          type: 'tool_result',
          tool_use_id: `b${nth}`,
          content: nth % 2 ? pretty(nth) : '',
          is_error: nth % 2 === 0,
          cache_control: nth === 3 ? { type: 'ephemeral' } : undefined,
        },
      ],
    },
    {
      role: 'assistant',
      content: [
        { type: 'redacted_thinking', data: 'c2Vj' },
        { type: 'text', text: long(`answer ${nth}`) },
      ],
    },
    { role: 'user', content: long(`wish ${nth}`) },
  ]
  const body = (turns: number) => ({
    model,
    max_tokens: 2000,
    thinking: { type: 'enabled', budget_tokens: 1024 },
    tools,
    system: [{ type: 'text', text: long('rules  \n\n\n'), cache_control: { type: 'ephemeral' } }],
    messages: [
      { role: 'user', content: long(`task ${turns}`) },
      ...Array.from({ length: turns }, (_, nth) => turn(nth)).flat(),
    ],
  })
  const signed = (messages: Body['messages']) =>
    (messages ?? [])
      .map(({ content }) =>
        Array.isArray(content) ? content.filter(({ type }) => /thinking|tool_use|image/.test(type)) : [],
      )
      .filter(({ length }) => length > 0)

  test('thoughts, calls and pictures stay, and each call keeps its result', async () => {
    const seen = await converse('/v1/messages', [1, 4, 5, 8].map(body), model)
    expect(seen).toHaveLength(4)
    expect(JSON.stringify(seen[3]?.sent)).toContain('[Summary of earlier turns]')
    for (const { asked, sent } of seen) expect(signed(sent.messages)).toEqual(signed(asked.messages))
    expect(JSON.stringify(seen[3]?.sent).length).toBeLessThan(JSON.stringify(seen[3]?.asked).length / 2)
  }, 60_000)
})

test('OpenAI Responses: reasoning items, calls and outputs stay together', async () => {
  const model = 'gpt-5'
  const turn = (nth: number) => [
    { type: 'reasoning', id: `rs_${nth}`, summary: [], encrypted_content: 'c2ln' },
    { type: 'message', role: 'assistant', content: [{ type: 'output_text', text: long(`said ${nth}`) }] },
    { role: 'developer', content: long(`rule ${nth}`) },
    { role: 'user', content: [{ type: 'input_text', text: long(`wish ${nth}`) }] },
    { type: 'reasoning', id: `rt_${nth}`, summary: [] },
    { type: 'function_call', call_id: `c${nth}`, name: 'look', arguments: '{"a": 1}' },
    { type: 'function_call_output', call_id: `c${nth}`, output: pretty(0) },
  ]
  const body = (turns: number) => ({
    model,
    tools: [{ type: 'function', name: 'look', parameters: { type: 'object' } }],
    input: [
      { role: 'user', content: long(`task ${turns}`) },
      ...Array.from({ length: turns }, (_, nth) => turn(nth)).flat(),
    ],
  })
  const seen = await converse('/v1/responses', [1, 4, 8].map(body), model)
  expect(seen).toHaveLength(3)
  const fixed = ({ input = [] }: Body) => input.filter(({ type }) => type === 'reasoning' || type === 'function_call')
  for (const { asked, sent } of seen) expect(fixed(sent)).toEqual(fixed(asked))
  const said = JSON.stringify(seen[2]?.sent)
  expect(said).toContain('[Summary of earlier turns]')
  expect(said.length).toBeLessThan(JSON.stringify(seen[2]?.asked).length * 0.8)
  for (let nth = 0; nth < 8; nth++) expect(said).toContain(JSON.stringify(long(`rule ${nth}`)).slice(1, -1))
}, 60_000)
