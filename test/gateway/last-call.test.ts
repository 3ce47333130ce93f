/** compact/tools through a real gateway: a tool whose call ends every conversation is in no prompt, and in use all the same. */
import { afterEach, expect, test } from 'vitest'
import { defaultsOf } from '../../src/config/levers.ts'
import type { Chosen, Lever, LeverPolicy } from '../../src/core/lever.ts'
import { lever as tools } from '../../src/playbook/compact/tools.ts'
import { post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House | undefined
afterEach(async () => {
  await house?.close()
  house = undefined
})

const settings = { ...defaultsOf(tools.settings), most_missed: 0.2, least_tokens: 0 } as Chosen
const policy: LeverPolicy = {
  match: {},
  levers: { [(tools as unknown as Lever).name]: { mode: 'on', settings } },
  holdout: 0,
  experiment: 'levers',
}

/** After so many conversations without a call it is sure enough that a tool is not needed. */
const ENOUGH = 14
const defined = ['submit', 'refund'].map((name) => ({
  name,
  description: `To ${name}. `.repeat(50),
  input_schema: { type: 'object' },
}))

const asked = (id: number) => ({ role: 'user', content: `Case ${id}` })
const more = (id: number) => [
  asked(id),
  { role: 'assistant', content: 'Which one?' },
  { role: 'user', content: 'The red.' },
]

test.each([false, true])(
  'the tool that hands in the result of every conversation stays (streamed: %s)',
  async (stream) => {
    const open = await startHouse({ settings: { policies: [policy] } })
    house = open
    const send = async (messages: unknown[], tool_choice?: unknown) => {
      const body = { model: 'claude-sonnet-4-5', max_tokens: 300, stream, system: 'Help.', tools: defined, messages }
      const headers = { 'x-api-key': 'sk-client', 'anthropic-version': '2023-06-01' }
      const response = await post(open, { path: '/v1/messages', headers, body: { ...body, tool_choice } })
      expect(response.status).toBe(200)
      await response.arrayBuffer()
    }
    for (let id = 1; id < ENOUGH; id++) await send(more(id), { type: 'tool', name: 'submit' })
    await send(more(ENOUGH), { type: 'none' })
    await send([asked(1000)])
    const last = JSON.parse(new TextDecoder().decode(open.simulator.calls.at(-1)?.body)) as {
      tools: { name: string }[]
    }
    expect(last.tools.map(({ name }) => name)).toEqual(['submit'])
  },
  30_000,
)
