/** Virtual tags in the real ledger say what the pure rules say, and move no money. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { VirtualTag } from '../../src/core/allocation.ts'
import type { Dimension } from '../../src/core/dimension.ts'
import type { Ledger } from '../../src/core/ledger.ts'
import { formatUsd, parseUsd, picodollars, sum } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { fieldOf } from '../../src/playbook/allocate/tags/fields.ts'
import { readTagRules } from '../../src/playbook/allocate/tags/read.ts'
import { compileTagRules, type TagRule } from '../../src/playbook/allocate/tags/rules.ts'

const day_us = 86_400_000_000
const start_us = Date.UTC(2026, 9, 1) * 1000
const window = { from_us: start_us, to_us: start_us + 10 * day_us }

const texts = ['search', 'seArch', 'a%b', 'a_b', 'axb', "o'hara", 'Ünï\u{1f600}x', 'back\\slash', 'line\nbreak', '!']
const fields = ['team', 'feature', 'customer', 'user', 'environment', 'model_asked', 'provider', 'agent'] as const

/** A fixed crowd of receipts with every mixture of present and absent fields. */
const receipts: readonly Receipt[] = Array.from({ length: 240 }, (_, i) => {
  const pick = (salt: number) => ((i + 1) * (salt * 2 + 7)) % (texts.length + 3)
  const given = fields.flatMap((field, at) => {
    const text = texts[pick(at)]
    return text === undefined ? [] : [[field, text] as const]
  })
  const tag = texts[pick(11)]
  return {
    receipt_id: `r${i}`,
    call_id: `c${i}`,
    attempt: 1,
    origin: 'live',
    started_at_us: start_us + i * 3_600_000_000,
    ended_at_us: start_us + i * 3_600_000_000,
    endpoint: 'chat',
    stream: false,
    provider: 'openai',
    outcome: 'ok',
    usage_source: 'provider',
    price_state: 'priced',
    cost_usd: formatUsd(picodollars(BigInt(i * i * 1_234_567 + 1))),
    ...(tag === undefined ? {} : { tags: { 'cost centre': tag, other: 'x' } }),
    ...Object.fromEntries(given),
  } as Receipt
})

let folder: string
let ledger: Ledger
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'weir-tagged-'))
  const path = join(folder, 'segment.ndjson')
  writeFileSync(path, receipts.map((r) => `${JSON.stringify({ k: 'receipt', r })}\n`).join(''))
  ledger = await open({ path: join(folder, 'led"ger.duckdb'), roll_up_from: 1 })
  await ledger.append({ name: 'segment', path })
})
afterAll(async () => {
  await ledger.close()
  rmSync(folder, { recursive: true })
})

const text = fc.constantFrom(...texts)
const glob = fc.oneof(
  text.map((one) => one.replace(/[\\*?]/g, '\\$&')),
  fc.constantFrom('*', 's*', '*r*', 'a?b', 'a\\?b', '*\\\\*', '????', 'line*', '?', '\\!'),
)
const values = fc.oneof(glob, fc.array(glob, { minLength: 1, maxLength: 3 }), fc.constant(null))
const condition = fc.oneof(
  values,
  values.map((not) => ({ not })),
)
const readable = fc.constantFrom(...fields, 'model', 'tag:cost centre', 'tag:absent', 'key_id', 'endpoint')
const settable = fc.constantFrom('team', 'feature', 'customer', 'user', 'environment', 'tag:cost centre', 'tag:new one')
const source = fc.oneof(
  fc.constantFrom('platform', "x'); drop table receipts; --", 'search'),
  readable.map((from) => ({ from })),
)
const rule: fc.Arbitrary<VirtualTag> = fc.record({
  when: fc.dictionary(readable, condition, { maxKeys: 3 }),
  set: fc.dictionary(settable, source, { minKeys: 1, maxKeys: 3 }),
})

const expected = (rules: readonly TagRule[], dimension: string): ReadonlyMap<string | null, string> => {
  const { apply } = compileTagRules(rules)
  const found = new Map<string | null, bigint>()
  for (const receipt of receipts) {
    const changed = apply(receipt).values as Readonly<Record<string, string>>
    const value = changed[dimension] ?? fieldOf(receipt, dimension as 'team') ?? null
    found.set(value, (found.get(value) ?? 0n) + parseUsd(receipt.cost_usd ?? '0'))
  }
  return new Map([...found].map(([value, amount]) => [value, formatUsd(picodollars(amount))]))
}

const byName = (one: readonly [string | null, string], other: readonly [string | null, string]) =>
  String(one[0]) < String(other[0]) ? -1 : 1

test('the ledger charges every receipt to whom the rules name, for any rules, and the total stays', async () => {
  const total = formatUsd(sum(receipts.map(({ cost_usd }) => parseUsd(cost_usd ?? '0'))))
  await fc.assert(
    fc.asyncProperty(fc.array(rule, { maxLength: 5 }), settable, async (rules, dimension) => {
      const tags = readTagRules(rules).problems.some(({ message }) => !message.startsWith('never reached')) ? [] : rules
      const common = { window, tags, group_by: [dimension as Dimension] } as const
      const owned = await ledger.query({ ask: 'owned', ...common })
      const spend = await ledger.query({ ask: 'spend', ...common })
      const wanted = [...expected(tags as readonly TagRule[], dimension)].sort(byName)
      expect(
        owned.rows.map(({ group, cost_usd }) => [group[dimension] ?? null, cost_usd] as const).sort(byName),
      ).toEqual(wanted)
      expect(
        spend.rows.map(({ group, cost_usd }) => [group[dimension] ?? null, cost_usd] as const).sort(byName),
      ).toEqual(wanted)
      expect([owned.total_usd, spend.total.cost_usd]).toEqual([total, total])
    }),
    { numRuns: 60, seed: 20261123 },
  )
})

const platform: readonly VirtualTag[] = [{ when: { provider: 'search' }, set: { team: 'platform' } }]

test('filters see what the rules say, and the leaks do too', async () => {
  const filters = [{ dimension: 'team', values: ['platform'] }] as const
  const spend = await ledger.query({ ask: 'spend', window, group_by: ['team'], filters, tags: platform })
  const leaks = await ledger.query({ ask: 'leaks', window, filters, tags: platform })
  expect(spend.rows.map(({ group }) => group['team'])).toEqual(['platform'])
  expect(leaks.total_usd).toBe(spend.total.cost_usd)
  expect((await ledger.query({ ask: 'leaks', window, filters })).total_usd).toBe('0')
})

test('the answer is the same from rolled-up days, also where rules read what the roll-up does not keep', async () => {
  const asked = { ask: 'spend', window, group_by: ['team'] } as const
  const unrolled: readonly VirtualTag[] = [{ when: { user: 'search' }, set: { team: 'platform' } }]
  const before = [
    await ledger.query({ ...asked, tags: platform }),
    await ledger.query({ ...asked, tags: unrolled }),
    await ledger.query(asked),
  ]
  expect(before[0]).not.toEqual(before[2])
  await ledger.query(asked)
  await new Promise((resolve) => setTimeout(resolve, 300))
  expect([
    await ledger.query({ ...asked, tags: platform }),
    await ledger.query({ ...asked, tags: unrolled }),
    await ledger.query(asked),
  ]).toEqual(before)
})

test('a receipt itself is shown as it was written, whatever the rules', async () => {
  const tags = [{ when: {}, set: { team: 'everybody' } }]
  const { receipts: found } = await ledger.query({ ask: 'call', id: 'c1', tags })
  expect(found[0]?.team).toBe(receipts[1]?.team)
  expect((await ledger.query({ ask: 'extent', tags })).receipts).toBe(receipts.length)
})

test('a rule that reads or sets what it cannot is refused by name', async () => {
  const ask = (tags: readonly VirtualTag[]) => ledger.query({ ask: 'owned', window, group_by: ['team'], tags })
  await expect(ask([{ when: { 'cost_usd) --': 'x' }, set: { team: 'a' } }])).rejects.toThrow(
    /cannot read "cost_usd\) --"/,
  )
  await expect(ask([{ when: {}, set: { cost_usd: '0' } }])).rejects.toThrow(/cannot set "cost_usd"/)
  await expect(ask(Array.from({ length: 1001 }, () => ({ when: {}, set: { team: 'a' } })))).rejects.toThrow(
    /1000 at most/,
  )
})
