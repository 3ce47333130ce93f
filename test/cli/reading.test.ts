/** The commands that read the ledger, as whole outputs over a fixed fortnight in a real ledger. */
import { stripVTControlCharacters } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { open as openStore } from '../../src/stores/sqlite.ts'
import { ledgerFolder, receipts, retried, since, until } from './fixture.ts'
import { weir } from './run.ts'

let data: string
let clear: () => void
beforeAll(async () => {
  const folder = await ledgerFolder()
  data = folder.data
  clear = folder.clear
})
afterAll(() => clear())

const window = ['--since', since, '--until', until]
const ask = async (words: readonly string[], env: Record<string, string> = {}) => {
  const ran = await weir([...words, '--data', data], { env })
  expect(ran.err).toBe('')
  expect(ran.code).toBe(0)
  return ran.out
}
const shown = (words: readonly string[], width = 110) => ask([...words, ...window], { COLUMNS: String(width) })

describe('weir report', () => {
  test('without a dimension shows team, model and feature, the total, and what is in doubt', async () => {
    expect(await shown(['report'])).toMatchInlineSnapshot(`
      "Spend 2026-11-09 – 2026-11-15 UTC

        $1.77  ▲ +31 % against the 7 days before  ▄▅▆██▁▂
        input   $1.41 · 80 % · 751k tokens · 34 % read from cache, 1.6 % written
        output  $0.357 · 20 % · 21.6k tokens · 45 % reasoning
        calls   15 calls · 16 attempts, 2 errors (13 %)
        median  first token 400 ms, answer 2.5 s; 95 % within 2.5 s
        ! 1 unpriced call: not in the total until openai/new-model has a price (prices in weir.yaml)
        ! 1 unmetered call: an endpoint without a meter, so what it cost is not known
        ! 1 estimated call: counted by tokenizer, as the provider reported no usage

      By team
        team            cost   share            input  output  tokens in    out  cached  calls  per call   change
        search         $1.46    82 %  ██████▋   $1.19   $0.27       664k  17.9k    32 %      6    $0.243    ▲ ×11
        billing        $0.31    18 %  █▍        $0.22   $0.09      85.0k   3.5k    56 %      5    $0.062  ▼ -75 %
        labs         <$0.01+   0.2 %  ▏        <$0.01  <$0.01       1.9k    150     0 %      2    $0.003      new
        unallocated   <$0.01  <0.1 %  ▏        <$0.01  <$0.01         10      1     0 %      2   <$0.001      new

      By model
        model             cost  share           input  output  tokens in    out  cached  calls  per call   change
        gpt-5.5          $1.46   82 %  ██████▋  $1.19   $0.27       665k  18.0k    32 %      8    $0.182    ▲ ×11
        claude-opus-5-5  $0.31   18 %  █▍       $0.22   $0.09      85.0k   3.5k    56 %      5    $0.062  ▼ -75 %
        new-model            –      –               –       –        900    100     0 %      1         –        –
        (none)               –      –               –       –          0      0       –      1         –        –

      By feature
        feature      cost  share            input  output  tokens in    out  cached  calls  per call    change
        answers     $1.42   80 %  ██████▍   $1.18   $0.25       650k  16.5k    31 %      5    $0.285  ▲ +994 %
        invoices    $0.31   18 %  █▍        $0.22   $0.09      85.0k   3.5k    56 %      5    $0.062   ▼ -75 %
        agent       $0.03  1.9 %  ▏         $0.01   $0.02      14.0k   1.4k    71 %      1    $0.034       new
        (none)    <$0.01+  0.2 %  ▏        <$0.01  <$0.01       1.9k    151     0 %      4    $0.002       new

      Top movers
             moved  what             before      now
          ▲ +$1.33  model gpt-5.5     $0.13    $1.46
          ▲ +$1.33  team search       $0.13    $1.46
          ▲ +$1.29  feature answers   $0.13    $1.42
         ▼ -$0.914  team billing      $1.23   $0.312
        ▲ +$0.0335  feature agent     $0.00  $0.0335
      "
    `)
  })

  test('fits into 80 columns by leaving out the least important ones', async () => {
    const text = await shown(['report', '--by', 'team,model', '--where', 'team!=labs'], 80)
    expect(text).toMatchInlineSnapshot(`
      "Spend 2026-11-09 – 2026-11-15 UTC

        $1.77  ▲ +30 % against the 7 days before  ▄▅▆██▁▂
        input   $1.41 · 80 % · 749k tokens · 34 % read from cache, 1.6 % written
        output  $0.356 · 20 % · 21.4k tokens · 45 % reasoning
        calls   13 calls · 14 attempts, 1 error (7.1 %)
        median  first token 400 ms, answer 2.5 s; 95 % within 2.5 s
        ! 1 unmetered call: an endpoint without a meter, so what it cost is not known

      By team and model
        team        model         cost   share   input  output  cached  calls   change
        search      gpt-5.5      $1.46    82 %   $1.19   $0.27    32 %      6    ▲ ×11
        billing     claude-op…   $0.31    18 %   $0.22   $0.09    56 %      5  ▼ -75 %
        unallocat…  gpt-5.5     <$0.01  <0.1 %  <$0.01  <$0.01     0 %      1      new
        unallocat…  (none)           –       –       –       –       –      1        –
        ──────────────────────────────────────────────────────────────────────────────
        total                    $1.77   100 %   $1.41   $0.36    34 %     13  ▲ +30 %
      "
    `)
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(80)
  })

  test('by day reads downwards, in the zone asked', async () => {
    expect(await shown(['report', '--by', 'day'])).toMatchInlineSnapshot(`
      "Spend 2026-11-09 – 2026-11-15 UTC

        $1.77  ▲ +31 % against the 7 days before  ▄▅▆██▁▂
        input   $1.41 · 80 % · 751k tokens · 34 % read from cache, 1.6 % written
        output  $0.357 · 20 % · 21.6k tokens · 45 % reasoning
        calls   15 calls · 16 attempts, 2 errors (13 %)
        median  first token 400 ms, answer 2.5 s; 95 % within 2.5 s
        ! 1 unpriced call: not in the total until openai/new-model has a price (prices in weir.yaml)
        ! 1 unmetered call: an endpoint without a meter, so what it cost is not known
        ! 1 estimated call: counted by tokenizer, as the provider reported no usage

      By day
        day           cost   share        input  output  tokens in    out  cached  calls  per call
        2026-11-09   $0.22    12 %  █     $0.18   $0.04      47.0k   2.2k     0 %      2    $0.108
        2026-11-10   $0.24    14 %  █▏    $0.19   $0.05      97.0k   3.1k    33 %      2    $0.120
        2026-11-11   $0.33    19 %  █▌    $0.27   $0.07       147k   4.0k    35 %      2    $0.167
        2026-11-12   $0.46    26 %  ██▏   $0.36   $0.10       211k   6.3k    39 %      3    $0.153
        2026-11-13  $0.52+    30 %  ██▍   $0.43   $0.09       249k   6.0k    37 %      5    $0.174
        2026-11-15  <$0.01  <0.1 %  ▏    <$0.01  <$0.01         10      1     0 %      1   <$0.001
        ──────────────────────────────────────────────────────────────────────────────────────────
        total       $1.77+   100 %        $1.41   $0.36       751k  21.6k    34 %     15    $0.136
      "
    `)
    expect(await shown(['report', '--by', 'day', '--zone', 'Pacific/Auckland'])).toMatch(/2026-11-14 +\$0\.05\+/)
  })

  test('as CSV has one row a group, every number in it, and sums to the JSON’s total', async () => {
    const text = await ask(['report', '--by', 'team', '--csv', ...window])
    expect(text).toMatchInlineSnapshot(`
      "team,calls,attempts,errors,cost_usd,cost_per_call_usd,input_cost_usd,output_cost_usd,fee_cost_usd,list_cost_usd,counterfactual_cost_usd,previous_cost_usd,input_tokens,output_tokens,cache_read_tokens,cache_write_tokens,reasoning_tokens,unpriced_calls,unmetered_calls,estimated_calls,ttft_ms_p50,duration_ms_p50,duration_ms_p95
      search,6,7,1,1.456015,0.242669166667,1.1875,0.268515,0,0,0,0.13,664000,17901,210000,0,9600,0,0,0,400,2500,2500
      billing,5,5,0,0.3115,0.0623,0.224,0.0875,0,0,0,1.225,85000,3500,48000,12000,0,0,0,0,400,2500,2500
      labs,2,2,1,0.00325,0.00325,0.0025,0.00075,0,0,0,0,1900,150,0,0,0,1,0,1,400,2500,2500
      ,2,2,0,0.00004,0.00004,0.000025,0.000015,0,0,0,0,10,1,0,0,0,0,1,0,400,2500,2500
      "
    `)
    const report = JSON.parse(await ask(['report', '--by', 'team', '--json', ...window]))
    const rows = report.sections[0].rows as readonly { calls: number; cost_usd: string }[]
    expect(rows.reduce((sum, { calls }) => sum + calls, 0)).toBe(report.total.calls)
    expect(text.split('\r\n')).toHaveLength(rows.length + 2)
  })

  test('by key names what people call it, with its id behind', async () => {
    const id = 'key_00112233445566ff'
    const keyed = await ledgerFolder(receipts.map((one) => ({ ...one, key_id: one.team === 'search' ? id : 'key_ff' })))
    const store = await openStore({ data: keyed.data })
    await store.keys.add({
      ...{ id, name: 'nightly-job', prefix: 'weir_x', hash: 'x', tags: {}, models: [], providers: [], endpoints: [] },
      ...{ created_at_us: 1, revision: 1 },
    })
    await store.close()
    const words = ['report', '--by', 'key_id', ...window, '--data', keyed.data]
    expect((await weir(words)).out).toMatch(/nightly-job \(key_00112233445566ff\) .*\n +key_ff /)
    const { sections, key_names } = JSON.parse((await weir([...words, '--json'])).out)
    expect(sections[0].rows.map(({ group }: { group: Record<string, string> }) => group['key_id'])).toContain(id)
    expect(key_names).toEqual({ [id]: 'nightly-job' })
    const some = ['report', '--by', 'key', '--where', `key=${id}`, ...window, '--data', keyed.data]
    expect((await weir(some)).out).not.toContain('key_ff')
    keyed.clear()
  })

  test('as CSV says beside it what its limit left out', async () => {
    const { out, err } = await weir(['report', '--by', 'team', '--csv', '--limit', '2', ...window, '--data', data])
    expect(out.trimEnd().split('\r\n')).toHaveLength(3)
    expect(err).toBe('and 2 further rows: --limit 4\n')
  })

  test('counts the money of the receipts to the last digit', async () => {
    const report = JSON.parse(await ask(['report', '--json', '--since', 'all', '--by', 'provider']))
    const cost = receipts.reduce((sum, { cost_usd }) => sum + Math.round(Number(cost_usd ?? 0) * 1e9), 0)
    expect(Math.round(Number(report.total.cost_usd) * 1e9)).toBe(cost)
    expect(report.total.attempts).toBe(receipts.length)
  })

  test('filters by several values, by none, and by their negation', async () => {
    const calls = async (...where: string[]) =>
      JSON.parse(await ask(['report', '--json', ...window, ...where.flatMap((text) => ['--where', text])])).total.calls
    expect(await calls()).toBe(15)
    expect(await calls('team=labs,billing')).toBe(7)
    expect(await calls('team=')).toBe(2)
    expect(await calls('team!=labs', 'model=gpt-5.5')).toBe(7)
    expect(await calls('feature=answers', 'customer=acme')).toBe(3)
  })
})

describe('weir calls', () => {
  test('lists the newest first, and says in words what has no cost', async () => {
    expect(await shown(['calls', '--limit', '6'], 120)).toMatchInlineSnapshot(`
      "time UTC             call            payer          model          outcome            in  cached   out   took       cost
      2026-11-15 23:59:59  01a1e1a7-4818…                 gpt-5.5        ok                 10       0     1  2.5 s   $0.00004
      2026-11-13 14:00:00  01a1d535-4300…  billing / in…  claude-opus-…  ok              17.0k   12.0k   700  2.5 s    $0.0485
      2026-11-13 13:00:00  01a1d4fe-5480…                 /v1/fine_tun…  ok                  –       –     –  2.5 s  unmetered
      2026-11-13 12:00:00  01a1d4c7-6600…  labs           gpt-5.5        cut provider-…   1.0k       0    50  2.5 s  ~$0.00325
      2026-11-13 11:00:00  01a1d490-7780…  labs           new-model      ok                900       0   100  2.5 s   unpriced
      2026-11-13 09:00:00  01a1d422-9a80…  search / ans…  gpt-5.5        ok               230k   80.0k  5.1k  2.5 s     $0.472

      One call in whole: weir calls ID
      "
    `)
  })

  test('gives the whole ids into a pipe, so that they can be used', async () => {
    const text = await ask(['calls', '--dearest', '--limit', '2', ...window])
    expect(text).toMatch(/^2026-11-13 09:00:00 {2}[0-9a-f-]{36} .* \$0\.472$/m)
  })

  test('with an id shows the attempts, every line priced, the rows, and the prompt by parts', async () => {
    expect(await ask(['calls', retried], { COLUMNS: '100' })).toMatchInlineSnapshot(`
      "Call 01a1d07c-c400-7000-8000-00000000000d
        began  2026-11-12 16:00:00 UTC, took 3.5 s
        payer  team search · feature agent · customer acme · user u-17
        cost   $0.033515 in 2 receipts

      Attempt 1 of 2  error rate_limit
        receipt  01a1d07c-c400-7001-8000-00000000000d
        model    openai gpt-5.5
        request  openai-chat chat · streamed
        answer   HTTP 429
        time     2.5 s, first token after 400 ms
        cost     $0.00 (nothing was billed)

      Attempt 2 of 2  ok
        receipt   01a1d07c-c7e8-7001-8000-00000000000e
        model     openai gpt-5.5
        request   openai-chat chat · streamed · 3 turns · 12 tools · at most 4,096 tokens out · 18.2 kB
                  sent · 5.1 kB received
        answer    HTTP 200 · stop
        time      2.5 s, first token after 400 ms
        tokens    14,000 in · 71 % of it from cache · 1,401 out · 600 of it reasoning · exact
        prompt    █████▓▓▓▓▓▓▓▓▓▓▓▓▓▓░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░░■■
                  █ system 1.2k 8.6 %  ▓ tools 3.4k 24 %  ░ history 9.0k 64 %  ■ user 400 2.9 %
        cost      $0.033515  (input $0.0125 + output $0.021015)
        levers    cache-breakpoints skipped: the prefix is too short
        warnings  provider total 15,401 is not the sum of the parts

        line     model    meter               quantity   × rate     = cost  price row
        message  gpt-5.5  in.text.fresh          4,000   $2.5/M      $0.01  test/gpt-5.5
        message  gpt-5.5  in.text.cache_read    10,000  $0.25/M    $0.0025  test/gpt-5.5
        message  gpt-5.5  out.text.visible         801    $15/M  $0.012015  test/gpt-5.5
        message  gpt-5.5  out.text.reasoning       600    $15/M     $0.009  test/gpt-5.5

      Prices  book test-book
        test/gpt-5.5
          not in the price book of today any more
      "
    `)
  })

  test('finds a call by its receipt and by the beginning of its id, and says when that is not enough', async () => {
    const receipt = receipts.find(({ attempt }) => attempt === 2)?.receipt_id ?? ''
    const whole = await ask(['calls', retried, '--json'])
    expect(await ask(['calls', receipt, '--json'])).toBe(whole)
    expect(await ask(['calls', `${retried.slice(0, 17)}…`, '--json'])).toBe(whole)
    const many = await weir(['calls', retried.slice(0, 6), '--data', data])
    expect(many.err).toMatch(/\d+ calls begin with 01a1d0; give more of the id/)
    const few = await weir(['calls', retried.slice(0, 4), '--data', data])
    expect(few.err).toBe('weir: 01a1 is too little of an id to find a call by: give its first 6 characters or more\n')
    const none = await weir(['calls', 'nonsense', '--data', data])
    expect([none.code, none.err]).toEqual([
      1,
      'weir: there is no call or receipt nonsense in the ledger. The latest are listed by: weir calls\n',
    ])
  })

  test('as JSON gives the receipts as they were written', async () => {
    const given = JSON.parse(await ask(['calls', '--json', '--since', 'all', '--limit', '100'])) as {
      receipt_id: string
    }[]
    const byId = (one: { receipt_id: string }, other: { receipt_id: string }) =>
      one.receipt_id.localeCompare(other.receipt_id)
    expect(given.toSorted(byId)).toEqual(receipts.toSorted(byId))
  })
})

test('weir leaks names what leaks in dollars with calls that show it', async () => {
  const text = await shown(['leaks'], 100)
  expect(text).toMatch(/^Leaks 2026-11-09 – 2026-11-15 UTC · of \$1\.77 spent$/m)
  expect(text).toMatch(/^1\. Context that grows with every turn$/m)
  expect(text).toMatch(/Spend on calls that failed/)
  const id = /see weir calls (\S+)/.exec(text)?.[1] ?? ''
  expect(await ask(['calls', id])).toContain('session session-1')
  const answer = JSON.parse(await ask(['leaks', '--json', ...window]))
  expect(answer.leaks.length).toBeGreaterThan(2)
})

test('weir status says what the ledger holds', async () => {
  expect((await ask(['status'])).replace(data, 'FOLDER')).toMatchInlineSnapshot(`
    "gateway   not running: weir serve
    data      FOLDER
    ledger    17 calls, 18 receipts
    from, to  2026-11-03 10:00:00 – 2026-11-15 23:59:59 UTC
    tokens    991k in, 32.6k out
    cost      $3.13
    unpriced  1 receipt without a price yet
    "
  `)
})

describe('colours', () => {
  test('come where they are forced, and not into a pipe, nor where NO_COLOR is set', async () => {
    expect(await ask(['report', ...window], { FORCE_COLOR: '1' })).toContain('\u001b[')
    expect(await ask(['report', ...window])).not.toContain('\u001b[')
    expect(await ask(['report', ...window], { NO_COLOR: '1' })).not.toContain('\u001b[')
  })

  test('change nothing but the colours', async () => {
    const plain = await shown(['report'])
    const painted = await ask(['report', ...window], { FORCE_COLOR: '1', COLUMNS: '110' })
    const trimmed = (text: string) => text.replaceAll(/ +$/gm, '')
    expect(trimmed(stripVTControlCharacters(painted))).toBe(trimmed(plain))
  })
})

describe('with nothing to show', () => {
  test('an empty ledger says how to fill it', async () => {
    const empty = await ledgerFolder([])
    for (const command of ['report', 'owners', 'calls', 'leaks']) {
      const { out, code } = await weir([command, '--data', empty.data])
      expect([code, out]).toMatchObject([
        0,
        expect.stringMatching(/^The ledger is empty: no call has come through yet\./),
      ])
    }
    empty.clear()
  })

  test('calls that were all refused are shown, for they are what is wrong', async () => {
    const refused = await ledgerFolder(
      receipts
        .filter(({ attempt }) => attempt === 1)
        .map(({ receipt_id, call_id, started_at_us, ended_at_us }) => ({
          ...{ receipt_id, call_id, started_at_us, ended_at_us },
          ...{ attempt: 1, origin: 'live', wire: 'openai-chat', endpoint: 'chat', stream: false, provider: 'openai' },
          ...{ outcome: 'refused', error_code: 'budget-exhausted', usage_source: 'none', price_state: 'none' },
        })),
    )
    const { out } = await weir(['report', ...window, '--data', refused.data])
    expect(out).toMatch(/calls +\d+ calls · \d+ errors?/)
    refused.clear()
  })

  test('an empty window says what the ledger holds', async () => {
    const { out } = await weir(['report', '--since', '2026-01-01', '--until', '2026-02-01', '--data', data])
    expect(out).toBe(
      'No call in this window. The ledger holds calls from 2026-11-03 to 2026-11-15: try --since 2026-11-03.\n',
    )
    const filtered = await weir(['calls', '--where', 'team=nobody', '--since', 'all', '--data', data])
    expect(filtered.out).toMatch(/^No call matches\./)
  })
})

test('a past that was imported is shown without asking for it, where the last month is empty', async () => {
  const old = await ledgerFolder(
    receipts
      .slice(0, 2)
      .map((receipt) => ({ ...receipt, started_at_us: 1_600_000_000_000_000, ended_at_us: 1_600_000_001_000_000 })),
  )
  const { out } = await weir(['report', '--data', old.data])
  expect(out).toMatch(/^Spend all time · 2020-09-13/)
  old.clear()
})

test('calls that were brought in without their end have no duration, rather than one of nothing', async () => {
  const [one, two] = receipts.filter(({ outcome, attempt }) => outcome === 'ok' && attempt === 1)
  const bare = (receipt = one) => {
    const { first_token_at_us: _, ...rest } = receipt ?? receipts[0] ?? expect.fail()
    return { ...rest, ended_at_us: rest.started_at_us }
  }
  const folder = await ledgerFolder([bare(one), ...(two ? [two] : [])])
  const of = async (...words: string[]) => (await weir([...words, '--since', 'all', '--data', folder.data])).out
  expect(await of('report')).toMatch(/answer 2\.5 s/)
  expect(await of('calls')).not.toContain('µs')
  const text = await of('calls', one?.call_id ?? '')
  expect(text).not.toMatch(/took|µs/)
  folder.clear()
})

test('a window of one and groups of several are told in words', async () => {
  const now = Date.now() * 1000
  const folder = await ledgerFolder(
    receipts.slice(0, 2).map((one) => ({ ...one, started_at_us: now - 60_000_000, ended_at_us: now })),
  )
  const { out } = await weir(['report', '--since', '1h', '--by', 'team,model,feature', '--data', folder.data])
  expect(out).toMatch(/^Spend last hour · /)
  expect(out).toContain('nothing in the hour before')
  expect(out).toContain('By team, model and feature\n')
  folder.clear()
})

test('calls of one day that is not today have their day beside the time', async () => {
  const one = await ledgerFolder(receipts.slice(0, 1))
  const { out } = await weir(['calls', '--since', 'all', '--data', one.data])
  expect(out).toMatch(/^2026-11-03 10:00:00 /m)
  one.clear()
})
