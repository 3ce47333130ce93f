import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bar, sparkline, stack } from '../../src/cli/show/chart.ts'
import { change, duration, exactMoney, money, moneyColumn, percent, tokens } from '../../src/cli/show/format.ts'
import { lookOf, plain } from '../../src/cli/show/look.ts'
import { csv, json } from '../../src/cli/show/output.ts'
import { progress } from '../../src/cli/show/progress.ts'
import { type Column, facts, table } from '../../src/cli/show/table.ts'
import { truncate, widthOf, wrap } from '../../src/cli/show/text.ts'
import { moment, parseTime, parseWindow } from '../../src/cli/show/time.ts'
import { formatUsd, picodollars } from '../../src/core/money.ts'

describe('money', () => {
  test.each([
    ['1234567.891', '$1,234,567.89'],
    ['999.999', '$1,000.00'],
    ['1', '$1.00'],
    ['0.4', '$0.40'],
    ['0.4213', '$0.421'],
    ['0.0213', '$0.0213'],
    ['0.000192', '$0.000192'],
    ['0.000000000001', '$0.000000000001'],
    ['0', '$0.00'],
    ['-3.456', '-$3.46'],
    [null, '–'],
  ])('%s is shown as %s', (usd, shown) => expect(money(usd)).toBe(shown))

  test('in whole shows every digit, and nothing but the digits', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 20n), max: 10n ** 20n }), (amount) => {
        const usd = formatUsd(picodollars(amount))
        const shown = exactMoney(usd).replace('$', '').replaceAll(',', '')
        expect(Number(shown) - Number(usd)).toBe(0)
        expect(shown).toMatch(/^-?\d+\.\d{2,}$/)
      }),
      { seed: 1 },
    )
  })

  test('in a column has the same decimals everywhere, and dust is not shown as zero', () => {
    const shown = ['1234.5', '0.001', '0', null].map(moneyColumn(['1234.5', '0.001']))
    expect(shown).toEqual(['$1,234.50', '<$0.01', '$0.00', '–'])
    expect(['0.001', '0.5'].map(moneyColumn(['0.001', '0.5']))).toEqual(['$0.001', '$0.500'])
  })
})

test('counts, shares, movements and durations are short and say what they are', () => {
  expect([0, 999, 1000, 12_345, 999_499, 999_500, 4_500_000, 1e9].map(tokens)).toEqual([
    '0',
    '999',
    '1.0k',
    '12.3k',
    '999k',
    '1.0M',
    '4.5M',
    '1.0B',
  ])
  expect([0, 0.0004, 0.042, 0.5, 1, null].map(percent)).toEqual(['0 %', '<0.1 %', '4.2 %', '50 %', '100 %', '–'])
  expect([change('12', '10'), change('8', '10'), change('500', '1'), change('1', '0'), change('1', '1')]).toEqual([
    '▲ +20 %',
    '▼ -20 %',
    '▲ ×500',
    'new',
    '=',
  ])
  expect([0.4, 3, 840, 3200, 250_000, 7_500_000].map(duration)).toEqual([
    '400 µs',
    '3 ms',
    '840 ms',
    '3.2 s',
    '4 min 10 s',
    '2 h 5 min',
  ])
})

test('sparklines and bars start at zero, and the smallest something is seen', () => {
  expect(sparkline([0, 1, 4, 8])).toBe('▁▂▅█')
  expect(sparkline([])).toBe('')
  expect(sparkline([0, 0])).toBe('▁▁')
  expect([bar(0, 8), bar(0.0001, 8), bar(0.5, 8), bar(2, 8)]).toEqual(['', '▏', '████', '████████'])
})

test('a stacked bar is exactly as wide as asked, and no part that is there is missing', () => {
  const marks = ['a', 'b', 'c', 'd']
  fc.assert(
    fc.property(
      fc.array(fc.nat(1_000_000), { minLength: 4, maxLength: 4 }),
      fc.integer({ min: 4, max: 80 }),
      (sizes, width) => {
        const parts = sizes.map((size, i) => ({ label: '', size, style: 'dim' as const, mark: marks[i] ?? '' }))
        const drawn = stack(parts, width, plain)
        expect(drawn.length).toBe(sizes.some((size) => size > 0) ? width : 0)
        for (const [i, size] of sizes.entries()) expect(drawn.includes(marks[i] ?? '')).toBe(size > 0)
      },
    ),
    { seed: 3 },
  )
})

describe('a table', () => {
  type Row = Readonly<{ name: string; cost: string; note: string }>
  const columns: readonly Column<Row>[] = [
    { head: 'name', cell: ({ name }) => name, shrink: 6 },
    { head: 'cost', cell: ({ cost }) => cost, align: 'right' },
    { head: 'note', cell: ({ note }) => note, shrink: 8, drop: 1 },
  ]
  const rows = [
    { name: 'search with a long name', cost: '$1,234.50', note: 'first of all the notes' },
    { name: '検索チーム', cost: '$2.00', note: '' },
  ]
  const foot = { name: 'total', cost: '$1,236.50', note: '' }

  test('aligns, right for numbers, with wide characters counted as two columns', () => {
    expect(table(rows, columns, plain, { foot })).toMatchInlineSnapshot(`
      "name                          cost  note
      search with a long name  $1,234.50  first of all the notes
      検索チーム                   $2.00
      ──────────────────────────────────────────────────────────
      total                    $1,236.50"
    `)
  })

  test('cuts the widest text first, and leaves out the least important where that is not enough', () => {
    expect(table(rows, columns, { width: 46, colour: false }, { foot })).toMatchInlineSnapshot(`
      "name                   cost  note
      search with a l…  $1,234.50  first of all the…
      検索チーム            $2.00
      ──────────────────────────────────────────────
      total             $1,236.50"
    `)
    expect(table(rows, columns, { width: 24, colour: false }, { foot })).toMatchInlineSnapshot(`
      "name                cost
      search with …  $1,234.50
      検索チーム         $2.00
      ────────────────────────
      total          $1,236.50"
    `)
  })

  test('leaves columns out before it cuts names so far that they look alike', () => {
    const models = ['opus-4-5', 'opus-4-6', 'sonnet-4-5'].map((name) => ({
      name: `claude-${name}`,
      cost: '$1.00',
      note: '–',
    }))
    const [name, ...others] = columns
    const drawn = (width: number) =>
      table(models, [{ ...name, names: true } as Column<Row>, ...others], { width, colour: false }).split('\n')
    expect(drawn(32)[1]).toBe('claude-opus-4-5    $1.00  –')
    expect(drawn(25)).toEqual([
      'name                cost',
      'claude-opus-4-5    $1.00',
      'claude-opus-4-6    $1.00',
      'claude-sonnet-4-5  $1.00',
    ])
    expect(drawn(15).slice(1)).toEqual(['claude-…  $1.00', 'claude-…  $1.00', 'claude-…  $1.00'])
  })

  test('is never wider than the terminal while its numbers fit, and never cuts a number', () => {
    fc.assert(
      fc.property(fc.integer({ min: 17, max: 100 }), fc.string({ maxLength: 60 }), (width, name) => {
        const drawn = table([...rows, { name, cost: '$9.99', note: name }], columns, { width, colour: false })
        for (const line of drawn.split('\n')) expect(widthOf(line)).toBeLessThanOrEqual(width)
        expect(drawn).toContain('$1,234.50')
      }),
      { seed: 5 },
    )
  })

  test('colours what it is told to, and takes control characters out of every cell', () => {
    const evil = [{ name: '\u001b[31mred\u001b]0;title\u0007', cost: '1\r\n2', note: '' }]
    expect(table(evil, columns, plain).replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
    const coloured = table(
      rows,
      [{ head: 'name', cell: ({ name }: Row) => name, style: (text, _, { red }) => red(text) }],
      {
        width: 80,
        colour: true,
      },
    )
    expect(coloured).toContain('\u001b[31m')
  })

  test('facts stand under each other, and long ones wrap under themselves', () => {
    const entries = [
      ['a', 'one two three four five six seven'],
      ['long name', 'x'],
      ['gone', undefined],
    ] as const
    expect(facts(entries, { width: 40, colour: false })).toMatchInlineSnapshot(`
      "  a          one two three four five six
                   seven
        long name  x"
    `)
  })
})

test('text is cut and wrapped by terminal columns', () => {
  expect(truncate('検索チーム', 5)).toBe('検索…')
  expect(truncate('short', 5)).toBe('short')
  expect(wrap('aa bb cc dd', 5)).toEqual(['aa bb', 'cc dd'])
})

test('CSV follows RFC 4180, and no cell becomes a formula in a spreadsheet', () => {
  const rows = [
    { name: 'a,b', note: 'say "hi"', n: 1.5 },
    { name: 'two\nlines', note: null, n: -2 },
    { name: '=1+1', note: '-3', n: 0 },
  ]
  const text = csv(rows, { name: (row) => row.name, note: (row) => row.note, n: (row) => row.n })
  expect(text).toBe('name,note,n\r\n"a,b","say ""hi""",1.5\r\n"two\nlines",,-2\r\n\'=1+1,-3,0\r\n')
})

test('JSON writes picodollars as text', () => expect(json({ cost: 12n })).toBe('{\n  "cost": "12"\n}'))

describe('a look', () => {
  test.each([
    ['a terminal has colours', { isTTY: true, columns: 100 }, {}, { width: 100, colour: true }],
    ['a pipe has none, and no width', {}, {}, { width: Number.POSITIVE_INFINITY, colour: false }],
    ['NO_COLOR takes them off', { isTTY: true, columns: 80 }, { NO_COLOR: '1' }, { width: 80, colour: false }],
    ['an empty NO_COLOR says nothing', { isTTY: true, columns: 80 }, { NO_COLOR: '' }, { width: 80, colour: true }],
    ['FORCE_COLOR puts them into a pipe', {}, { FORCE_COLOR: '1', NO_COLOR: '1' }, { colour: true }],
    ['FORCE_COLOR=0 takes them off', { isTTY: true, columns: 80 }, { FORCE_COLOR: '0' }, { colour: false }],
    ['a dumb terminal has none', { isTTY: true, columns: 80 }, { TERM: 'dumb' }, { colour: false }],
    ['COLUMNS gives a width where the stream has none', {}, { COLUMNS: '90' }, { width: 90 }],
  ])('%s', (_, screen, env, expected) => expect(lookOf(screen, env)).toMatchObject(expected))
})

describe('progress', () => {
  const screen = (isTTY: boolean) => {
    const written: string[] = []
    return { written, isTTY, columns: 80, write: (text: string) => written.push(text) > 0 }
  }

  test('on a terminal shows share, rate and what is left, and leaves its last word', () => {
    const to = screen(true)
    let now = 0
    const look = { width: 80, colour: false }
    const bar = progress({ label: 'import', total: 200, screen: to as never, now_ms: () => now, look })
    now = 1000
    bar.update(50, 'file.jsonl')
    now = 2000
    bar.update(200)
    bar.end('done')
    expect(to.written.map((text) => text.replace('\r\u001b[2K', ''))).toEqual([
      'import ████              25 %  50 of 200 · 50/s · 3.0 s left · file.jsonl',
      'import ████████████████ 100 %  200 of 200 · 100/s',
      'done\n',
    ])
  })

  test('is silent where nobody looks', () => {
    const to = screen(false)
    const bar = progress({ label: 'import', total: 2, screen: to as never })
    bar.update(1)
    bar.end('done')
    expect(to.written).toEqual([])
  })
})

describe('times', () => {
  const now = Date.UTC(2026, 10, 23, 15, 0, 0)
  const utc = (ms: number) => moment(ms * 1000)
  test.each([
    ['7d', '2026-11-16 15:00:00'],
    ['90m', '2026-11-23 13:30:00'],
    ['today', '2026-11-22 23:00:00'],
    ['yesterday', '2026-11-21 23:00:00'],
    ['week', '2026-11-22 23:00:00'],
    ['month', '2026-10-31 23:00:00'],
    ['year', '2025-12-31 23:00:00'],
    ['2026-10', '2026-09-30 22:00:00'],
    ['2026-10-25', '2026-10-24 22:00:00'],
    ['2026-10-25T12:00', '2026-10-25 11:00:00'],
    ['2026-11-01T09:30Z', '2026-11-01 09:30:00'],
    ['2026-11-01T09:30+05:30', '2026-11-01 04:00:00'],
  ])('%s is %s UTC for somebody in Berlin', (text, expected) =>
    expect(utc(parseTime(text, now, 'Europe/Berlin'))).toBe(expected),
  )

  test.each([
    ['2026-09-06', 'America/Santiago', '2026-09-06 04:00:00'],
    ['2026-03-08', 'America/Havana', '2026-03-08 05:00:00'],
    ['2026-03-08T02:30', 'America/New_York', '2026-03-08 07:00:00'],
    ['2026-10-25T02:30', 'Europe/Berlin', '2026-10-25 00:30:00'],
  ])('%s in %s, which its clock skips or shows twice, is %s UTC', (text, zone, expected) =>
    expect(utc(parseTime(text, now, zone))).toBe(expected),
  )

  test('before 1970 are all time, as nothing was called then', () => {
    expect([parseTime('99999999999d', now, 'UTC'), parseTime('0001-01-01', now, 'UTC')]).toEqual([0, 0])
  })

  test('that are none are refused with what is allowed', () => {
    for (const text of ['', 'soon', '2026-02-30', '2026-13-01', '7 days']) {
      expect(() => parseTime(text, now, 'UTC'), text).toThrow(/is not a time: use 24h, 7d/)
    }
    expect(() => parseTime('7d', now, 'Mars/Olympus')).not.toThrow()
    expect(() => parseTime('today', now, 'Mars/Olympus')).toThrow(/Mars\/Olympus is not a time zone/)
  })

  test('make a window that ends now or at --until, and is never empty', () => {
    expect(parseWindow({ since: '24h' }, now)).toEqual({ from_us: (now - 86_400_000) * 1000, to_us: (now + 1) * 1000 })
    expect(() => parseWindow({ since: '2026-11-02', until: '2026-11-01' }, now)).toThrow(/the window is empty/)
    expect(() => parseWindow({ since: '2027-01-01' }, now)).toThrow(/which is not yet/)
  })
})
