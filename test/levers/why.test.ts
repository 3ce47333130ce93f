import { expect, test } from 'vitest'
import type { Receipt } from '../../src/core/receipt.ts'
import { cacheRule } from '../../src/playbook/cache/rules.ts'
import { whyNotRead } from '../../src/playbook/cache/why.ts'

const START = 1_795_000_000_000_000
const SECOND = 1_000_000
const hash = (text: string): string => Buffer.from(text.padEnd(8).slice(0, 8)).toString('hex')

/** A call whose prompt is tools, system and messages, by letters: a prefix of letters is a prefix of the prompt. */
const call = (prompt: string, at_s: number, more: Partial<Receipt> = {}): Receipt => ({
  receipt_id: `r-${prompt}-${at_s}`,
  call_id: `c-${prompt}-${at_s}`,
  attempt: 1,
  origin: 'live',
  started_at_us: START + at_s * SECOND,
  first_token_at_us: START + (at_s + 2) * SECOND,
  ended_at_us: START + (at_s + 5) * SECOND,
  endpoint: 'messages',
  stream: false,
  provider: 'anthropic',
  model_asked: 'claude-sonnet-5-5',
  tenant: '00000000000000aa',
  session: 's',
  outcome: 'ok',
  usage_source: 'provider',
  price_state: 'priced',
  input_tokens: prompt.length * 1000,
  cache_write_tokens: prompt.length * 1000,
  tools_tokens: 1000,
  system_tokens: 1000,
  fingerprint_conversation: '00000000000000cc',
  prefix_hashes: [...prompt].map((_, index) => hash(prompt.slice(0, index + 1))),
  prefix_tokens: [...prompt].map((_, index) => (index + 1) * 1000),
  ...more,
})
const rule = cacheRule('anthropic', 'claude-sonnet-5-5', START)
const why = (now: Receipt, ...earlier: Receipt[]) => whyNotRead(now, earlier, rule)

test('a prompt that changed is explained by the place where it parts from the nearest one', () => {
  expect(why(call('xSab', 60), call('TSa', 0))).toMatchObject({
    cause: 'changed',
    parted_at: { part: 'tools', block: 1 },
  })
  expect(why(call('Txab', 60, { input_tokens: 4000 }), call('TSa', 0))).toMatchObject({
    cause: 'changed',
    parted_at: { part: 'system', block: 2, tokens_before: 1000 },
    advice: expect.stringMatching(/out of the system prompt/),
  })
  const rewritten = why(call('TSxbc', 60, { cache_read_tokens: 2000 }), call('TSab', 0))
  expect(rewritten).toMatchObject({ cause: 'changed', parted_at: { part: 'message', message: 1 }, common_tokens: 2000 })
})

test('a prefix that was sent before is explained by time: too late, or too early', () => {
  expect(why(call('TSab', 400), call('TSa', 0))).toMatchObject({
    cause: 'expired',
    common_tokens: 3000,
    earlier: { age_s: 400 },
  })
  expect(why(call('TSab', 400), call('TSa', 0, { cache_write_1h_tokens: 3000 })).cause).toBe('unexplained')
  expect(why(call('TSab', 1), call('TSa', 0)).cause).toBe('parallel')
})

test('it is said when the prefix lies elsewhere, too far back, below the minimum, or was never marked', () => {
  expect(why(call('TSab', 60), call('TSa', 0, { model_asked: 'claude-haiku-4-5' })).cause).toBe('other-model')
  expect(why(call('TSab', 60), call('TSa', 0, { tenant: '00000000000000bb' })).cause).toBe('other-account')
  // Two keys of Weir's go to the provider with the same one.
  const other_key = { key_id: 'key-b', tenant: '00000000000000bb' }
  expect(why(call('TSab', 400, { key_id: 'key-a' }), call('TSa', 0, other_key)).cause).toBe('expired')
  expect(why(call(`TSa${'b'.repeat(25)}`, 60), call('TSa', 0))).toMatchObject({
    cause: 'too-far',
    said: expect.stringMatching(/^25 blocks/),
  })
  expect(why(call('T', 60, { input_tokens: 900 })).cause).toBe('below-minimum')
  expect(why(call('TSab', 60, { cache_write_tokens: 0 }), call('TSa', 0)).cause).toBe('not-marked')
  expect(why(call('TSab', 60)).cause).toBe('first')
  expect(why(call('TSab', 60, { cache_read_tokens: 3000 }), call('TSa', 0)).cause).toBe('read')
})

test('a prefix that nobody wrote is not said to be lost: the earlier call had no mark, or marked less', () => {
  const unmarked = call('TSa', 0, { cache_write_tokens: 0 })
  expect(why(call('TSab', 60), unmarked)).toMatchObject({
    cause: 'not-written',
    said: expect.stringContaining('no cache mark'),
    common_tokens: 3000,
  })
  const definitions = call('TSa', 0, { cache_write_tokens: 2000 })
  expect(why(call('TSab', 60, { cache_read_tokens: 2000, cache_write_tokens: 2000 }), definitions)).toMatchObject({
    cause: 'not-written',
    said: expect.stringContaining('first 2,000 tokens'),
  })
  // What it wrote was not read: that is the miss, and it has its own cause.
  expect(why(call('TSab', 400), definitions).cause).toBe('expired')
})

test('a call without a mark is told what the lever said of it, and is told of the lever where it was not there', () => {
  const bare = { cache_write_tokens: 0 }
  expect(why(call('TSab', 60, bare)).advice).toContain('cache/provider-prefix')
  const trace = { name: 'cache/provider-prefix', action: 'skipped', why: 'waived by the caller' } as const
  const told = why(call('TSab', 60, { ...bare, levers: [trace] }))
  expect(told.said).toContain('waived by the caller')
  expect(told.advice).toBeUndefined()
})

test('of the caches in which a prefix lies, the one next door is named: another key before another model', () => {
  const other_key = call('TSa', 0, { tenant: '00000000000000bb' })
  const other_both = call('TSa', 30, { tenant: '00000000000000bb', model_asked: 'claude-haiku-4-5' })
  expect(why(call('TSab', 60), other_key, other_both).cause).toBe('other-account')
})

test('a call is not held against one of another matter: what shares neither words nor name nor shape is the first of its kind', () => {
  const nobody = { fingerprint_conversation: '00000000000000dd' }
  const { session: _, ...unnamed } = call('xyab', 60, nobody)
  const { session: __, ...before } = call('TSab', 0)
  expect(whyNotRead({ ...unnamed, tools_tokens: 0, system_tokens: 3000 }, [before], rule).cause).toBe('first')
  // The same tools in another order are as long as they were.
  expect(whyNotRead(unnamed, [before], rule)).toMatchObject({ cause: 'changed', parted_at: { part: 'tools' } })
  expect(
    whyNotRead({ ...unnamed, feature: 'search', system_tokens: 9000 }, [{ ...before, feature: 'search' }], rule),
  ).toMatchObject({
    cause: 'changed',
  })
})

test('a call that no provider worked on is not explained by its length, and wrote nothing that a later one could read', () => {
  const given = call('TSab', 60, { outcome: 'cached', attempt: 0 })
  expect(why(given, call('TSab', 0))).toMatchObject({ cause: 'not-served', said: expect.stringContaining('itself') })
  const { input_tokens: _, cache_write_tokens: __, ...unbilled } = call('TSab', 0)
  for (const outcome of ['refused', 'error'] as const) {
    const failed = { ...unbilled, outcome }
    expect(why(failed)).toMatchObject({ cause: 'not-served', said: expect.stringContaining('failed') })
    expect(why(call('TSab', 60), failed).cause).toBe('first')
  }
})
