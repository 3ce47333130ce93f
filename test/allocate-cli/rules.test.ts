/** Virtual tags, splits and outcomes from the command line, as whole outputs over the fixed fortnight. */
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, test, vi } from 'vitest'
import { since, until } from '../cli/fixture.ts'
import { weir, weirProcess } from '../cli/run.ts'
import { openDesk } from './desk.ts'

const { files, run, ok, refused, file } = await openDesk('2026-11-23T12:00:00Z', undefined, { COLUMNS: '100' })
const window = ['--since', since, '--until', until]

const tags = `
- name: the lab's
  when: { model: gpt-*, team: null }
  set: { team: labs }
- when: { feature: agent }
  set: { team: agents, "tag:cost-centre": "4711" }
`

describe('weir tags', () => {
  test('says at first that there are none', async () => {
    expect(await ok('tags', 'list')).toBe(
      'No virtual tags: calls are charged to whom they name. Write rules in a file and: weir tags set FILE\n',
    )
    expect(JSON.parse(await ok('tags', 'list', '--json'))).toEqual({ kind: 'tags', version: 0, rules: [] })
  })

  test('previews what would move, without moving it', async () => {
    expect(await ok('tags', 'preview', file('tags.yaml', tags), ...window)).toMatchInlineSnapshot(`
      "Preview 2026-11-09 – 2026-11-15 UTC

        Unallocated <0.1 % now, 0 % with the file, of $1.77 either way.

        team            now  with the file      moved
        search        $1.46          $1.42   -$0.0335
        billing       $0.31          $0.31          =
        agents        $0.00          $0.03   +$0.0335
        labs         <$0.01         <$0.01  +$0.00004
        unallocated  <$0.01          $0.00  -$0.00004
      "
    `)
    expect(await ok('report', '--by', 'team', ...window)).not.toContain('agents')
  })

  test('puts rules in force once, and every view follows with the same total', async () => {
    const before = JSON.parse(await ok('report', '--by', 'team', ...window, '--json'))
    expect(await ok('tags', 'set', file('tags.yaml', tags))).toBe('Version 1 is in force: 2 rules.\n')
    expect(await ok('tags', 'set', file('tags.yaml', tags))).toBe('Nothing changed: version 1 is the same.\n')
    expect(await ok('tags', 'list')).toMatchInlineSnapshot(`
      "Virtual tags version 1 · since 2026-11-23 · the first that holds sets a field

        #  name       when                                set
        1  the lab's  model is gpt-* and team is nothing  team = labs
        2  –          feature is agent                    team = agents, tag:cost-centre = 4711
      "
    `)
    const after = JSON.parse(await ok('report', '--by', 'team', ...window, '--json'))
    expect(after.total).toEqual(before.total)
    const teams = after.sections[0].rows.map((row: { group: { team: string | null } }) => row.group.team)
    expect(teams).toContain('agents')
    expect((await ok('report', '--by', 'tag:cost-centre', ...window)).includes('4711')).toBe(true)
    const leaks = JSON.parse(await ok('leaks', ...window, '--where', 'team=agents', '--json'))
    expect(leaks.total_usd).toBe('0.033515')
    const calls = JSON.parse(await ok('calls', ...window, '--where', 'team=agents', '--json'))
    expect(JSON.stringify(calls)).toContain('u-17')
  })

  test('keeps every version, and an empty list takes the rules away', async () => {
    await ok('tags', 'set', file('none.yaml', '[]'))
    expect(await ok('tags', 'list')).toContain('No virtual tags (version 2 took them away on 2026-11-23)')
    expect(await ok('report', '--by', 'team', ...window)).not.toContain('agents')
    expect(await ok('tags', 'list', '--history')).toMatchInlineSnapshot(`
      "version  set on      rules
            2  2026-11-23  0 rules
            1  2026-11-23  2 rules
      "
    `)
    await ok('tags', 'set', file('tags.yaml', tags))
  })

  test('reads rules from standard input', async () => {
    const ran = await weirProcess(['tags', 'check', '-'], tags)
    expect(ran.out).toContain('2 rules, nothing wrong with them.')
  })

  test('names everything that is wrong with a file, and changes nothing', async () => {
    const wrong = `
- { name: odd, when: { taem: a }, set: { cost_usd: "0" } }
- { when: { team: "a\\\\" }, set: {} }
- { when: {}, set: { team: a } }
`
    expect((await refused('tags', 'set', file('wrong.yaml', wrong))).replace(files, '…')).toMatchInlineSnapshot(`
      "weir: …/wrong.yaml has 4 problems; nothing was changed:
        rule 1 (odd), when.taem: no such field: there are key_id, team, feature, customer, user, environment, session, agent, provider, model, model_asked, endpoint, wire, region, origin and tag:NAME
        rule 1 (odd), set.cost_usd: cannot be set: there are team, feature, customer, user, environment and tag:NAME
        rule 2, when.team: the glob "a\\\\" ends in a backslash: a backslash takes the next character as it is
        rule 2, set: must name at least one field to set"
    `)
    expect(await refused('tags', 'check', join(files, 'absent.yaml')).catch(String)).toContain('weir tags check')
    expect((await weir(['tags', 'check', join(files, 'absent.yaml')])).err).toMatch(/cannot read .*absent.yaml: ENOENT/)
    expect((await weir(['tags', 'check', file('broken.yaml', 'a: [')])).err).toMatch(
      /broken.yaml is not YAML or JSON: /,
    )
    expect(JSON.parse(await ok('tags', 'list', '--json')).version).toBe(3)
  })
})

const splits = `
- { from: labs, by: spend }
- { from: agents, by: percent, percent: { search: 60, billing: 40 } }
`

describe('weir splits', () => {
  test('puts splits in force, lists and checks them', async () => {
    expect(await ok('splits', 'list')).toContain('No shared costs are split')
    expect(await ok('splits', 'set', file('splits.yaml', splits))).toBe('Version 1 is in force: 2 splits.\n')
    expect(await ok('splits', 'set', file('splits.yaml', splits))).toBe('Nothing changed: version 1 is the same.\n')
    expect(await ok('splits', 'list')).toMatchInlineSnapshot(`
      "Shared costs version 1 · since 2026-11-23 · among teams

        cost of  split       among
        labs     by spend    every other owner
        agents   by percent  search 60 %, billing 40 %
      "
    `)
    expect(await ok('splits', 'list', '--history')).toContain('2 rules')
  })

  test('names what is wrong, and changes nothing', async () => {
    const wrong = '[{ from: labs, by: percent, percent: { search: 60 } }]'
    expect(await refused('splits', 'set', file('wrong.yaml', wrong))).toContain('must sum to exactly 100')
    const odd = '{ dimension: taem, splits: [] }'
    expect(await refused('splits', 'set', file('odd.yaml', odd))).toContain('dimension: taem: did you mean team?')
    expect(JSON.parse(await ok('splits', 'list', '--json', '--history'))).toMatchObject({
      version: 1,
      splits: [{ from: 'labs' }, { from: 'agents' }],
      history: [{ version: 1 }],
    })
  })
})

const tickets = `ticket,closed,conversation,account,number
t-1,2026-11-12T09:00:00Z,session-1,acme,3
t-2,2026-11-13T10:00:00.5+01:00,,,2
t-3,1794614400,,globex,
t-4,yesterday?,,,1
t-5,2026-11-13,,,-1
`
const mapping = 'id=ticket,at=closed,session=conversation,customer=account,count=number'

describe('weir outcomes', () => {
  test('come in from a CSV file once; bad rows are named and the rest is kept', async () => {
    const path = file('tickets.csv', tickets)
    const first = await run('outcomes', 'import', path, '--kind', 'resolved_ticket', '--columns', mapping)
    expect(first.code).toBe(0)
    expect(first.out.replace(path, 'FILE')).toBe('3 outcomes brought in from FILE\n')
    expect(first.err).toMatchInlineSnapshot(`
      "  line 5: closed yesterday? is not a time: use 24h, 7d, 2w, today, yesterday, week, month, year, all, 2026-11, 2026-11-01 or 2026-11-01T09:30
        line 6: count: "-1" is not a whole number from 0 to 1000000000000
      "
    `)
    const again = await run('outcomes', 'import', path, '--kind', 'resolved_ticket', '--columns', mapping)
    expect(again.out).toContain('0 outcomes brought in')
    expect(again.out).toContain('3 were there already')
  })

  test('without ids are known by their content, equal rows apart', async () => {
    const path = file('users.csv', 'at,count\n2026-11-09,40\n2026-11-09,40\n2026-11-10,41\n')
    const words = ['outcomes', 'import', path, '--kind', 'active_user', '--team', 'search', '--json'] as const
    expect(JSON.parse(await ok(...words))).toMatchObject({ added: 3, already: 0, bad: 0 })
    expect(JSON.parse(await ok(...words))).toMatchObject({ added: 0, already: 3, bad: 0 })
  })

  test('of a row that has not the columns of the first line are named, and the rest is kept', async () => {
    const path = file('uneven.csv', 'at,count\n2026-11-0\n2026-11-09,1,000\n2026-11-09,40\n')
    const words = ['outcomes', 'import', path, '--kind', 'active_user', '--team', 'search', '--json'] as const
    const why = 'the row does not have as many columns as the first line'
    expect(JSON.parse(await ok(...words))).toMatchObject({
      ...{ added: 0, already: 1, bad: 2 },
      bad_rows: [
        { line: 2, why },
        { line: 3, why },
      ],
    })
  })

  test('come from a packed file, too, and a file of which no column says the time is refused even without rows', async () => {
    const words = ['--kind', 'active_user', '--team', 'search', '--json'] as const
    const packed = file('users.csv.gz', gzipSync('at,count\n2026-11-09,40\n'))
    expect(JSON.parse(await ok('outcomes', 'import', packed, ...words))).toMatchObject({ added: 0, already: 1, bad: 0 })
    const torn = file('torn.csv.gz', gzipSync('at,count\n2026-11-09,40\n').subarray(0, 20))
    expect(await refused('outcomes', 'import', torn, ...words)).toContain(
      'is not readable as CSV: unexpected end of file',
    )
    for (const text of ['id;at;count\n', gzipSync('when\n2026-11-09\n')])
      expect(await refused('outcomes', 'import', file('odd.csv', text), ...words)).toContain('has no column at')
  })

  test('of a time that no ledger keeps, or of more than can be added up, are named, and the rest is kept', async () => {
    const rows = ['9999-12-31,1', '9999-12-31T23:59:59Z,1', '1899-12-31,1', '1899-12-31T00:00:00Z,1', '2026-11-09,40']
    const path = file('never.csv', `at,count\n${rows.join('\n')}\n2026-11-09,9007199254740991\n`)
    const words = ['outcomes', 'import', path, '--kind', 'active_user', '--team', 'search', '--json'] as const
    const never = (line: number, at: string) => ({ line, why: `at ${at} is no time from 1970 to 2255` })
    expect(JSON.parse(await ok(...words))).toMatchObject({
      ...{ added: 0, already: 1, bad: 5 },
      bad_rows: [
        never(2, '9999-12-31'),
        never(3, '9999-12-31T23:59:59Z'),
        never(4, '1899-12-31'),
        never(5, '1899-12-31T00:00:00Z'),
        { line: 7, why: 'count: "9007199254740991" is not a whole number from 0 to 1000000000000' },
      ],
    })
  })

  test('are reported one by one; the same id twice is one, and with other content an error', async () => {
    const words = [
      'outcomes',
      'add',
      'resolved_ticket',
      '--team',
      'billing',
      '--at',
      '2026-11-14',
      '--id',
      't-9',
    ] as const
    expect(await ok(...words, '--count', '2')).toBe('2 resolved_ticket (t-9)\n')
    expect(await ok(...words, '--count', '2')).toBe('t-9 was there already.\n')
    expect(await refused(...words, '--count', '3')).toContain('the outcome t-9 is there with other content')
    expect(await ok('outcomes', 'list')).toMatchInlineSnapshot(`
      "outcome          count  events  first       last
      active_user        121       3  2026-11-09  2026-11-10
      resolved_ticket      8       4  2026-11-12  2026-11-14
      "
    `)
    expect(await ok('outcomes', 'list', '--kind', 'resolved_ticket', '--since', '2026-11-13')).toMatchInlineSnapshot(`
      "when                 outcome          count  whose            session  id
      2026-11-13 09:00:00  resolved_ticket      2  –                –        t-2
      2026-11-14 00:00:00  resolved_ticket      1  customer=globex  –        t-3
      2026-11-14 00:00:00  resolved_ticket      2  team=billing     –        t-9
      "
    `)
  })

  test('without a time are one outcome too, when they are reported again later', async () => {
    const words = ['outcomes', 'add', 'retried', '--session', 's-1', '--id', 't-10'] as const
    expect(await ok(...words)).toBe('1 retried (t-10)\n')
    const [first] = JSON.parse(await ok('outcomes', 'list', '--kind', 'retried', '--json'))
    vi.setSystemTime(Date.now() + 90_000)
    expect(await ok(...words)).toBe('t-10 was there already.\n')
    expect(JSON.parse(await ok('outcomes', 'list', '--kind', 'retried', '--json'))).toEqual([first])
    expect(await refused(...words, '--count', '2')).toContain('the outcome t-10 is there with other content')
    await ok('outcomes', 'remove', 't-10')
  })

  test('are removed by id', async () => {
    await ok('outcomes', 'add', 'mistake', '--id', 'x')
    expect(await ok('outcomes', 'remove', 'x')).toBe('The outcome x is gone.\n')
    expect(await refused('outcomes', 'remove', 'x')).toContain('the outcome x is not there')
  })

  test.each([
    [['add', '4ever'], 'kind: "4ever" is no name'],
    [['add', 'a', '--count', '1.5'], 'count: "1.5" is not a whole number'],
    [['add', 'a', '--at', 'soon'], '--at soon is not a time'],
    [['add', 'a', '--at', '9999-12-31'], '--at 9999-12-31 is no time from 1970 to 2255'],
    [['add', 'a', '--at', 'all'], '--at all is no time from 1970 to 2255'],
    [['add', 'a', '--value-usd', 'much'], 'value_usd: "much" is not an amount'],
    [['add', 'a', '--team', 'x'.repeat(257)], 'team: longer than 256'],
    [['import', '/absent.csv'], '/absent.csv is no file'],
  ])('are refused by the name of what is wrong: %j', async (words, message) => {
    expect(await refused('outcomes', ...words)).toContain(message)
  })

  test('a mapping that does not fit the file is refused by name', async () => {
    const path = file('tickets.csv', tickets)
    const importing = (columns: string) => refused('outcomes', 'import', path, '--columns', columns)
    expect(await importing('when=closed')).toContain('--columns when: no such field')
    expect(await importing('at=closed_at')).toContain('--columns at=closed_at: the file has no such column')
    expect(await importing('id=ticket')).toContain('has no column at')
    expect(await importing('id')).toContain('write FIELD=COLUMN')
  })
})

describe('weir report --per', () => {
  test('divides fully loaded spend by outcomes, by team, with yield and trend', async () => {
    expect(await ok('report', '--per', 'resolved_ticket', ...window)).toMatchInlineSnapshot(`
      "Cost of a resolved_ticket 2026-11-09 – 2026-11-15 UTC

        $0.221 each  no resolved_ticket in the 7 days before  ·····▅·█▁···
        cost         $1.77, every call of the window
        outcomes     8, 3 of them without an owner, from 4 reports
        token yield  77 %: 16.5k of 21.6k output tokens are in sessions that led to one

      By team
        team          cost  of it shared  resolved_ticket    each  change  token yield  trend
        search       $1.45       $0.0228                3  $0.482       –        100 %  ·····█······
        billing      $0.33        $0.014                2  $0.163       –          0 %  ········▁···
        agents       $0.00      -$0.0335                0       –       –          0 %
        labs         $0.00     -$0.00329                0       –       –          0 %
        unallocated  $0.00         $0.00                3   $0.00       –            –  ·······▁▁···
        ────────────────────────────────────────────────────────────────────────────────────────────
        all          $1.77                              8  $0.221       –         77 %  ·····▅·█▁···
      "
    `)
  })

  test('loses no picodollar and no outcome', async () => {
    for (const by of ['team', 'customer', 'feature']) {
      const report = JSON.parse(await ok('report', '--per', 'resolved_ticket', '--by', by, ...window, '--json'))
      const spend = JSON.parse(await ok('report', '--by', by, ...window, '--json'))
      const pico = (usd: string) => BigInt(Math.round(Number(usd) * 1e12))
      const rows: { cost_usd: string; count: number }[] = report.rows
      expect(report.total.cost_usd).toBe(spend.total.cost_usd)
      expect(rows.reduce((sum, { cost_usd }) => sum + pico(cost_usd), 0n)).toBe(pico(report.total.cost_usd))
      expect(rows.reduce((sum, { count }) => sum + count, 0)).toBe(report.total.count)
    }
  })

  test('with no outcome in the window divides by nothing and says so', async () => {
    const out = await ok('report', '--per', 'resolved_ticket', '--since', '2026-11-09', '--until', '2026-11-11')
    expect(out).toMatchInlineSnapshot(`
      "Cost of a resolved_ticket 2026-11-09 00:00:00 – 2026-11-11 00:00:00 UTC

        no resolved_ticket, so none has a cost  no resolved_ticket in the 2 days before
        cost         $0.455, every call of the window
        outcomes     0, from 0 reports
        token yield  74 %: 3.9k of 5.3k output tokens are in sessions that led to one

      By team
        team       cost  resolved_ticket  each  change  token yield  trend
        search   $0.289                0     –       –        100 %
        billing  $0.166                0     –       –          0 %
        ──────────────────────────────────────────────────────────────────
        all      $0.455                0     –       –         74 %
      "
    `)
  })

  test('chooses among its rows, and is CSV too', async () => {
    const out = await ok('report', '--per', 'resolved_ticket', ...window, '--where', 'team=billing', '--csv')
    expect(out).toMatchInlineSnapshot(`
      "team,cost_usd,direct_usd,shared_usd,count,each_usd,previous_count,previous_each_usd,token_yield,output_tokens,useful_output_tokens
      billing,0.325497023645,0.3115,0.013997023645,2,0.162748511823,0,,0,3500,0
      "
    `)
  })

  test.each([
    [['--per', 'resolved_tickets'], 'did you mean resolved_ticket?'],
    [['--per', 'sold_car'], 'there are active_user, resolved_ticket'],
    [['--per', 'resolved_ticket', '--by', 'model'], 'an outcome knows only team, feature, customer, user, environment'],
    [['--per', 'resolved_ticket', '--where', 'model=gpt-5.5'], 'only --where team can choose'],
  ])('refuses what it cannot answer: %j', async (words, message) => {
    expect(await refused('report', ...words, ...window)).toContain(message)
  })
})
