/** What every ledger promises. An adapter's test calls `ledgerContract` with a way to open an empty one. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Dimension, dimensions } from '../../src/core/dimension.ts'
import { encodeLine } from '../../src/core/journal-line.ts'
import type { Ledger, Question, SpendRow } from '../../src/core/ledger.ts'
import { formatUsd, parseUsd, picodollars, sum } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { earlierLine } from './earlier.ts'
import {
  DAY_US,
  fullReceipt,
  HOUR_US,
  lineAsJson,
  MINUTE_US,
  receipt,
  START_US,
  usd,
  writeSegment,
} from './receipts.ts'

export type LedgerUnderTest = Readonly<{ ledger: Ledger; reopen(): Promise<Ledger> }>

const window = { from_us: START_US, to_us: START_US + 10 * DAY_US }

const everyDimension: readonly Dimension[] = [...dimensions, 'tag:cell']

type SpendQuestion = Extract<Question, { ask: 'spend' }>

const costOf = (rows: readonly SpendRow[]) => formatUsd(sum(rows.map((row) => parseUsd(row.cost_usd))))
const total = (rows: readonly SpendRow[], name: 'calls' | 'attempts' | 'input_tokens' | 'unpriced_calls') =>
  rows.reduce((all, row) => all + row[name], 0)

export const ledgerContract = (name: string, openEmpty: (folder: string) => Promise<LedgerUnderTest>): void => {
  let folder = ''
  let under: LedgerUnderTest
  let ledger: Ledger
  let segments = 0

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'weir-ledger-'))
    under = await openEmpty(folder)
    ledger = under.ledger
  })
  afterEach(async () => {
    await ledger.close()
    rmSync(folder, { recursive: true })
  })
  const append = (receipts: readonly Receipt[], deduplicate?: 'receipts') => {
    segments += 1
    const segment = `t-1-${segments.toString().padStart(8, '0')}.ndjson`
    const path = join(folder, segment)
    writeSegment(path, receipts)
    return ledger.append({ name: segment, path, ...(deduplicate ? { deduplicate } : {}) })
  }
  const spend = (group_by: readonly Dimension[], more = {}) => ledger.query({ ask: 'spend', window, group_by, ...more })

  describe(`${name}: appending`, () => {
    test('every field of a receipt comes back as it was written', async () => {
      const full = fullReceipt()
      await append([full])
      const { receipts } = await ledger.query({ ask: 'call', id: full.receipt_id })
      expect(receipts).toEqual([full])
    })

    test('however a receipt is written, by position or as JSON, its fields come back and are counted once', async () => {
      const plain = { ...fullReceipt(), receipt_id: 'plain', cost_usd: usd('0.25'), corrects: 'none' }
      const odd = { ...plain, receipt_id: 'odd', team: '', user: 'a\tb\u001fc', finish_reason: 'line\nline' }
      const old = { ...plain, receipt_id: 'old' }
      const path = join(folder, 'mixed.ndjson')
      const lines = [encodeLine('receipt', plain), lineAsJson('receipt', old), encodeLine('receipt', odd)]
      writeFileSync(
        path,
        [...lines, lineAsJson('open', old), encodeLine('open', odd), encodeLine('open', plain)].join(''),
      )
      expect(await ledger.append({ name: 'mixed', path })).toEqual({ segment: 'appended', receipts: 3, skipped: 0 })
      for (const one of [plain, odd, old])
        expect((await ledger.query({ ask: 'calls', window, limit: 9 })).receipts).toContainEqual(one)
      expect(await ledger.query({ ask: 'extent' })).toMatchObject({ receipts: 3, cost_usd: '0.75' })
      const again = await ledger.append({ name: 'again', path, deduplicate: 'receipts' })
      expect(again).toEqual({ segment: 'appended', receipts: 0, skipped: 3 })
      const { rows } = await spend(['team', 'user', 'tag:cost_center'])
      expect(
        rows.map((row) => [row.group['team'], row.group['user'], row.group['tag:cost_center'], row.cost_usd]),
      ).toEqual([
        ['search', plain.user, 'cc-7', '0.5'],
        ['', odd.user, 'cc-7', '0.25'],
      ])
    })

    test('an answer that the gateway has a receipt of is not brought in a second time from a log', async () => {
      const live = receipt({ provider_response_id: 'msg_1', started_at_us: START_US, cost_usd: usd('1') })
      await append([live, receipt({ started_at_us: START_US, cost_usd: usd('1') })])
      const logged = (provider_response_id: string, started_at_us: number) =>
        receipt({ origin: 'claude-code', provider_response_id, started_at_us, cost_usd: usd('0.25') })
      const log = [
        logged('msg_1', START_US + 20 * MINUTE_US),
        logged('msg_2', START_US),
        // Some servers draw their ids from few.
        logged('msg_1', START_US + 5 * HOUR_US),
        receipt({ origin: 'calls', started_at_us: START_US, cost_usd: usd('0.25') }),
      ]
      expect(await append(log, 'receipts')).toMatchObject({ receipts: 3, skipped: 1 })
      expect(await append(log, 'receipts')).toMatchObject({ receipts: 0, skipped: 4 })
      expect(await ledger.query({ ask: 'extent' })).toMatchObject({ receipts: 5, cost_usd: '2.75' })
    })

    test('lines by position in their first form are told anew, and those beside them are taken as they are', async () => {
      const { line, receipt: old } = earlierLine('receipt', 'from-before')
      const path = join(folder, 'earlier.ndjson')
      const [plain, odd] = [receipt(), receipt({ team: '' })]
      const open_line = earlierLine('open', 'from-before').line
      writeFileSync(
        path,
        [`${open_line}\n${line}\n`, encodeLine('receipt', plain), encodeLine('receipt', odd)].join(''),
      )
      expect(await ledger.append({ name: 'earlier', path })).toEqual({ segment: 'appended', receipts: 3, skipped: 0 })
      for (const one of [old, plain, odd])
        expect((await ledger.query({ ask: 'call', id: one.receipt_id })).receipts).toEqual([one])
      expect(readdirSync(folder).filter((file) => file.startsWith('earlier'))).toEqual(['earlier.ndjson'])
      writeFileSync(path, `${line.slice(0, 200)}\n`)
      await expect(ledger.append({ name: 'cut', path })).rejects.toMatchObject({ code: 'bad-input' })
    })

    test('segments that are appended together are all there, or none, and those that were there count once', async () => {
      const paths = [1, 2, 3].map((at) => join(folder, `together-${at}.ndjson`))
      const segments = paths.map((path, at) => ({ name: `together-${at}`, path }))
      for (const path of paths) writeSegment(path, [receipt({ cost_usd: usd('1') }), receipt()])
      const [first, , third] = segments
      if (!first || !third || !ledger.appendAll) throw new Error('nothing to append together')
      await ledger.append(first)
      writeFileSync(third.path, 'r2\tbroken\n')
      await expect(ledger.appendAll(segments)).rejects.toMatchObject({ code: 'bad-input' })
      expect(await ledger.query({ ask: 'extent' })).toMatchObject({ receipts: 2, segments: 1 })
      writeSegment(third.path, [receipt({ team: '', cost_usd: usd('0.5') })])
      expect(await ledger.appendAll(segments)).toEqual({ segment: 'appended', receipts: 3, skipped: 0 })
      expect(await ledger.appendAll(segments)).toEqual({ segment: 'already', receipts: 0, skipped: 0 })
      expect(await ledger.query({ ask: 'extent' })).toMatchObject({ receipts: 5, segments: 3, cost_usd: '2.5' })
    })

    test('an absent field stays absent: unpriced is not zero', async () => {
      const { cost_usd: _, ...bare } = receipt({ receipt_id: 'bare', price_state: 'unpriced' })
      await append([bare])
      expect((await ledger.query({ ask: 'call', id: 'bare' })).receipts).toEqual([bare])
      expect((await spend([])).total).toMatchObject({ cost_usd: '0', unpriced_calls: 1, calls: 1 })
    })

    test('a segment that is appended a second time changes nothing, even after the ledger was closed and opened', async () => {
      const path = join(folder, 'twice.ndjson')
      writeSegment(path, [receipt({ cost_usd: usd('1') }), receipt({ cost_usd: usd('2') })])
      expect(await ledger.append({ name: 'twice', path })).toEqual({ segment: 'appended', receipts: 2, skipped: 0 })
      expect(await ledger.append({ name: 'twice', path })).toEqual({ segment: 'already', receipts: 0, skipped: 0 })
      ledger = await under.reopen()
      expect(await ledger.append({ name: 'twice', path })).toEqual({ segment: 'already', receipts: 0, skipped: 0 })
      expect(await ledger.query({ ask: 'extent' })).toMatchObject({ receipts: 2, cost_usd: '3', segments: 1 })
    })

    test('of overlapping imports each receipt counts once, within a segment too', async () => {
      const [one, two, three] = [receipt(), receipt(), receipt()]
      await append([one, two])
      expect(await append([two, three, three], 'receipts')).toEqual({ segment: 'appended', receipts: 1, skipped: 2 })
      expect((await ledger.query({ ask: 'extent' })).receipts).toBe(3)
    })

    test('a segment with a line that cannot be read is refused as a whole and leaves no trace', async () => {
      const path = join(folder, 'broken.ndjson')
      const good = encodeLine('receipt', receipt())
      const another = encodeLine('receipt', receipt())
      const broken = [
        '{"k":"receipt","r":{"receipt_id":\n',
        '{"k":"receipt","r":{}}\n',
        lineAsJson('receipt', { ...receipt(), input_tokens: 'many' as unknown as number }),
        another.replace('\tok\u001f', 'ok\u001f'),
        another.replace('\tok\u001f', '\t\tok\u001f'),
        another.replace('r2\t', 'r3\t'),
        another.replace('\t.\n', '\t\n'),
        `${another.slice(0, another.length / 2)}\n`,
        '\u0000\u0000\u0000\n',
      ]
      for (const line of broken) {
        writeFileSync(path, good + line)
        await expect(ledger.append({ name: 'broken', path }), JSON.stringify(line)).rejects.toMatchObject({
          code: 'bad-input',
        })
        expect(await ledger.query({ ask: 'extent' })).toMatchObject({ receipts: 0, segments: 0 })
      }
      writeSegment(path, [receipt()])
      expect(await ledger.append({ name: 'broken', path })).toMatchObject({ segment: 'appended', receipts: 1 })
    })

    test('an open line is no receipt', async () => {
      const path = join(folder, 'open.ndjson')
      writeFileSync(path, lineAsJson('open', receipt()) + encodeLine('open', receipt()))
      expect(await ledger.append({ name: 'open', path })).toEqual({ segment: 'appended', receipts: 0, skipped: 0 })
    })
  })

  describe(`${name}: spend`, () => {
    test('sums, counts and states are those computed by hand', async () => {
      await append([
        receipt({
          team: 'a',
          started_at_us: START_US,
          ended_at_us: START_US + 1_000_000,
          first_token_at_us: START_US + 400_000,
          input_tokens: 100,
          cache_read_tokens: 60,
          cache_write_tokens: 5,
          output_tokens: 10,
          reasoning_tokens: 4,
          cost_usd: usd('0.3'),
          input_cost_usd: usd('0.1'),
          output_cost_usd: usd('0.15'),
          fee_cost_usd: usd('0.05'),
          list_cost_usd: usd('0.4'),
          counterfactual_cost_usd: usd('0.9'),
        }),
        receipt({
          team: 'a',
          call_id: 'c',
          attempt: 1,
          outcome: 'error',
          http_status: 500,
          started_at_us: START_US,
          ended_at_us: START_US + 3_000_000,
        }),
        receipt({
          team: 'a',
          call_id: 'c',
          attempt: 2,
          cost_usd: usd('0.000000000001'),
          usage_source: 'estimated',
          started_at_us: START_US,
          ended_at_us: START_US + 2_000_000,
        }),
        receipt({ team: 'a', attempt: 0, outcome: 'refused', http_status: 429, price_state: 'none' }),
        receipt({ team: 'b', price_state: 'unmetered' }),
        receipt({ price_state: 'unpriced' }),
      ])
      const { rows, total: all, more } = await spend(['team'])
      expect(more).toBe(0)
      expect(rows.map((row) => row.group)).toEqual([{ team: 'a' }, { team: 'b' }, { team: null }])
      expect(rows[0]).toEqual({
        group: { team: 'a' },
        calls: 3,
        attempts: 3,
        errors: 2,
        cost_usd: '0.300000000001',
        input_cost_usd: '0.1',
        output_cost_usd: '0.15',
        fee_cost_usd: '0.05',
        list_cost_usd: '0.4',
        counterfactual_cost_usd: '0.9',
        input_tokens: 100,
        output_tokens: 10,
        cache_read_tokens: 60,
        cache_write_tokens: 5,
        reasoning_tokens: 4,
        unpriced_calls: 0,
        unmetered_calls: 0,
        estimated_calls: 1,
        ttft_ms_p50: 400,
        duration_ms_p50: 2000,
        duration_ms_p95: 2900,
      })
      expect(all).toMatchObject({
        calls: 5,
        attempts: 5,
        unpriced_calls: 1,
        unmetered_calls: 1,
        cost_usd: '0.300000000001',
      })
    })

    test('a window holds its first moment and not its end', async () => {
      await append([
        receipt({ started_at_us: window.from_us - 1, cost_usd: usd('1') }),
        receipt({ started_at_us: window.from_us, cost_usd: usd('2') }),
        receipt({ started_at_us: window.to_us - 1, cost_usd: usd('4') }),
        receipt({ started_at_us: window.to_us, cost_usd: usd('8') }),
      ])
      expect((await spend([])).total.cost_usd).toBe('6')
    })

    test('a holdout stands beside the sessions with levers, of one experiment', async () => {
      const armed = (arm: string, experiment: string, cost: string) => receipt({ experiment, arm, cost_usd: usd(cost) })
      await append([armed('levers', 'q4', '1'), armed('levers', 'q4', '2'), armed('holdout', 'q4', '5')])
      await append([armed('holdout', 'other', '7'), receipt({ cost_usd: usd('11') })])
      const filters = [{ dimension: 'experiment', values: ['q4'] }] as const
      const { rows } = await spend(['arm'], { filters })
      expect(rows.map(({ group, calls, cost_usd }) => [group['arm'], calls, cost_usd])).toEqual([
        ['holdout', 1, '5'],
        ['levers', 2, '3'],
      ])
    })

    test('filters take values, the untagged, and their opposite', async () => {
      await append([
        receipt({ team: 'a', tags: { cell: 'x' }, cost_usd: usd('1') }),
        receipt({ team: 'b', cost_usd: usd('2') }),
        receipt({ cost_usd: usd('4') }),
      ])
      const cost = async (filter: object) => (await spend([], { filters: [filter] })).total.cost_usd
      expect(await cost({ dimension: 'team', values: ['a', 'b'] })).toBe('3')
      expect(await cost({ dimension: 'team', values: ['a', null] })).toBe('5')
      expect(await cost({ dimension: 'team', values: ['a'], negate: true })).toBe('6')
      expect(await cost({ dimension: 'team', values: [null], negate: true })).toBe('3')
      expect(await cost({ dimension: 'tag:cell', values: ['x'] })).toBe('1')
      expect(await cost({ dimension: 'day', values: ['2026-09-01'] })).toBe('7')
      expect(await cost({ dimension: 'team', values: [] })).toBe('0')
      expect(await cost({ dimension: 'team', values: ["a' OR true --"] })).toBe('0')
    })

    test('days, hours and months are cut in the zone that is asked for, over the change of the clocks too', async () => {
      const at = (iso: string, cost: string) => receipt({ started_at_us: Date.parse(iso) * 1000, cost_usd: usd(cost) })
      await append([
        at('2026-09-01T20:00:00Z', '1'),
        at('2026-10-24T23:30:00Z', '2'),
        at('2026-10-25T22:30:00Z', '4'),
        at('2026-10-25T23:30:00Z', '8'),
      ])
      const wide = { from_us: START_US, to_us: START_US + 90 * DAY_US }
      const cut = async (dimension: Dimension, zone?: string) => {
        const { rows } = await ledger.query({
          ask: 'spend',
          window: wide,
          group_by: [dimension],
          ...(zone ? { zone } : {}),
        })
        return rows.map((row) => [row.group[dimension], row.cost_usd])
      }
      expect(await cut('day')).toEqual([
        ['2026-09-01', '1'],
        ['2026-10-24', '2'],
        ['2026-10-25', '12'],
      ])
      expect(await cut('day', 'Europe/Berlin')).toEqual([
        ['2026-09-01', '1'],
        ['2026-10-25', '6'],
        ['2026-10-26', '8'],
      ])
      expect(await cut('day', 'Asia/Kolkata')).toEqual([
        ['2026-09-02', '1'],
        ['2026-10-25', '2'],
        ['2026-10-26', '12'],
      ])
      expect(await cut('month', 'UTC')).toEqual([
        ['2026-09', '1'],
        ['2026-10', '14'],
      ])
      expect((await cut('hour', 'Asia/Kolkata'))[0]).toEqual(['2026-09-02T01:00', '1'])
      await expect(spend(['day'], { zone: 'Mars/Olympus' })).rejects.toMatchObject({ code: 'bad-request' })
    })

    test('the window before stands beside, day by day, and a group that only it knows is shown', async () => {
      const from_us = START_US + 2 * DAY_US
      const two = { from_us, to_us: from_us + 2 * DAY_US }
      await append([
        receipt({ team: 'gone', started_at_us: START_US + HOUR_US, cost_usd: usd('5') }),
        receipt({ team: 'a', started_at_us: START_US + DAY_US, cost_usd: usd('3') }),
        receipt({ team: 'a', started_at_us: from_us, cost_usd: usd('10') }),
      ])
      const by = (group_by: readonly Dimension[]) =>
        ledger.query({ ask: 'spend', window: two, group_by, compare: true })
      const teams = await by(['team'])
      expect(teams.rows.map((row) => [row.group['team'], row.cost_usd, row.previous_cost_usd, row.calls])).toEqual([
        ['a', '10', '3', 1],
        ['gone', '0', '5', 0],
      ])
      expect(teams.total).toMatchObject({ cost_usd: '10', previous_cost_usd: '8', calls: 1 })
      const days = await by(['day'])
      expect(days.rows.map((row) => [row.group['day'], row.cost_usd, row.previous_cost_usd])).toEqual([
        ['2026-09-03', '10', '5'],
        ['2026-09-04', '0', '3'],
      ])
    })

    test('what moved most is found among all groups, shown or not, gone or new', async () => {
      const from_us = START_US + 5 * DAY_US
      const at = (started_at_us: number, customer: string, cost: string) =>
        receipt({ team: customer, customer, started_at_us, cost_usd: usd(cost) })
      const steady = [...Array(9).keys()].flatMap((nth) => [
        at(START_US, `steady ${nth}`, '50'),
        at(from_us, `steady ${nth}`, '50.5'),
      ])
      await append([...steady, at(START_US, 'gone', '40'), at(from_us, 'new', '30'), at(START_US, 'less', '20')])
      await append([at(from_us, 'less', '1')])
      for (const dimension of ['team', 'customer'] as const) {
        const { rows, more, movers } = await ledger.query({
          ask: 'spend',
          window: { from_us, to_us: from_us + 5 * DAY_US },
          group_by: [dimension],
          compare: true,
          limit: 2,
          movers: 3,
        })
        expect([rows.length, more]).toEqual([2, 10])
        expect(movers).toEqual([
          { group: { [dimension]: 'gone' }, before_usd: '40', now_usd: '0' },
          { group: { [dimension]: 'new' }, before_usd: '0', now_usd: '30' },
          { group: { [dimension]: 'less' }, before_usd: '20', now_usd: '1' },
        ])
      }
    })

    test('a trend has one amount for each slice, and they sum to the cost', async () => {
      await append([
        receipt({ team: 'a', started_at_us: START_US, cost_usd: usd('1') }),
        receipt({ team: 'a', started_at_us: window.to_us - 1, cost_usd: usd('2') }),
        receipt({ team: 'b', started_at_us: START_US + 5 * DAY_US, price_state: 'unpriced' }),
      ])
      const { rows, total: all } = await spend(['team'], { slices: 5 })
      expect(rows.map((row) => row.trend_usd)).toEqual([
        ['1', '0', '0', '0', '2'],
        ['0', '0', '0', '0', '0'],
      ])
      expect(all.trend_usd).toEqual(['1', '0', '0', '0', '2'])
    })

    test.each([[['session']], [['day', 'team', 'feature']], [['tag:cell', 'month']]] as const)(
      'the few dearest of very many groups by %j are those of all of them',
      async (group_by) => {
        const made = Array.from({ length: 90 }, (_, at) =>
          receipt({
            started_at_us: START_US + at * (HOUR_US + 7),
            cost_usd: usd(`0.0${1 + ((at * 37) % 89)}`),
            input_tokens: at,
            team: `t${at % 4}`,
            ...(at % 5 ? { session: `s${at % 31}`, tags: { cell: `c${at % 6}` } } : {}),
            ...(at % 3 ? { feature: `f${at % 7}` } : {}),
            ...(at % 11 ? {} : { price_state: 'unpriced' as const, cost_usd: undefined as never }),
          }),
        )
        await append(made)
        const half = { from_us: START_US + 2 * DAY_US, to_us: START_US + 4 * DAY_US }
        for (const more of [
          {},
          { window: half, compare: true },
          { filters: [{ dimension: 'team', values: ['t1'] }] },
        ]) {
          const question = { group_by, ...more } as const
          const every = await ledger.query({ ask: 'spend', window, ...question } as SpendQuestion)
          const few = await ledger.query({ ask: 'spend', window, ...question, limit: 4 } as SpendQuestion)
          expect(few).toEqual({ ...every, rows: every.rows.slice(0, 4), more: Math.max(0, every.rows.length - 4) })
        }
      },
    )

    test('a limit keeps the dearest groups, says how many more there are, and leaves the total whole', async () => {
      await append(['1', '5', '3', '4'].map((cost) => receipt({ team: `t${cost}`, cost_usd: usd(cost) })))
      const { rows, total: all, more } = await spend(['team'], { limit: 2 })
      expect(rows.map((row) => row.group['team'])).toEqual(['t5', 't4'])
      expect([all.cost_usd, more]).toEqual(['13', 2])
    })

    test('a correction changes money and no count, and ends the unpriced state', async () => {
      const one = receipt({ team: 'a', price_state: 'unpriced' })
      await append([one])
      expect((await spend(['team'])).total).toMatchObject({ calls: 1, unpriced_calls: 1, cost_usd: '0' })
      await append([
        { ...one, receipt_id: 'correction', corrects: one.receipt_id, price_state: 'priced', cost_usd: usd('7') },
      ])
      expect((await spend(['team'])).total).toMatchObject({ calls: 1, attempts: 1, unpriced_calls: 0, cost_usd: '7' })
      expect(await ledger.query({ ask: 'extent' })).toMatchObject({ receipts: 2, calls: 1, unpriced: 0, cost_usd: '7' })
    })

    test('practice counts calls: neither their further attempts nor corrections, which end the unpriced state', async () => {
      const call = { deferrable: true, arm: 'control', experiment: 'e' } as const
      const failed = receipt({ ...call, call_id: 'one', outcome: 'error', price_state: 'none', usage_source: 'none' })
      const wrote = { output_tokens: 5, max_output_asked: 9, price_state: 'unpriced' } as const
      const again = receipt({ ...call, ...wrote, call_id: 'one', attempt: 2 })
      const seen = async () => {
        const all = { from_us: 0, to_us: START_US + DAY_US }
        const { calls, deferrable_calls, experiment_calls, writing_calls, capped_calls, unpriced_calls } =
          await ledger.query({ ask: 'practice', window: all })
        return [calls, deferrable_calls, experiment_calls, writing_calls, capped_calls, unpriced_calls]
      }
      await append([failed, again])
      expect(await seen()).toEqual([1, 1, 1, 1, 1, 1])
      await append([
        { ...again, receipt_id: 'fix', corrects: again.receipt_id, price_state: 'priced', cost_usd: usd('1') },
      ])
      expect(await seen()).toEqual([1, 1, 1, 1, 1, 0])
    })

    test('practice takes a charge of an imported bill for spend, and for no call', async () => {
      const charge = { origin: 'focus', usage_source: 'none', output_tokens: 5, cost_usd: usd('3') } as const
      await append([receipt({ cost_usd: usd('1'), output_tokens: 9 }), receipt(charge)])
      const all = { from_us: 0, to_us: START_US + DAY_US }
      const { calls, counted_calls, writing_calls, cost_usd } = await ledger.query({ ask: 'practice', window: all })
      expect([calls, counted_calls, writing_calls, cost_usd]).toEqual([1, 1, 1, '4'])
    })

    test('practice tells calls whose prompts are known from those that came without', async () => {
      const chain = { prefix_hashes: ['00000000000000aa'], prefix_tokens: [100] }
      await append([receipt({ ...chain, cache_read_tokens: 7 }), receipt({ cache_read_tokens: 9 })])
      const all = { from_us: 0, to_us: START_US + DAY_US }
      const { calls, chained_calls, chained_cached_tokens } = await ledger.query({ ask: 'practice', window: all })
      expect([calls, chained_calls, chained_cached_tokens]).toEqual([2, 1, 7])
    })

    test('a name that is not in the table of dimensions is refused, whatever it contains', async () => {
      const odd = 'team; DROP TABLE receipts' as Dimension
      await expect(spend([odd])).rejects.toMatchObject({ code: 'bad-request' })
      await expect(spend(['constructor' as Dimension])).rejects.toMatchObject({ code: 'bad-request' })
      const { rows } = await spend(["tag:x'] FROM receipts; --"])
      expect(rows).toEqual([])
    })

    test('an empty window answers with zeros', async () => {
      const { rows, total: all } = await spend(['team', 'day'], { compare: true, slices: 3 })
      expect(rows).toEqual([])
      expect(all).toMatchObject({
        calls: 0,
        cost_usd: '0',
        previous_cost_usd: '0',
        trend_usd: ['0', '0', '0'],
        ttft_ms_p50: null,
      })
    })
  })

  describe(`${name}: every view`, () => {
    const maybe = <T>(arbitrary: fc.Arbitrary<T>) => fc.option(arbitrary, { nil: undefined, freq: 4 })
    const some = fc.record({
      team: maybe(fc.constantFrom('a', 'b', "c'", '')),
      feature: maybe(fc.constantFrom('x', 'y')),
      user: maybe(fc.constantFrom('u', 'ü')),
      model_served: maybe(fc.constantFrom('m1', 'm2')),
      outcome: fc.constantFrom('ok' as const, 'error' as const, 'refused' as const, 'unknown' as const),
      attempt: fc.integer({ min: 0, max: 3 }),
      offset: fc.integer({ min: 0, max: 10 * DAY_US - 1 }),
      cost: maybe(fc.bigInt({ min: -(10n ** 15n), max: 10n ** 19n })),
      input_tokens: maybe(fc.integer({ min: 0, max: 10 ** 9 })),
      cell: maybe(fc.constantFrom('1', '2')),
      corrects: maybe(fc.constant('another')),
    })
    const toReceipt = ({
      offset,
      cost,
      cell,
      ...fields
    }: typeof some extends fc.Arbitrary<infer R> ? R : never): Receipt => {
      const given = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined))
      return receipt({
        ...given,
        started_at_us: START_US + offset,
        ...(cell === undefined ? {} : { tags: { cell } }),
        ...(cost === undefined ? { price_state: 'unpriced' } : { cost_usd: formatUsd(picodollars(cost)) }),
      })
    }

    test('sums to the receipts to the picodollar and to the call, however it is grouped', async () => {
      let seen: Receipt[] = []
      await fc.assert(
        fc.asyncProperty(
          fc.array(some, { minLength: 1, maxLength: 30 }),
          fc.uniqueArray(fc.constantFrom(...everyDimension), { maxLength: 4 }),
          fc.constantFrom('UTC', 'Asia/Kolkata', 'America/St_Johns'),
          async (drawn, group_by, zone) => {
            const receipts = drawn.map(toReceipt)
            await append(receipts)
            seen = [...seen, ...receipts]
            const { rows, total: all } = await spend(group_by, { zone })
            const view = group_by.length === 0 ? [all] : rows
            const originals = seen.filter((one) => one.corrects === undefined)
            expect(costOf(view)).toBe(formatUsd(sum(seen.map((one) => parseUsd(one.cost_usd ?? '0')))))
            expect(all.cost_usd).toBe(costOf(view))
            expect(total(view, 'calls')).toBe(originals.filter((one) => one.attempt <= 1).length)
            expect(total(view, 'attempts')).toBe(originals.filter((one) => one.outcome !== 'refused').length)
            expect(total(view, 'unpriced_calls')).toBe(originals.filter((one) => one.price_state === 'unpriced').length)
            expect(total(view, 'input_tokens')).toBe(seen.reduce((n, one) => n + (one.input_tokens ?? 0), 0))
          },
        ),
        { seed: 7, numRuns: 25 },
      )
    })
  })

  describe(`${name}: receipts`, () => {
    test('pages of the newest and of the dearest follow each other without gap or repetition', async () => {
      const made = Array.from({ length: 7 }, (_, at) =>
        receipt({
          receipt_id: `r${at}`,
          started_at_us: START_US + Math.floor(at / 2),
          cost_usd: usd(String((at * 3) % 4)),
        }),
      )
      await append(made)
      const pages = async (order: 'newest' | 'dearest') => {
        const ids: string[] = []
        for (;;) {
          const after = ids.at(-1)
          const { receipts } = await ledger.query({
            ask: 'calls',
            window,
            limit: 3,
            order,
            ...(after ? { after } : {}),
          })
          if (receipts.length === 0) return ids
          ids.push(...receipts.map((one) => one.receipt_id))
        }
      }
      expect(await pages('newest')).toEqual(['r6', 'r5', 'r4', 'r3', 'r2', 'r1', 'r0'])
      expect(await pages('dearest')).toEqual(['r5', 'r1', 'r6', 'r2', 'r3', 'r4', 'r0'])
    })

    test('a call is found by its id, by that of any of its receipts and by the provider’s, attempts in order and corrections last', async () => {
      await append([
        receipt({ receipt_id: 'z2', call_id: 'one', attempt: 2, provider_response_id: 'resp_1' }),
        receipt({ receipt_id: 'a-fix', call_id: 'one', attempt: 2, corrects: 'z2' }),
        receipt({ receipt_id: 'z1', call_id: 'one', attempt: 1 }),
        receipt({ receipt_id: 'other' }),
      ])
      for (const id of ['one', 'z2', 'a-fix', 'resp_1']) {
        const { receipts } = await ledger.query({ ask: 'call', id })
        expect(receipts.map((one) => one.receipt_id)).toEqual(['z1', 'z2', 'a-fix'])
      }
      expect((await ledger.query({ ask: 'call', id: "' OR true --" })).receipts).toEqual([])
    })

    test('the extent and the learnt bytes per token are those of the receipts', async () => {
      const counted = { provider: 'p', model_served: 'm', usage_source: 'provider' } as const
      await append([
        receipt({
          ...counted,
          started_at_us: START_US + 5,
          input_tokens: 100,
          output_tokens: 7,
          request_bytes: 450,
          cost_usd: usd('1'),
        }),
        receipt({
          ...counted,
          started_at_us: START_US,
          input_tokens: 100,
          request_bytes: 350,
          price_state: 'unpriced',
        }),
        receipt({
          ...counted,
          input_tokens: 10,
          request_bytes: 9999,
          usage_source: 'estimated',
          started_at_us: START_US + 1,
        }),
        receipt({
          ...counted,
          input_tokens: 10,
          request_bytes: 9999,
          input_image_tokens: 5,
          started_at_us: START_US + 2,
        }),
      ])
      expect(await ledger.query({ ask: 'extent' })).toEqual({
        receipts: 4,
        calls: 4,
        first_us: START_US,
        last_us: START_US + 5,
        cost_usd: '1',
        input_tokens: 220,
        output_tokens: 7,
        unpriced: 1,
        segments: 1,
      })
      expect(await ledger.query({ ask: 'ratios' })).toEqual({
        ratios: [{ provider: 'p', model: 'm', bytes_per_token: 4, samples: 2 }],
      })
    })
  })
}
