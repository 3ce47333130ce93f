/** What every ledger finds leaking, on traffic small enough to compute by hand. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Leak, Ledger } from '../../src/core/ledger.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import type { LedgerUnderTest } from './contract.ts'
import { DAY_US, HOUR_US, MINUTE_US, receipt, START_US, usd, writeSegment } from './receipts.ts'

const window = { from_us: START_US, to_us: START_US + 10 * DAY_US }

export const leaksContract = (name: string, openEmpty: (folder: string) => Promise<LedgerUnderTest>): void => {
  let folder = ''
  let ledger: Ledger

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weir-leaks-'))
    ledger = (await openEmpty(folder)).ledger
  })
  afterEach(async () => {
    await ledger.close()
    rmSync(folder, { recursive: true })
  })
  const leaksOf = async (receipts: readonly Receipt[]) => {
    writeSegment(join(folder, 'segment'), receipts)
    await ledger.append({ name: 'segment', path: join(folder, 'segment') })
    const answer = await ledger.query({ ask: 'leaks', window })
    const of = (kind: Leak['kind']): Leak => {
      const leak = answer.leaks.find((one) => one.kind === kind)
      if (!leak) throw new Error(`no ${kind} in the answer`)
      return leak
    }
    return { answer, of }
  }

  describe(`${name}: leaks`, () => {
    test('system prompt, tools and history leak at what each call itself paid for an input token', async () => {
      const { answer, of } = await leaksOf([
        receipt({
          receipt_id: 'first',
          session: 's',
          turns: 1,
          feature: 'f',
          input_tokens: 1000,
          system_tokens: 300,
          tools_tokens: 200,
          history_tokens: 0,
          input_cost_usd: usd('0.001'),
          cost_usd: usd('0.002'),
        }),
        receipt({
          receipt_id: 'ninth',
          session: 's',
          turns: 9,
          feature: 'f',
          input_tokens: 2000,
          system_tokens: 500,
          history_tokens: 1200,
          input_cost_usd: usd('0.004'),
          cost_usd: usd('0.006'),
        }),
      ])
      expect(answer).toMatchObject({ total_usd: '0.008', input_tokens: 3000 })
      expect(of('system-and-tools')).toMatchObject({
        cost_usd: '0.0015',
        share: 0.1875,
        calls: 2,
        examples: ['ninth', 'first'],
      })
      expect(of('context-accumulation')).toMatchObject({ cost_usd: '0.0024', calls: 1, examples: ['ninth'] })
      expect(of('context-accumulation').finding).toMatch(
        /are 40 % of all input and cost \$0\.0024, over 1 session, of up to 9/,
      )
      expect(
        of('context-accumulation').detail.map((row) => [row['from_turn'], row['to_turn'], row['cost_usd']]),
      ).toEqual([
        [1, 1, '0'],
        [8, 15, '0.0024'],
      ])
    })

    test('a finding tells large sums with their thousands, and what is too small to round as small, not as nothing', async () => {
      const call = (fields: Partial<Receipt>) =>
        receipt({ feature: 'f', turns: 3, history_tokens: 0, system_tokens: 0, tools_tokens: 0, ...fields })
      const { of } = await leaksOf([
        call({ input_tokens: 10_000_000, history_tokens: 1000, input_cost_usd: usd('3'), cost_usd: usd('3') }),
        call({
          input_tokens: 1_000_000,
          system_tokens: 1_000_000,
          input_cost_usd: usd('12345.6'),
          cost_usd: usd('12345.6'),
        }),
      ])
      expect(of('context-accumulation').finding).toMatch(
        /are <0\.1 % of all input and cost \$0\.0003, over calls that name no session/,
      )
      expect(of('system-and-tools').finding).toContain('cost $12,345.60.')
    })

    test('reasoning leaks at the price of output, and failed calls at what they cost', async () => {
      const { of } = await leaksOf([
        receipt({
          receipt_id: 'thinks',
          output_tokens: 1000,
          reasoning_tokens: 750,
          output_cost_usd: usd('0.01'),
          cost_usd: usd('0.02'),
        }),
        receipt({ receipt_id: 'dies', outcome: 'cut', cost_usd: usd('0.5') }),
        receipt({ receipt_id: 'left', outcome: 'client-gone', cost_usd: usd('0.25') }),
        receipt({ receipt_id: 'free', outcome: 'error', http_status: 500, price_state: 'none' }),
      ])
      expect(of('reasoning')).toMatchObject({ cost_usd: '0.0075', calls: 1, examples: ['thinks'] })
      expect(of('error-spend')).toMatchObject({ cost_usd: '0.75', calls: 2, examples: ['dies', 'left'] })
      expect(of('error-spend').detail).toHaveLength(3)
    })

    test('the same body three times within minutes is a loop, whose first call alone was needed', async () => {
      const same = { session: 's', fingerprint_exact: '00000000000000aa', cost_usd: usd('1') }
      const at = (minutes: number, fields: Partial<Receipt>) =>
        receipt({ ...fields, started_at_us: START_US + minutes * MINUTE_US })
      const { of } = await leaksOf([
        at(0, { ...same, receipt_id: 'l1' }),
        at(1, { ...same, receipt_id: 'l2' }),
        at(9, { ...same, receipt_id: 'l3' }),
        at(60, { ...same, receipt_id: 'later' }),
        at(61, { ...same, receipt_id: 'later too' }),
        at(0, { ...same, session: 'other', receipt_id: 'twice 1' }),
        at(1, { ...same, session: 'other', receipt_id: 'twice 2' }),
        at(2, { receipt_id: 'failed', call_id: 'c', attempt: 1, outcome: 'error', cost_usd: usd('0.25') }),
        at(2, { receipt_id: 'worked', call_id: 'c', attempt: 2, cost_usd: usd('0.5') }),
      ])
      const loops = of('retry-loops')
      expect(loops).toMatchObject({ cost_usd: '2.25', calls: 3, examples: ['l2', 'l3', 'failed'] })
      expect(loops.detail.map((row) => [row['reason'], row['times'], row['cost_usd']])).toEqual([
        ['same call again', 3, '2'],
        ['failed attempt', 1, '0.25'],
      ])
    })

    test('loops are told apart by who sent them and when', async () => {
      const loop = (key_id: string, minute: number) =>
        [0, 1, 2].map((at) =>
          receipt({
            key_id,
            fingerprint_exact: '00000000000000aa',
            started_at_us: START_US + (minute + at) * MINUTE_US,
            cost_usd: usd('1'),
          }),
        )
      const { of } = await leaksOf([...loop('k1', 0), ...loop('k1', 60), ...loop('k2', 0)])
      expect(of('retry-loops').finding).toMatch(/^3 loops sent .* \(9 calls\).* cost \$6\.00\.$/)
    })

    test('an answer is verbose beyond the upper fence of its feature and model, and only the excess leaks', async () => {
      const usual = Array.from({ length: 40 }, (_, at) =>
        receipt({
          feature: 'f',
          output_tokens: 100 + (at % 2) * 100,
          output_cost_usd: usd('0.001'),
          cost_usd: usd('0.001'),
        }),
      )
      const long = receipt({
        receipt_id: 'long',
        feature: 'f',
        output_tokens: 1450,
        reasoning_tokens: 100,
        output_cost_usd: usd('0.0145'),
        cost_usd: usd('0.0145'),
      })
      const elsewhere = receipt({
        feature: 'rare',
        output_tokens: 99_999,
        output_cost_usd: usd('9'),
        cost_usd: usd('9'),
      })
      const { of } = await leaksOf([...usual, long, elsewhere])
      // Quartiles 100 and 200: the fence is 350, the excess 1,000 of 1,350 visible tokens, at 0.00001 a token.
      expect(of('verbose-output')).toMatchObject({ cost_usd: '0.01', calls: 1, examples: ['long'] })
    })

    test('a prefix that was sent before and not read from the cache leaks the difference to a cache read', async () => {
      const call = (id: string, minutes: number, fields: Partial<Receipt>) =>
        receipt({
          receipt_id: id,
          session: 's',
          model_served: 'm',
          started_at_us: START_US + minutes * MINUTE_US,
          input_tokens: 5000,
          input_cost_usd: usd('0.005'),
          cost_usd: usd('0.005'),
          ...fields,
        })
      const [a, b, c] = ['00000000000000aa', '00000000000000bb', '00000000000000cc']
      const lines = [
        { kind: 'message', model: 'm', meter: 'in.text.fresh', quantity: 1000, rate_usd: '1' },
        { kind: 'message', model: 'm', meter: 'in.text.cache_read', quantity: 4000, rate_usd: '0.1' },
      ] as const
      const { answer, of } = await leaksOf([
        call('new', 0, { prefix_hashes: [a ?? '', b ?? ''], prefix_tokens: [2000, 4000], lines }),
        call('hit', 1, { prefix_hashes: [a ?? '', b ?? ''], prefix_tokens: [2000, 4000], cache_read_tokens: 4000 }),
        call('missed', 2, { prefix_hashes: [a ?? '', c ?? ''], prefix_tokens: [2000, 4500] }),
        call('too late', 3 * 60, { prefix_hashes: [a ?? ''], prefix_tokens: [2000] }),
        call('another session', 3, { session: 'x', prefix_hashes: [a ?? ''], prefix_tokens: [2000] }),
        call('another model', 3, { model_served: 'n', prefix_hashes: [a ?? ''], prefix_tokens: [2000] }),
      ])
      expect(answer).toMatchObject({ cacheable_tokens: 8000, cached_tokens: 4000 })
      expect(of('uncached-prefix')).toMatchObject({ cost_usd: '0.0018', calls: 1, examples: ['missed'] })
      expect(of('uncached-prefix').detail.map((row) => [row['again'], row['missed_tokens']])).toContainEqual([
        'later',
        2000,
      ])
    })

    test('a missed prefix is priced as its own call was, also where long prompts, batches or other hours cost more', async () => {
      const call = (id: string, minutes: number, rate_usd: string, cached_usd?: string) =>
        receipt({
          receipt_id: id,
          session: 's',
          model_served: 'm',
          started_at_us: START_US + minutes * MINUTE_US,
          input_tokens: 2000,
          prefix_hashes: ['00000000000000aa'],
          prefix_tokens: [2000],
          lines: [
            { kind: 'message', model: 'm', meter: 'in.text.fresh', quantity: 2000, rate_usd },
            ...(cached_usd === undefined
              ? []
              : [
                  {
                    kind: 'message',
                    model: 'm',
                    meter: 'in.text.cache_read',
                    quantity: 0,
                    rate_usd: cached_usd,
                  } as const,
                ]),
          ],
        })
      const { of } = await leaksOf([call('first', 0, '5'), call('cheap', 1, '1'), call('dear', 2, '5', '0.5')])
      // 2,000 tokens at 90 % of 1 and of 5 dollars a million.
      expect(of('uncached-prefix')).toMatchObject({ cost_usd: '0.0108', calls: 2, examples: ['dear', 'cheap'] })
    })

    test('a prompt that nobody was billed for is no part of the input: neither what it held nor what it had before', async () => {
      const prompt = { session: 's', system_tokens: 400, tools_tokens: 100, history_tokens: 300, turns: 2 }
      const chain = { prefix_hashes: ['00000000000000aa'], prefix_tokens: [2000] }
      const { answer, of } = await leaksOf([
        receipt({ ...prompt, ...chain, outcome: 'error', http_status: 429, price_state: 'none' }),
        receipt({ ...prompt, ...chain, input_tokens: 1000, input_cost_usd: usd('0.001'), cost_usd: usd('0.001') }),
        receipt({ ...prompt, ...chain, outcome: 'cached', price_state: 'none' }),
        receipt({ ...prompt, ...chain, input_tokens: 1500, input_cost_usd: usd('0.0015'), cost_usd: usd('0.0015') }),
      ])
      expect(of('system-and-tools').finding).toMatch(
        /\(800 tokens\) and tool descriptions \(200\) are 40 % of all input/,
      )
      expect(of('context-accumulation').finding).toMatch(/^Earlier turns sent again are 24 % of all input/)
      // What is counted by tokenizer may be more than what was billed.
      expect(answer).toMatchObject({ input_tokens: 2500, cacheable_tokens: 1500 })
    })

    test('calls of one key share a cache across sessions', async () => {
      const call = (id: string, session: string) =>
        receipt({
          receipt_id: id,
          session,
          key_id: 'k',
          input_tokens: 3000,
          input_cost_usd: usd('0.003'),
          cost_usd: usd('0.003'),
          prefix_hashes: ['00000000000000aa'],
          prefix_tokens: [2000],
        })
      const { answer, of } = await leaksOf([call('one', 'a'), call('two', 'b')])
      expect(answer.cacheable_tokens).toBe(2000)
      // No receipt shows what a cached token costs, so half the price is assumed, and said.
      expect(of('uncached-prefix').cost_usd).toBe('0.001')
      expect(of('uncached-prefix').finding).toMatch(/half/)
    })

    test('who brings an own key shares a cache across sessions, and neither cache nor loop with others', async () => {
      const call = (tenant: string, minute: number) =>
        receipt({
          tenant,
          session: `session-${minute}`,
          started_at_us: START_US + minute * MINUTE_US,
          input_tokens: 3000,
          prefix_hashes: ['00000000000000aa'],
          prefix_tokens: [2000],
        })
      const loud = (tenant: string, minute: number) =>
        receipt({ tenant, fingerprint_exact: '00000000000000bb', started_at_us: START_US + minute * MINUTE_US })
      const [a, b] = ['00000000000000a1', '00000000000000b1']
      const { answer, of } = await leaksOf([
        ...[call(a, 0), call(b, 1), call(a, 2)],
        ...[loud(a, 0), loud(b, 1), loud(a, 2)],
      ])
      expect(answer.cacheable_tokens).toBe(2000)
      expect(of('retry-loops').finding).toMatch(/^0 loops/)
    })

    test('an empty window leaks nothing and says so without dividing by zero', async () => {
      const { answer } = await leaksOf([receipt({ started_at_us: START_US - HOUR_US })])
      expect(answer.leaks).toHaveLength(7)
      for (const leak of answer.leaks) {
        expect(leak).toMatchObject({ cost_usd: '0', share: 0, calls: 0, examples: [] })
        expect(leak.finding).not.toMatch(/NaN|undefined|null/)
      }
    })
  })
}
