/** Statements in every format, as whole outputs, over the fixed fortnight and over hostile names. */
import { parse } from 'csv-parse/sync'
import { describe, expect, test, vi } from 'vitest'
import { formatUsd, parseUsd, sum, type Usd } from '../../src/core/money.ts'
import { ledgerFolder, receipts } from '../cli/fixture.ts'
import { weir } from '../cli/run.ts'
import { openDesk } from './desk.ts'
import { append, receipt } from './more.ts'

const { data, ok, refused, file } = await openDesk('2026-11-16T12:00:00Z')

const usd = (text: string) => formatUsd(parseUsd(text)) as Usd

describe('weir statement of nothing', () => {
  test('is still a file of its format, with what there is to say beside it', async () => {
    const { data: empty } = await ledgerFolder([])
    const of = (format: string) => weir(['statement', '--format', format, '--data', empty])
    const said = 'Nobody spent anything in the week of 2026-11-09, nor in the week before.\n'
    expect(await of('csv')).toMatchObject({
      code: 0,
      out: expect.stringMatching(/^period,from,to,team,[a-z_,]+\r\n$/),
      err: said,
    })
    expect(await of('html')).toMatchObject({ code: 0, out: expect.stringMatching(/^<!doctype html>/i), err: said })
    expect(await of('markdown')).toMatchObject({ code: 0, out: said, err: '' })
  })
})

describe('weir statement', () => {
  test('is of the last week that is over, for one owner with its budget', async () => {
    await ok(
      'outcomes',
      'add',
      'resolved_ticket',
      '--session',
      'session-1',
      '--count',
      '40',
      '--at',
      '2026-11-13',
      '--id',
      'a',
    )
    const out = await ok('statement', '--owner', 'team=search', '--budget', 'search=2')
    expect(out).toMatchInlineSnapshot(`
      "# Statement of team search · week of 2026-11-09

      2026-11-09 to 2026-11-15, UTC. Unallocated: $0.00004, <0.1 % of $1.77.

      $1.46, 82 % of $1.77 in all; ▲ ×11 against the week before ($0.13).

      ### What changed

      | why                                         |     change |
      | ------------------------------------------- | ---------: |
      | volume: more or fewer calls                 |     +$0.65 |
      | mix: other models, longer or shorter calls  |     +$1.15 |
      | price: other rates, more or less from cache |    -$0.473 |
      | **in all**                                  | **+$1.33** |

      | top movers            |   moved | before |    now |
      | --------------------- | ------: | -----: | -----: |
      | model gpt-5.5         |  +$1.33 |  $0.13 |  $1.46 |
      | feature answers       |  +$1.29 |  $0.13 |  $1.42 |
      | customer acme         | +$0.887 |  $0.00 | $0.887 |
      | customer globex       | +$0.569 |  $0.00 | $0.569 |
      | customer (not tagged) |  -$0.13 |  $0.13 |  $0.00 |

      ### Month-end forecast

      2026-11: $1.59 so far, about $6.42 at its end (between $3.14 and $9.70 with 80 % probability, from 13 days). 79 % of the budget of $2.00 is spent; the forecast is $4.42 over it.

      ### Cost of an outcome

      | outcome         | count |    each | change |
      | --------------- | ----: | ------: | -----: |
      | resolved_ticket |    40 | $0.0364 |      – |

      ### Use

      |            |                                  |
      | ---------- | -------------------------------- |
      | calls      | 6, 1 error                       |
      | tokens     | 664k in, 17.9k out               |
      | from cache | 32 % of input (0 % before)       |
      | batch      | 0 % of tokens                    |
      | coverage   | 100 % of calls have a known cost |

      ### Where it leaks

      | kind                                          |   cost | of spend |
      | --------------------------------------------- | -----: | -------: |
      | Context that grows with every turn            | $0.892 |     61 % |
      | Reasoning                                     | $0.144 |    9.9 % |
      | System prompt and tools, sent again and again | $0.101 |    7.0 % |

      Context that grows with every turn: Earlier turns sent again are 76.7 % of all input and cost $0.892, over 1 session, of up to 9 turns. A call at turn 8 or later carries 230,000 input tokens, a first turn 30,000.

      Reasoning: Reasoning is 58.5 % of the output of the calls that reason (9,600 tokens) and costs $0.144.

      System prompt and tools, sent again and again: System prompts (21,200 tokens) and tool descriptions (33,400) are 8.2 % of all input and cost $0.101.

      One dollar can leak in several ways at once, so these do not add up to a saving.
      "
    `)
  })

  test('shows every owner first, unallocated among them, and sums to the receipts', async () => {
    const out = await ok('statement')
    expect(out.slice(0, out.indexOf('## search'))).toMatchInlineSnapshot(`
      "# Statements by team · week of 2026-11-09

      2026-11-09 to 2026-11-15, UTC. Unallocated: $0.00004, <0.1 % of $1.77.

      | team        |     spend |  share |      change |
      | ----------- | --------: | -----: | ----------: |
      | search      |     $1.46 |   82 % |       ▲ ×11 |
      | billing     |     $0.31 |   18 % |     ▼ -75 % |
      | labs        |    <$0.01 |  0.2 % |         new |
      | unallocated |    <$0.01 | <0.1 % |         new |
      | **all**     | **$1.77** |        | **▲ +31 %** |

      "
    `)
    const report = JSON.parse(await ok('statement', '--json'))
    const spend = JSON.parse(await ok('report', '--since', '2026-11-09', '--until', '2026-11-16', '--json'))
    const totals: string[] = report.statements.map(({ total_usd }: { total_usd: string }) => total_usd)
    expect(formatUsd(sum(totals.map(parseUsd)))).toBe(spend.total.cost_usd)
    expect(report.total_usd).toBe(spend.total.cost_usd)
    for (const { change_usd, why } of report.statements)
      expect(formatUsd(sum(Object.values(why as Record<string, string>).map(parseUsd)))).toBe(change_usd)
  })

  test('compares a running period with as much of the one before', async () => {
    const { period } = JSON.parse(await ok('statement', '--month', '--at', 'today', '--json'))
    expect(period.complete).toBe(false)
    expect(period.window).toEqual({
      from_us: Date.UTC(2026, 10, 1) * 1000,
      to_us: Date.UTC(2026, 10, 16, 12) * 1000 + 1,
    })
    expect(period.previous.from_us).toBe(Date.UTC(2026, 9, 1) * 1000)
    expect(period.previous.to_us - period.previous.from_us).toBe(period.window.to_us - period.window.from_us)
    const shanghai = JSON.parse(
      await ok('statement', '--month', '--at', '2026-10', '--zone', 'Asia/Shanghai', '--json'),
    )
    expect(shanghai.period.window.from_us).toBe((Date.UTC(2026, 9, 1) - 8 * 3_600_000) * 1000)
  })

  test('takes the last week with calls where the last week has none', async () => {
    vi.setSystemTime(Date.parse('2027-03-01T12:00:00Z'))
    const { period, statements } = JSON.parse(await ok('statement', '--json'))
    vi.setSystemTime(Date.parse('2026-11-16T12:00:00Z'))
    expect(period.name).toBe('2026-11-09')
    expect(statements.every(({ forecast }: { forecast: unknown }) => forecast === null)).toBe(true)
  })

  test('is CSV with every digit, one row an owner', async () => {
    const text = await ok('statement', '--format', 'csv')
    const rows = parse(text, { columns: true }) as Record<string, string>[]
    const report = JSON.parse(await ok('statement', '--json'))
    expect(rows.map((row) => [row['team'], row['total_usd'], row['change_usd']])).toEqual(
      report.statements.map((one: Record<string, string>) => [one['owner'], one['total_usd'], one['change_usd']]),
    )
    expect(text.split('\r\n').slice(0, 2).join('\n')).toMatchInlineSnapshot(`
      "period,from,to,team,direct_usd,shared_usd,total_usd,corrections_usd,charge_usd,previous_usd,change_usd,change_volume_usd,change_mix_usd,change_price_usd,change_shared_usd,forecast_usd,forecast_low_usd,forecast_high_usd,budget_usd,calls,errors,input_tokens,output_tokens,cache_share,batch_share,coverage,unpriced_calls,resolved_ticket_count,resolved_ticket_each_usd,waste_system_and_tools_usd,waste_context_accumulation_usd,waste_retry_loops_usd,waste_verbose_output_usd,waste_reasoning_usd,waste_error_spend_usd,waste_uncached_prefix_usd
      2026-11-09,2026-11-09,2026-11-15,search,1.456015,0,1.456015,0,1.456015,0.13,1.326015,0.65,1.148515,-0.4725,0,6.419492826096,3.135049215153,9.703936437039,,6,1,664000,17901,0.31626506024096385,0,1,0,40,0.036400375,0.101232978978,0.891658205925,0,0,0.144,0,0"
    `)
  })

  test('is HTML for a mail: inline styles, no scripts, nothing fetched', async () => {
    const html = await ok('statement', '--owner', 'billing', '--format', 'html')
    expect(html).not.toMatch(/<script|<style|<link|<img|href=|src=|https?:|\son\w+=/i)
    expect(html).toMatch(/^<!doctype html>/)
    const text = html.replaceAll(/ style="[^"]*"/g, '')
    expect(text).toMatchInlineSnapshot(`
      "<!doctype html>
      <html lang="en">
      <head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Statement of team billing · week of 2026-11-09</title></head>
      <body>
      <div>
      <h1>Statement of team billing · week of 2026-11-09</h1>
      <p>2026-11-09 to 2026-11-15, UTC. Unallocated: $0.00004, &lt;0.1 % of $1.77.</p>
      <p>$0.312, 18 % of $1.77 in all; ▼ -75 % against the week before ($1.23).</p>
      <h3>What changed</h3>
      <table>
      <thead><tr><th scope="col">why</th><th scope="col">change</th></tr></thead>
      <tbody>
      <tr><td>volume: more or fewer calls</td><td>+$4.90</td></tr>
      <tr><td>mix: other models, longer or shorter calls</td><td>-$5.61</td></tr>
      <tr><td>price: other rates, more or less from cache</td><td>-$0.201</td></tr>
      <tr><td>in all</td><td>-$0.914</td></tr>
      </tbody>
      </table>
      <table>
      <thead><tr><th scope="col">top movers</th><th scope="col">moved</th><th scope="col">before</th><th scope="col">now</th></tr></thead>
      <tbody>
      <tr><td>feature invoices</td><td>-$0.914</td><td>$1.23</td><td>$0.312</td></tr>
      </tbody>
      </table>
      <h3>Month-end forecast</h3>
      <p>2026-11: $1.54 so far, about $4.34 at its end (between $1.54 and $7.40 with 80 % probability, from 12 days).</p>
      <h3>Use</h3>
      <table>
      <tbody>
      <tr><td>calls</td><td>5, 0 errors</td></tr>
      <tr><td>tokens</td><td>85.0k in, 3.5k out</td></tr>
      <tr><td>from cache</td><td>56 % of input (0 % before)</td></tr>
      <tr><td>batch</td><td>0 % of tokens</td></tr>
      <tr><td>coverage</td><td>100 % of calls have a known cost</td></tr>
      </tbody>
      </table>
      </div>
      </body>
      </html>
      "
    `)
  })

  test('is a message with plain text and HTML as alternatives of each other', async () => {
    const message = await ok('statement', '--owner', 'billing', '--format', 'email')
    expect(message.replaceAll('\r\n', '')).not.toContain('\n')
    expect(Math.max(...message.split('\r\n').map((line) => line.length))).toBeLessThanOrEqual(120)
    const boundary = /boundary="([^"]+)"/.exec(message)?.[1] ?? 'none'
    const [head = '', plain = '', html = '', end] = message.split(`--${boundary}`)
    expect(head).toContain('Content-Type: multipart/alternative')
    const subject = [...head.matchAll(/=\?utf-8\?B\?([^?]+)\?=/g)]
      .map(([, word = '']) => Buffer.from(word, 'base64').toString())
      .join('')
    expect(subject).toBe('Statement of team billing · week of 2026-11-09')
    const decoded = (part: string) => Buffer.from(part.slice(part.indexOf('\r\n\r\n') + 4), 'base64').toString()
    expect(plain).toContain('Content-Type: text/plain; charset=utf-8')
    expect(`${decoded(plain)}\n`).toBe(await ok('statement', '--owner', 'billing'))
    expect(html).toContain('Content-Type: text/html; charset=utf-8')
    expect(`${decoded(html)}\n`).toBe(await ok('statement', '--owner', 'billing', '--format', 'html'))
    expect(end).toBe('--\r\n')
  })

  test.each([
    [['--week', '--month'], '--week and --month: ask for one of them'],
    [['--format', 'pdf'], '--format pdf: use markdown, html, email, csv'],
    [['--by', 'taem'], '--by taem: did you mean team?'],
    [['--owner', 'team=nobody'], 'team nobody has no spend in this period'],
    [['--owner', 'team=a', '--owner', 'customer=b'], 'team and customer are two kinds of owners'],
    [['--owner', 'team='], '--owner: name the owner'],
    [['--budget', 'search'], '--budget search: write OWNER=USD'],
    [
      ['--owner', 'search', '--budget', 'serach=5'],
      '--budget serach: no statement of team serach to set it against; did you mean search?',
    ],
    [['--budget', 'search=-5'], '--budget search=-5: write OWNER=USD'],
    [['--at', '2027'], '--at 2027 is not a time'],
    [['--at', '2027-01-01'], '--at 2027-01-01 is in the future'],
    [['--zone', 'Mars/Olympus'], '--zone Mars/Olympus is not a time zone'],
  ])('refuses what it cannot answer, by name: %j', async (words, message) => {
    expect(await refused('statement', ...words)).toContain(message)
  })
})

describe('names that attack', () => {
  const evil = [
    '<script>alert(1)</script>',
    '=cmd|calc',
    'a | b',
    '"><img src=x onerror=alert(1)>',
    '[x](javascript:1)',
    '**b**\n# c',
    '_it_ my_team ~~x~~',
    'c2VhcmNo==',
  ]

  test('are text in every format', async () => {
    const at = '2026-11-12T08:00:00Z'
    const some = evil.map((team, i) =>
      receipt(`evil-${i}`, at, { team, feature: team, cost_usd: usd(`${i + 1}`), input_tokens: 5 }),
    )
    await append(data, 'evil', some)
    const html = await ok('statement', '--format', 'html')
    expect(html).not.toMatch(/<script|<img/i)
    expect(html).toContain('&lt;script&gt;alert(1)&lt;/script&gt;')
    const markdown = await ok('statement')
    expect(markdown).not.toMatch(/[^\\]<script|\n# c|[^\\]\[x\]/)
    const overview = markdown.split('\n').filter((line) => line.startsWith('|') && line.includes('%'))
    expect(overview.find((line) => line.includes('a \\| b'))).toBeDefined()
    expect(overview.find((line) => line.includes('\\_it\\_ my_team \\~~x\\~~'))).toBeDefined()
    const rows = parse(await ok('statement', '--format', 'csv'), { columns: true }) as Record<string, string>[]
    expect(rows.map((row) => row['team'])).toContain("'=cmd|calc")
    for (const asked of [['team=c2VhcmNo=='], ['c2VhcmNo==', '--by', 'team'], ['team=c2VhcmNo==', '--by', 'team']])
      expect(await ok('statement', '--owner', ...asked)).toMatch(/^# Statement of team c2VhcmNo== /)
    const message = await ok('statement', '--owner', 'team=**b**\n# c', '--format', 'email')
    expect(
      message
        .slice(0, message.indexOf('\r\n\r\n'))
        .split('\r\n')
        .filter((line) => /^\S+:/.test(line)),
    ).toHaveLength(3)
  })
})

test('totals are the receipts under random rules and splits', async () => {
  const all = formatUsd(
    sum(
      receipts
        .filter(({ started_at_us }) => started_at_us >= Date.UTC(2026, 10, 9) * 1000)
        .map(({ cost_usd }) => parseUsd(cost_usd ?? '0')),
    ),
  )
  const evil_total = parseUsd('36') // one to eight dollars
  const rules = [
    ['[{ when: { model: claude-* }, set: { team: search } }]', '[{ from: search, by: even }]'],
    ['[{ when: {}, set: { team: one } }]', '[{ from: one, by: percent, percent: { a: 33.3, b: 66.7 } }]'],
    [
      '[{ when: { team: null }, set: { team: { from: provider } } }]',
      '[{ from: billing, by: usage, metric: tokens }, { from: labs, by: spend }]',
    ],
    ['[]', '[{ from: unallocated, by: usage, metric: "outcome:resolved_ticket" }]'],
  ] as const
  for (const [tags, splits] of rules) {
    await ok('tags', 'set', file('tags.yaml', tags))
    await ok('splits', 'set', file('splits.yaml', splits))
    const report = JSON.parse(await ok('statement', '--json'))
    const totals: string[] = report.statements.map(({ total_usd }: { total_usd: string }) => total_usd)
    expect(formatUsd(sum(totals.map(parseUsd)))).toBe(formatUsd(sum([parseUsd(all), evil_total])))
  }
}, 120_000)

test('a forecast from less than three days of history claims no interval', async () => {
  const folder = await ledgerFolder(receipts.filter(({ team }) => team === 'billing').slice(-1))
  vi.setSystemTime(Date.parse('2026-11-13T18:00:00Z'))
  const { out } = await weir(['statement', '--owner', 'billing', '--at', 'today', '--data', folder.data])
  expect(out).toMatch(
    /^2026-11: \$[\d.]+ so far, about \$[\d.]+ at its end \(at the pace of so far: 0 whole days is too little for an interval\)\.$/m,
  )
  folder.clear()
})
