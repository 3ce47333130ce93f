/** A replay in a thread of its own: the same advice, and a failure that is told. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type ReplaySetup, replayingOf } from '../../src/cli/advise/replaying.ts'
import { type OpenReplaying, replayThere } from '../../src/cli/advise/thread.ts'
import { encodeLine } from '../../src/core/journal-line.ts'
import type { Ledger } from '../../src/core/ledger.ts'
import type { Usd } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { adviceFrom } from '../../src/playbook/advise/advise.ts'
import { prices } from '../gateway/prices.ts'
import { BEGIN_US } from '../levers/day.ts'

/** More than a piece of a page has. */
const CALLS = 2300

const hashOf = (number: number): string => number.toString(16).padStart(16, '0')

/** Conversations that grow, with what repeats, what levers observed, and calls of several attempts. */
const receiptOf = (at: number): Receipt => {
  const [session, turn] = [at % 12, Math.floor(at / 12)]
  const prefix_tokens = Array.from({ length: Math.min(6, turn + 1) }, (_, block) => 1500 * (block + 1))
  const started_at_us = BEGIN_US + Math.floor(at / 2) * 7_000_000
  return {
    receipt_id: `r-${String(CALLS - at).padStart(6, '0')}`,
    call_id: `c-${at % 20 === 19 ? at - 1 : at}`,
    attempt: at % 20 === 19 ? 2 : 1,
    origin: 'live',
    started_at_us,
    ended_at_us: started_at_us + 2_000_000,
    endpoint: 'chat',
    stream: at % 3 === 0,
    provider: 'openai',
    model_asked: 'gpt-4o-mini',
    model_served: 'gpt-4o-mini',
    outcome: at % 17 === 0 ? 'refused' : 'ok',
    finish_reason: 'stop',
    input_tokens: 1500 * (turn + 1) + at,
    output_tokens: 40 + (at % 90),
    usage_source: 'provider',
    price_state: 'priced',
    cost_usd: `0.00${1 + (at % 8)}` as Usd,
    session: `session of somebody ${session}`,
    customer: session % 2 === 0 ? 'Müller → 😀' : `customer ${session}`,
    temperature: at % 2,
    fingerprint_exact: hashOf(at % 50),
    fingerprint_template: hashOf(7000 + session),
    prefix_hashes: prefix_tokens.map((_, block) => hashOf(90_000 + session * 100 + block)),
    prefix_tokens,
    ...(at % 5 === 0 && {
      levers: [
        { name: 'compact/minify', action: 'observed', why: 'blanks', tokens: 9, removed: prefix_tokens.map(() => 9) },
      ],
    }),
  }
}

const window = { from_us: BEGIN_US, to_us: BEGIN_US + 86_400_000_000 }
const setup: ReplaySetup = {
  window,
  filters: [],
  by: 'customer',
  prices,
  ratios: [],
  seed: 1,
  expected: CALLS,
  swap: { to: 'tier', tier: 'batch' },
}

const folder = mkdtempSync(join(tmpdir(), 'weir-thread-'))
let ledger: Ledger
beforeAll(async () => {
  ledger = await open({ path: join(folder, 'ledger.duckdb') })
  const path = join(folder, 'segment')
  writeFileSync(path, Array.from({ length: CALLS }, (_, at) => encodeLine('receipt', receiptOf(at))).join(''))
  await ledger.append({ name: 'segment', path })
})
afterAll(async () => {
  await ledger.close()
  rmSync(folder, { recursive: true })
})

const opened: OpenReplaying[] = []
const there = (): OpenReplaying => {
  const replaying = replayThere(setup)
  opened.push(replaying)
  return replaying
}
afterAll(() => Promise.all(opened.map(({ close }) => close())))

test('in a worker gives the very advice that it gives in this thread, whatever the pages and their pieces', async () => {
  const asked = { ledger, window, filters: [] }
  const here = await adviceFrom({ ...asked, page: 10_000 }, replayingOf(setup))
  const told: number[] = []
  const elsewhere = await adviceFrom({ ...asked, page: 300, progress: (receipts) => told.push(receipts) }, there())
  expect(here.findings.filter(({ calls }) => calls > 0).map(({ lever }) => lever)).toContain('cache/exact')
  expect(elsewhere).toEqual(here)
  expect(told.length).toBeGreaterThan(3)
  expect(told.toSorted((one, other) => one - other)).toEqual(told)
})

test('whose worker has ended says so to whoever waits for it', async () => {
  const replaying = there()
  await replaying.close()
  await expect(adviceFrom({ ledger, window, filters: [], page: 40 }, replaying)).rejects.toMatchObject({
    code: 'internal',
    message: 'The replay has ended: its thread was stopped',
  })
})

test('that throws in its worker rejects with what was thrown', async () => {
  const prices_with_hole = { ...prices, rows: [{ ...prices.rows[0], rates: null }] } as unknown as ReplaySetup['prices']
  const replaying = replayThere({ ...setup, prices: prices_with_hole })
  opened.push(replaying)
  const here = () => replayingOf({ ...setup, prices: prices_with_hole })
  const failed = await adviceFrom({ ledger, window, filters: [] }, replaying).catch(({ message }: Error) => message)
  expect(here).toThrow(String(failed))
  const untaken = await replaying.result().catch(({ message }: Error) => message)
  expect(untaken).toBe(failed)
  expect(String(failed)).not.toBe('')
})
