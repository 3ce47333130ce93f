/** `weir cache why` over a living ledger: the chains of real calls, through journal, ledger and control port. */
import { afterEach, expect, test } from 'vitest'
import { explain, renderWhy } from '../../src/cli/cache/why.ts'
import { reachLedger } from '../../src/gateway/reach.ts'
import { post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House
afterEach(() => house.close())

const words = (count: number, from: number) => Array.from({ length: count }, (_, i) => `w${from + i}`).join(' ')

test('a miss is explained by what changed in the system part, from the ledger alone', { timeout: 60_000 }, async () => {
  house = await startHouse({ overrides: { ledger: true } })
  await house.gateway.ledger_ready
  const ids: string[] = []
  for (const date of ['Monday', 'Tuesday']) {
    const text = (said: string) => ({ type: 'text', text: said })
    const system = [
      text(words(1500, 0)),
      text(`Today is ${date}.`),
      { ...text(words(900, 5000)), cache_control: { type: 'ephemeral' } },
    ]
    const body = { model: 'claude-sonnet-5-5', max_tokens: 50, system, messages: [{ role: 'user', content: 'Why?' }] }
    const response = await post(house, { path: '/v1/messages', body, headers: { 'x-api-key': 'k' } })
    await response.arrayBuffer()
    ids.push(response.headers.get('x-weir-call-id') ?? '')
  }
  const ledger = await reachLedger(house.gateway.settings.data, { now_us: () => Date.now() * 1000 })
  const first = await explain(ledger, ids[0] ?? '')
  const second = await explain(ledger, ids[1] ?? '')
  await ledger.close()
  expect(first.cause).toBe('first')
  expect(second).toMatchObject({ call_id: ids[1], read_tokens: 0, earlier: { call_id: ids[0] } })
  // The first block alone is long enough to be cached, but no mark ended there.
  expect(second).toMatchObject({ cause: 'changed', parted_at: { part: 'system', block: 2 } })
  expect(second.common_tokens).toBeGreaterThan(1500)
})

const marked = { cache_control: { type: 'ephemeral' } }
const tool = (name: string) => ({ name, description: words(400, name.length), input_schema: { type: 'object' } })
const body = (more: object = {}) => ({
  model: 'claude-sonnet-5-5',
  max_tokens: 50,
  tools: [tool('find'), tool('read_it')],
  system: [{ type: 'text', text: words(1500, 0), ...marked }],
  messages: [{ role: 'user', content: 'Why?' }],
  ...more,
})
/** What differs of the second call from the first: its body, how long after it comes, and whose key it has. */
const situations = {
  'tools in another order': { second: body({ tools: [tool('read_it'), tool('find')] }) },
  'six minutes later': { wait_s: 360 },
  'a short prompt': {
    first: body({ system: 'Be brief.', tools: [] }),
    second: body({ system: 'Be brief.', tools: [] }),
  },
  'another key of another account': { key: 'other' },
  'another model': { second: body({ model: 'claude-opus-4-5' }) },
  'no marks': {
    first: body({ system: words(1500, 0) }),
    second: body({ system: words(1500, 0) }),
  },
  'the same again': {},
} satisfies Record<string, Partial<Record<'first' | 'second', object>> & { wait_s?: number; key?: string }>

test('each situation of a second call is told apart, through the simulator’s own cache', {
  timeout: 120_000,
}, async () => {
  const found: Record<string, unknown> = {}
  const said: string[] = []
  for (const [name, situation] of Object.entries(situations)) {
    const {
      first = body(),
      second = body(),
      wait_s = 30,
      key = 'k',
    } = situation as Partial<Record<'first' | 'second', object>> & { wait_s?: number; key?: string }
    let now_us = Date.now() * 1000 - 3_600_000_000
    house = await startHouse({
      simulator: { now_us: () => now_us },
      overrides: { ledger: true, now_us: () => now_us },
    })
    await house.gateway.ledger_ready
    const ids: string[] = []
    for (const [sent, owner] of [
      [first, 'k'],
      [second, key],
    ] as const) {
      const response = await post(house, {
        path: '/v1/messages',
        body: sent,
        headers: { authorization: '', 'x-api-key': owner },
      })
      await response.arrayBuffer()
      ids.push(response.headers.get('x-weir-call-id') ?? '')
      now_us += wait_s * 1_000_000
    }
    const ledger = await reachLedger(house.gateway.settings.data, { now_us: () => Date.now() * 1000 })
    const why = await explain(ledger, ids[1] ?? '')
    const { cause, parted_at } = why
    const text = renderWhy(why, { colour: false, width: 100 })
    said.push(`-- ${name}\n${text.replaceAll(ids[0] ?? '?', 'FIRST').replaceAll(ids[1] ?? '?', 'SECOND')}`)
    await ledger.close()
    await house.close()
    found[name] = parted_at ? `${cause} in the ${parted_at.part}, block ${parted_at.block ?? '-'}` : cause
  }
  expect(found).toEqual({
    'tools in another order': 'changed in the tools, block 1',
    'six minutes later': 'expired',
    'a short prompt': 'below-minimum',
    'another key of another account': 'other-account',
    'another model': 'other-model',
    'no marks': 'not-marked',
    'the same again': 'read',
  })
  expect(said.join('\n\n')).toMatchInlineSnapshot(`
    "-- tools in another order
    Call SECOND
    This prompt parts from the nearest earlier one in the tools (block 1, after 0 tokens).
      read           0 of 7,236 tokens
      compared with  FIRST, 30.0 s before, anthropic claude-sonnet-5-5
      parts at       block 1, after 0 tokens
      advice         Send the same tools in the same order with their JSON keys in the same order; add
                     tools at the end, or defer them.

    -- six minutes later
    Call SECOND
    The prefix was last used 6 min before; the provider keeps it 5 min after its last use.
      read           0 of 7,236 tokens
      in common      7,236 tokens with an earlier call
      compared with  FIRST, 6 min 0 s before, anthropic claude-sonnet-5-5
      advice         Ask for a longer TTL (1h), or let the lever cache/provider-prefix choose it.

    -- a short prompt
    Call SECOND
    The prompt has 23 tokens; this model caches from 1,024 on.
      read  0 of 23 tokens

    -- another key of another account
    Call SECOND
    The prefix was sent with another key; caches belong to an account or workspace.
      read           0 of 7,236 tokens
      in common      7,236 tokens with an earlier call
      compared with  FIRST, 30.0 s before, anthropic claude-sonnet-5-5
      advice         Send calls with one prefix by one provider key.

    -- another model
    Call SECOND
    The prefix was sent to anthropic claude-sonnet-5-5; each model has a cache of its own.
      read           0 of 5,376 tokens
      in common      5,376 tokens with an earlier call
      compared with  FIRST, 30.0 s before, anthropic claude-sonnet-5-5
      advice         Keep a conversation on one model and provider; count the new write before you
                     switch.

    -- no marks
    Call SECOND
    Nothing was read and nothing written: the prompt carries no cache mark.
      read    0 of 7,236 tokens
      advice  Turn on the lever cache/provider-prefix, or set cache_control on the last block that stays
              the same.

    -- the same again
    Call SECOND
    7,223 of 7,236 tokens were read from the cache.
      read  7,223 of 7,236 tokens"
  `)
})
