/** Closing months while receipts come late, are priced anew, and rules change: all charges together are all receipts. */

import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { describe, expect, test } from 'vitest'
import { formatUsd, parseUsd, type Usd } from '../../src/core/money.ts'
import { openDesk } from './desk.ts'
import { append, receipt } from './more.ts'

const { data, run, ok, refused, file } = await openDesk('2026-12-20T12:00:00Z', [])
const json = async (...words: string[]) => JSON.parse(await ok(...words, '--json'))

type Shown = Readonly<{
  total_usd: string
  corrections_usd: string
  charge_usd: string
  closed: Readonly<{ sha256: string }> | null
  statements: readonly Readonly<{
    owner: string
    total_usd: string
    charge_usd: string
    budget_usd: string | null
    corrections: readonly Readonly<{ month: string; reason: string; amount_usd: string }>[]
  }>[]
}>
const statements = (month: string): Promise<Shown> => json('statement', '--month', '--at', month)
const corrections = ({ statements: all }: Shown) =>
  all
    .flatMap(({ owner, corrections: some }) =>
      some.map(({ month, reason, amount_usd }) => [owner, month, reason, amount_usd]),
    )
    .sort()

const usd = (text: string) => formatUsd(parseUsd(text)) as Usd
const spent = (id: string, at: string, team: string | undefined, cost: string, over = {}) =>
  receipt(id, at, {
    ...(team === undefined ? {} : { team }),
    cost_usd: usd(cost),
    input_tokens: 100,
    output_tokens: 10,
    ...over,
  })

/** Every closed month and the open ones: what was and will be charged is what the receipts cost. */
const balanced = async () => {
  const months = ['2026-10', '2026-11', '2026-12']
  let charged = 0n
  for (const month of months) charged += parseUsd((await statements(month)).charge_usd)
  const report = await json('report', '--by', 'team', '--since', '2026-10', '--until', '2027-01')
  expect(formatUsd(charged as never)).toBe(report.total.cost_usd)
}

const other = await openDesk('2026-12-20T12:00:00Z', [spent('only', '2026-09-05T10:00:00Z', 'search', '4')])

test('the books do not begin with a month of no calls, though owners of the month before have statements in it', async () => {
  expect(await other.refused('close', '2026-10')).toBe(
    'weir: 2026-10 cannot be closed: it has no calls, and the books begin with the first month that is closed',
  )
  expect(await other.ok('close', '2026-09')).toContain('1 statement, $4.00 charged')
  expect(await other.ok('close', '2026-10')).toContain('2026-10 is closed by team')
})

describe('weir close', () => {
  test('closes a month that is over, in order, once', async () => {
    await append(data, 'october', [
      spent('r1', '2026-10-05T10:00:00Z', 'search', '10'),
      spent('r2', '2026-10-06T10:00:00Z', 'billing', '30'),
      spent('r3', '2026-10-07T10:00:00Z', 'platform', '8'),
      spent('r4', '2026-10-08T10:00:00Z', undefined, '2', { feature: 'crawler' }),
      spent('r5', '2026-11-08T10:00:00Z', 'search', '5'),
      spent('r6', '2026-12-08T10:00:00Z', 'search', '7'),
    ])
    expect(await refused('close', '2026-12')).toContain('2026-12 cannot be closed: it is not over yet')
    expect(await refused('close', 'october')).toContain('october is no month')
    expect(await refused('close', '2025-10')).toContain(
      '2025-10 cannot be closed: it has no calls, and the books begin with the first month that is closed',
    )
    await ok('budgets', 'set', 'monthly', '--scope', 'team=search', '--usd', '9', '--per', 'month')
    const out = await ok('close', '2026-10')
    await ok('budgets', 'remove', 'monthly')
    expect(out).toMatch(/^2026-10 is closed by team: 4 statements, \$50.00 charged\.\nSHA-256 [0-9a-f]{64}\n$/)
    expect(await refused('close', '2026-10')).toContain('2026-10 cannot be closed: it is closed')
    expect(await refused('close', '2026-12')).toContain('it is not over yet')
    expect(await refused('close', '2026-09')).toContain('months are closed in order, and 2026-11 is next')
    expect(await refused('close', '2026-11', '--zone', 'Asia/Shanghai')).toContain('use --zone UTC')
    await balanced()
  })

  test('keeps the budgets of that time, and takes no other', async () => {
    const shown = await statements('2026-10')
    const budgets = shown.statements.map(({ owner, budget_usd }) => [owner, budget_usd])
    expect(Object.fromEntries(budgets)).toMatchObject({ search: '9', billing: null })
    expect(await ok('statement', '--month', '--at', '2026-10', '--owner', 'search')).toContain(
      '111 % of the budget of $9.00 was spent; $1.00 over it.',
    )
    expect(await refused('statement', '--month', '--at', '2026-10', '--budget', 'search=5')).toContain(
      '--budget search: 2026-10 is closed, so its statements keep the budgets that they were closed with',
    )
  })

  test('what comes later changes nothing in the closed month, and is in the next one with its reason', async () => {
    const before = await statements('2026-10')
    expect(corrections(await statements('2026-11'))).toEqual([])

    await append(data, 'late', [spent('late', '2026-10-30T10:00:00Z', 'search', '1.000000000001')])
    await append(data, 'rerated', [
      spent('again', '2026-10-06T10:00:00Z', 'billing', '-3', {
        corrects: 'r2',
        input_tokens: undefined,
        output_tokens: undefined,
      }),
    ])
    expect(corrections(await statements('2026-11'))).toEqual([
      ['billing', '2026-10', 're-rated', '-3'],
      ['search', '2026-10', 'late-receipts', '1.000000000001'],
    ])

    await ok('tags', 'set', file('tags.yaml', '[{ when: { feature: crawler }, set: { team: search } }]'))
    await ok(
      'splits',
      'set',
      file('splits.yaml', '[{ from: platform, by: percent, percent: { search: 75, billing: 25 } }]'),
    )
    expect(corrections(await statements('2026-11'))).toEqual([
      ['billing', '2026-10', 're-rated', '-3'],
      ['billing', '2026-10', 'split-rules', '2'],
      ['platform', '2026-10', 'split-rules', '-8'],
      ['search', '2026-10', 'late-receipts', '1.000000000001'],
      ['search', '2026-10', 'split-rules', '6'],
      ['search', '2026-10', 'tag-rules', '2'],
      ['unallocated', '2026-10', 'tag-rules', '-2'],
    ])
    expect(await statements('2026-10')).toEqual(before)
    expect(corrections(await statements('2026-12'))).toEqual([])
    await balanced()
  })

  test('shows the corrections in the statement, exact', async () => {
    expect(await ok('statement', '--month', '--at', '2026-11', '--owner', 'search')).toMatchInlineSnapshot(`
      "# Statement of team search · 2026-11

      2026-11-01 to 2026-11-30, UTC. Under virtual tags version 1 and splits version 1. Unallocated: $0.00, 0 % of $5.00.

      $5.00, 100 % of $5.00 in all; ▼ -74 % against the month before ($19.00).

      ### Account

      |                                                |               amount |
      | ---------------------------------------------- | -------------------: |
      | its own calls                                  |                $5.00 |
      | correction of 2026-10: calls that came in late |      $1.000000000001 |
      | correction of 2026-10: virtual tags changed    |                $2.00 |
      | correction of 2026-10: splits changed          |                $6.00 |
      | **to charge**                                  | **$14.000000000001** |

      ### What changed

      | why                                        |      change |
      | ------------------------------------------ | ----------: |
      | volume: more or fewer calls                |      -$8.67 |
      | mix: other models, longer or shorter calls |     +$0.667 |
      | its part of shared costs                   |      -$6.00 |
      | **in all**                                 | **-$14.00** |

      | top movers           |  moved | before |   now |
      | -------------------- | -----: | -----: | ----: |
      | model gpt-5.5        | -$8.00 | $13.00 | $5.00 |
      | feature (not tagged) | -$6.00 | $11.00 | $5.00 |
      | feature crawler      | -$2.00 |  $2.00 | $0.00 |

      ### Use

      |            |                                  |
      | ---------- | -------------------------------- |
      | calls      | 1, 0 errors                      |
      | tokens     | 100 in, 10 out                   |
      | from cache | 0 % of input (0 % before)        |
      | batch      | 0 % of tokens                    |
      | coverage   | 100 % of calls have a known cost |
      "
    `)
  })

  test('closing the next month hands its corrections out, and they do not come again', async () => {
    const open = await statements('2026-11')
    expect(await ok('close', '2026-11')).toContain(
      '$3.000000000001 charged, -$1.999999999999 of it corrections of months before',
    )
    const closed = await statements('2026-11')
    expect({ ...closed, closed: null }).toEqual({ ...open, closed: null })
    expect(closed.closed?.sha256).toMatch(/^[0-9a-f]{64}$/)
    expect(corrections(await statements('2026-12'))).toEqual([])
    await append(data, 'later', [spent('later', '2026-10-01T00:00:00Z', 'labs', '0.5')])
    expect(corrections(await statements('2026-12'))).toEqual([['labs', '2026-10', 'late-receipts', '0.5']])
    await balanced()
  })

  test('splits by an outcome follow outcomes that come in late', async () => {
    await ok(
      'splits',
      'set',
      file('splits.yaml', '[{ from: platform, by: usage, metric: outcome:resolved_ticket, to: [search, billing] }]'),
    )
    const even = corrections(await statements('2026-12')).filter(([, , reason]) => reason === 'split-rules')
    expect(even).toEqual([
      ['billing', '2026-10', 'split-rules', '2'],
      ['search', '2026-10', 'split-rules', '-2'],
    ])
    await ok('outcomes', 'add', 'resolved_ticket', '--team', 'billing', '--at', '2026-10-09', '--id', 'o1')
    const counted = corrections(await statements('2026-12')).filter(([, , reason]) => reason === 'outcomes')
    expect(counted).toEqual([
      ['billing', '2026-10', 'outcomes', '4'],
      ['search', '2026-10', 'outcomes', '-4'],
    ])
    await balanced()
  })

  test('lists what was closed', async () => {
    const out = (await ok('close', 'list')).replaceAll(/[0-9a-f]{16}/g, 'abcdef0123456789')
    expect(out).toMatchInlineSnapshot(`
      "month    by    zone  closed on    spend       corrections          charged  SHA-256
      2026-10  team  UTC   2026-12-20  $50.00             $0.00           $50.00  abcdef0123456789
      2026-11  team  UTC   2026-12-20   $5.00  -$1.999999999999  $3.000000000001  abcdef0123456789
      "
    `)
  })

  test('closes by another dimension in a chain of its own', async () => {
    const first = await run('close', '2026-11', '--by', 'feature')
    expect(first.out).toContain('2026-11 is closed by feature')
    expect(first.err, 'what no close charges is said').toMatch(/^Mind: \$48.50\d+ was spent before 2026-11/)
    const abroad = ['statement', '--month', '--by', 'feature', '--zone', 'Asia/Shanghai', '--at'] as const
    expect(await refused(...abroad, '2026-12'), 'a month has one bill').toContain(
      '--zone Asia/Shanghai: from 2026-11 on months are closed by feature in UTC; ask for --zone UTC',
    )
    await ok(...abroad, '2026-10')
    expect(await refused('close', '2026-11', '--by', 'fetaure')).toContain('did you mean feature?')
    expect(await ok('close', 'verify')).toBe('3 closed months, all as they were closed.\n')
    const { steps } = await json('checklist')
    expect(steps.find(({ step }: { step: string }) => step === 'allocate').evidence.join()).toContain('2 closed months')
  })

  test('notices a closed month that was changed', async () => {
    const store = new DatabaseSync(join(data, 'store.db'))
    store.exec(`update closed_months set document = replace(document, '"50"', '"40"') where month = '2026-10'`)
    store.close()
    expect(await refused('close', 'verify')).toContain('2026-10 by team is not what was closed')
  })
})
