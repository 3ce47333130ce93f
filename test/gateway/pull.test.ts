/** The levers' step: what they may want different, who is left alone, and that nothing they do fails a call. */
import { afterEach, describe, expect, test } from 'vitest'
import type { Lever, LeverMode, LeverPolicy, Pulled } from '../../src/core/lever.ts'
import type { Change } from '../../src/core/prompt.ts'
import type { Settings } from '../../src/core/settings.ts'
import { chatBody, post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House
afterEach(() => house.close())

const made = (name: string, pull: Lever['pull'], more: Partial<Lever> = {}): Lever => ({
  name,
  play: name.startsWith('cache') ? 'cache' : 'compact',
  about: 'made for tests',
  settings: {},
  traits: { certainty: 'exact', risk: 'none', effort: 'switch' },
  pull,
  replay: () => (past) => past,
  ...more,
})
const change = (changes: readonly Change[], more: Partial<Extract<Pulled, { do: 'change' }>> = {}): Pulled => ({
  do: 'change',
  changes,
  why: 'made for tests',
  ...more,
})
const policy = (names: readonly string[], mode: LeverMode = 'on', more: Partial<LeverPolicy> = {}): LeverPolicy => ({
  match: {},
  levers: Object.fromEntries(names.map((name) => [name, { mode, settings: {} }])),
  holdout: 0,
  experiment: 'levers',
  ...more,
})
const open = async (levers: readonly Lever[], policies: readonly LeverPolicy[], budgets: Settings['budgets'] = []) => {
  house = await startHouse({
    settings: { policies, budgets },
    overrides: { levers: Object.fromEntries(levers.map((lever) => [lever.name, lever])) },
  })
}
const ask = async (headers: Record<string, string> = {}, body: unknown = chatBody()) => {
  const response = await post(house, { headers, body })
  await response.arrayBuffer()
  return response.status
}
const hasty = { certainty: 'exact', risk: 'none', effort: 'switch', patience_ms: 20 } as const
const sent = () => house.simulator.calls.map(({ body }) => new TextDecoder().decode(body))
const traces = async () => (await house.receipts()).map(({ levers = [] }) => levers)

const shorter = made('compact/shorter', (call) => {
  const blocks = call.outline()?.blocks ?? []
  const index = blocks.findIndex(({ replaceable, role }) => replaceable && role === 'user')
  return change([{ do: 'replace', block: index, text: 'Weir?' }], {
    removed: call.chain.tokens.map((_, i) => (i === 0 ? 0 : 4)),
  })
})

describe('levers', () => {
  test('change the body at the places that they name, and the receipt describes the prompt as it was asked', async () => {
    await open([shorter], [])
    const body =
      '{ "model":"gpt-4o-mini",  "x":1.50, "max_tokens":60,\n "messages":[{"role":"system","content":"Answer\\u0020briefly."},{"role":"user","content":"What is a weir?"}]}'
    await ask({}, body)
    await house.close()
    await open([shorter], [policy(['compact/shorter'])])
    await ask({}, body)
    expect(sent()).toEqual([body.replace('What is a weir?', 'Weir?')])
    const [receipt] = await house.receipts()
    expect(receipt?.levers).toEqual([
      {
        name: 'compact/shorter',
        action: 'acted',
        why: 'made for tests',
        tokens: 3,
        removed: [0, 3],
        saving_usd: '0.000006',
      },
    ])
    const input = receipt?.input_tokens ?? 0
    expect(receipt?.prefix_tokens?.at(-1)).toBe(input + 3)
    expect((receipt?.system_tokens ?? 0) + (receipt?.user_tokens ?? 0)).toBe(input + 3)
  })

  test('leave the fingerprints what they would be without them', async () => {
    await open([shorter], [policy(['compact/shorter'], 'observe')])
    await ask()
    const [plain] = await house.receipts()
    await house.close()
    await open([shorter], [policy(['compact/shorter'])])
    await ask()
    const [edited] = await house.receipts()
    for (const field of [
      'fingerprint_exact',
      'fingerprint_template',
      'fingerprint_conversation',
      'prefix_hashes',
    ] as const)
      expect(edited?.[field]).toEqual(plain?.[field])
    expect(plain?.levers?.[0]).toMatchObject({ action: 'observed', tokens: 3 })
    expect((plain?.input_tokens ?? 0) - (edited?.input_tokens ?? 0), 'counted, whatever the lever reckoned').toBe(3)
    expect(sent()[0]).toContain('"Weir?"')
  })

  test('have their turn in the order of the playbook, each with the prompt as the ones before left it', async () => {
    const seen: string[] = []
    const look = (name: string) =>
      made(name, (call) => {
        const text =
          call
            .outline()
            ?.blocks.map((block) => block.text)
            .join('|') ?? ''
        seen.push(`${name}: ${text}`)
        return change([{ do: 'replace', block: 1, text: `${name} was here` }])
      })
    await open([look('compact/one'), look('cache/two')], [policy(['compact/one', 'cache/two'])])
    await ask()
    expect(seen).toEqual([
      'cache/two: Answer briefly.|What is a weir?',
      'compact/one: Answer briefly.|cache/two was here',
    ])
    expect(sent()[0]).toContain('compact/one was here')
  })

  test('never let a call say more than its client asked for', async () => {
    const longer = made('compact/longer', () => change([{ do: 'set', fields: { max_output_tokens: 4096 } }]))
    const brief = made('compact/z-brief', () => change([{ do: 'set', fields: { max_output_tokens: 20 } }]))
    await open([longer], [policy(['compact/longer'])])
    await ask()
    expect(JSON.parse(sent()[0] ?? '')).toMatchObject({ max_tokens: 60 })
    await house.close()
    await open([longer, brief], [policy(['compact/longer', 'compact/z-brief'])])
    await ask()
    expect(JSON.parse(sent()[0] ?? '')).toMatchObject({ max_tokens: 20 })
    expect((await house.receipts())[0]?.max_output_asked).toBe(60)
    await house.close()
    // Of several choices each has the maximum: the reading's is that of all together.
    await open([longer], [policy(['compact/longer'])])
    expect((await post(house, { body: chatBody({ n: 4 }) })).status).toBe(200)
    expect(JSON.parse(sent()[0] ?? '')).toMatchObject({ n: 4, max_tokens: 60 })
    await house.close()
    // A budget reserves what was asked, and only where nothing was a maximum of its own.
    const room = { scope: {}, limits: { usd: '10' }, window: { every: 'day', zone: 'UTC' } } as const
    const wide = { ...room, name: 'all', kind: 'hard', unbounded: 'refuse', when_exhausted: 'refuse' } as const
    await open([longer], [policy(['compact/longer'])], [wide])
    await ask()
    expect(JSON.parse(sent()[0] ?? '')).toMatchObject({ max_tokens: 60 })
  })

  test('that are too slow can tell, when they are done, that the call went on without them', async () => {
    let told: boolean | undefined
    const slow = made(
      'compact/slow',
      async (call, _, { passed }) => {
        await new Promise((resolve) => setTimeout(resolve, 60))
        told = passed?.has(call)
        return change([{ do: 'set', fields: { max_output_tokens: 7 } }])
      },
      { traits: hasty },
    )
    await open([slow], [policy(['compact/slow'])])
    expect(await ask()).toBe(200)
    expect(JSON.parse(sent()[0] ?? '')).toMatchObject({ max_tokens: 60 })
    await expect.poll(() => told).toBe(true)
  })

  test('that throw, never end, or cannot make their change are passed over and named', async () => {
    const throwing = made('cache/throwing', () => {
      throw new Error('secret of the prompt')
    })
    const rejecting = made('cache/rejecting', () => Promise.reject(new Error('no')))
    const endless = made('cache/endless', () => new Promise<Pulled>(() => {}), { traits: hasty })
    const learning = made('cache/learning', () => ({ do: 'nothing', why: 'only looks' }), {
      learn: () => {
        throw new Error('no')
      },
    })
    const all = [throwing, rejecting, endless, learning]
    await open([...all, shorter], [policy([...all.map(({ name }) => name), 'compact/shorter'])])
    expect(await ask()).toBe(200)
    expect((await traces())[0]?.map(({ name, action, why }) => `${name} ${action}: ${why}`)).toEqual([
      'cache/endless skipped: took longer than it may',
      'cache/learning skipped: only looks',
      'cache/rejecting skipped: failed',
      'cache/throwing skipped: failed',
      'compact/shorter acted: made for tests',
    ])
    expect(house.log.join('')).not.toContain('secret of the prompt')
    expect(house.log.filter((line) => line.includes('"failure"'))).toHaveLength(3)
  })

  test('that only observe make nobody wait, and their trace is on the receipt where it is ready by then', async () => {
    const traits = { ...shorter.traits, patience_ms: 600_000 }
    const endless = made('cache/endless', () => new Promise<Pulled>(() => {}), { traits })
    const waiting = made(
      'compact/a-waiting',
      (...asked) => {
        const pulled = shorter.pull(...asked)
        return new Promise((resolve) => setImmediate(() => resolve(pulled)))
      },
      { traits },
    )
    const failing = made(
      'compact/b-failing',
      () => new Promise((_, reject) => setImmediate(() => reject(new Error('no')))),
      { traits },
    )
    const observing = [endless, waiting, failing]
    // Its change comes before the other's trace is ready: what that one took out is of the prompt as it found it.
    const later = made('compact/later', () => change([{ do: 'replace', block: 1, text: 'What is a weir for, then?' }]))
    await open(
      [...observing, later],
      [
        policy(
          observing.map(({ name }) => name),
          'observe',
        ),
        policy(['compact/later']),
      ],
    )
    expect(await ask()).toBe(200)
    expect((await traces())[0]?.map(({ name, action, why, tokens }) => [`${name} ${action}: ${why}`, tokens])).toEqual([
      ['cache/endless skipped: was not ready when the call ended', undefined],
      ['compact/a-waiting observed: made for tests', 3],
      ['compact/b-failing skipped: failed', undefined],
      ['compact/later acted: made for tests', undefined],
    ])
    expect(sent()[0]).toContain('What is a weir for, then?')
    expect(sent()[0]).not.toContain('"Weir?"')
  })

  test('that the caller waives do nothing and learn nothing', async () => {
    let learnt = 0
    const watching = made('cache/watching', () => ({ do: 'nothing', why: 'only looks' }), {
      learn: () => void learnt++,
    })
    await open([watching, shorter], [policy(['cache/watching', 'compact/shorter'])])
    await ask({ 'x-weir-levers': 'off' })
    expect(learnt).toBe(0)
    await ask({ 'x-weir-levers': '-compact' })
    expect(learnt).toBe(1)
    expect(sent().some((body) => body.includes('"Weir?"'))).toBe(false)
    await ask()
    expect(sent()[2]).toContain('"Weir?"')
  })

  test('cost a call nothing that no policy matches: it has no traces and no arm', async () => {
    await open([shorter], [policy(['compact/shorter'], 'on', { match: { team: 'river*' }, holdout: 1 })])
    await ask({ 'x-weir-team': 'lake' })
    await ask({ 'x-weir-team': 'riverside' })
    const [lake, river] = await house.receipts()
    expect([lake?.levers, lake?.arm]).toEqual([undefined, undefined])
    expect([river?.levers?.[0]?.action, river?.arm]).toEqual(['observed', 'holdout'])
  })
})

describe('policies', () => {
  test('decide in their order: the first that matches and names a lever', async () => {
    const named = (mode: LeverMode, match: LeverPolicy['match']) => policy(['compact/shorter'], mode, { match })
    await open(
      [shorter],
      [
        named('off', { model: 'gpt-4o-mini', team: 'lake' }),
        named('observe', { wire: 'openai-*', endpoint: 'chat', feature: 'search' }),
        named('on', {}),
      ],
    )
    await ask({ 'x-weir-team': 'lake' })
    await ask({ 'x-weir-feature': 'search' })
    await ask()
    expect((await traces()).map(([trace]) => trace?.action)).toEqual([undefined, 'observed', 'acted'])
  })

  test('hold sessions out by their hash: a session stays in its arm, and about the share is held out', async () => {
    await open([shorter], [policy(['compact/shorter'], 'on', { holdout: 0.4, experiment: 'autumn' })])
    for (let i = 0; i < 40; i++) await ask({ 'x-weir-session': `s-${i}` })
    for (let i = 0; i < 5; i++) await ask({ 'x-weir-session': 's-0' })
    const receipts = await house.receipts()
    expect(new Set(receipts.map(({ experiment }) => experiment))).toEqual(new Set(['autumn']))
    expect(
      new Set(
        receipts
          .slice(39)
          .concat(receipts[0] ?? [])
          .filter(({ session }) => session === 's-0')
          .map(({ arm }) => arm),
      ).size,
    ).toBe(1)
    const held = receipts.slice(0, 40).filter(({ arm }) => arm === 'holdout')
    expect(held.length).toBeGreaterThan(7)
    expect(held.length).toBeLessThan(25)
    for (const { levers } of held) expect(levers?.[0]?.action).toBe('observed')
  })
})
