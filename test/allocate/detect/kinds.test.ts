import { describe, expect, test } from 'vitest'
import { type Budgets, openDetection } from '../../../src/playbook/allocate/detect/detect.ts'
import { defaultSettings } from '../../../src/playbook/allocate/detect/settings.ts'
import { brief, call, DAY, HOUR, MINUTE, noise, ordinary, run, START, usd } from './traffic.ts'

const noon = START + 15 * DAY + 12 * HOUR
const quiet = ordinary(15)
const seconds = (from_us: number, count: number, every_s: number) =>
  Array.from({ length: count }, (_, nth) => from_us + nth * every_s * 1e6)
/** Ordinary calls up to half an hour before `noon` on day 15. */
const untilNoon = () => [...quiet, ...ordinary(16).filter(({ at_us }) => at_us >= START + 15 * DAY && at_us < noon)]

describe('ordinary traffic', () => {
  test('pages nobody, from the first call through the first weekends', () => {
    expect(brief(run(ordinary(28)).findings)).toEqual([])
    expect(brief(run(ordinary(28, 40, 99)).findings)).toEqual([])
  })
})

describe('retry storms', () => {
  test('are told within two minutes of traffic, with the request, the waste and the calls', () => {
    const storm = seconds(noon, 60, 5).map((at_us) => call(at_us, 0.05, { fingerprint: 'same', failed: true }))
    const { findings } = run([...untilNoon(), ...storm])
    const [first] = findings
    expect(first).toMatchObject({ kind: 'retry-storm', owner: 'team:search', subject: 'prompt:same', since_us: noon })
    expect((first?.at_us ?? 0) - noon).toBeLessThanOrEqual(2 * MINUTE)
    expect(first?.spent_usd).toBe('0.35')
    expect(first?.message).toBe(
      'team:search (answers) has sent the same request 8 times in 35 s ($0.35 after the first)',
    )
    expect(first?.explained_by).toEqual({ dimension: 'prompt', value: 'same', cost_usd: '0.35', share: 1 })
    expect(first?.evidence).toContain(storm[0]?.id)
    expect(brief(findings)).toEqual(['retry-storm team:search'])
  })

  test('that go on are told again with all that they have cost since they began', () => {
    const off = ['level-burst', 'level-hour', 'level-day', 'mix-shift'] as const
    const storm = seconds(noon, 4 * 240, 15).map((at_us) => call(at_us, 0.05, { fingerprint: 'same' }))
    const { findings } = run([...untilNoon(), ...storm], { ...defaultSettings, off })
    expect(findings.map(({ kind, again }) => [kind, again])).toEqual([
      ['retry-storm', false],
      ['retry-storm', true],
      ['retry-storm', true],
    ])
    for (const { at_us, since_us, spent_usd } of findings) {
      const sent = storm.filter((one) => one.at_us <= at_us).length
      expect([since_us, Number(spent_usd)]).toEqual([noon, expect.closeTo((sent - 1) * 0.05)])
    }
    expect(findings[1]?.message).toMatch(/sent the same request 2\d\d times in 6\d minutes/)
  })

  test('are seen from failures too, when every request differs', () => {
    const storm = seconds(noon, 90, 1).map((at_us) => call(at_us, 0.03, { failed: true }))
    const { findings } = run([...untilNoon(), ...storm])
    expect(findings[0]).toMatchObject({ kind: 'retry-storm', subject: 'feature:answers' })
    expect(findings[0]?.explained_by).toMatchObject({ dimension: 'feature', value: 'answers' })
    expect((findings[0]?.at_us ?? 0) - noon).toBeLessThanOrEqual(2 * MINUTE)
  })

  test('of cents, and repeats that an owner makes every day, page nobody', () => {
    const cents = seconds(noon, 60, 5).map((at_us) => call(at_us, 0.0001, { fingerprint: 'same' }))
    expect(run([...untilNoon(), ...cents]).findings).toEqual([])
    const settings = { ...defaultSettings, storm_repeats: 20 }
    const daily = Array.from({ length: 10 }, (_, day) => seconds(START + day * DAY + 9 * HOUR, 15, 4)).flat()
    const habit = run(
      daily.map((at_us) => call(at_us, 0.02, { fingerprint: 'ping' })),
      settings,
    )
    expect(habit.findings).toEqual([])
    const usual = seconds(START + 10 * DAY + 9 * HOUR, 24, 4).map((at_us) => call(at_us, 0.02, { fingerprint: 'ping' }))
    expect(run(usual, settings, habit.state).findings).toEqual([])
    expect(brief(run(usual, settings).findings)).toEqual(['retry-storm team:search'])
  })
})

describe('a runaway session', () => {
  const sessions = (count: number) => {
    const next = noise(5)
    return Array.from({ length: count }, (_, nth) => {
      const steps = 5 + Math.floor(35 * next())
      return seconds(START + nth * 20 * MINUTE, steps, 20).map((at_us) =>
        call(at_us, 0.2, { session: `s${nth}`, agent: 'coder' }),
      )
    })
      .flat()
      .sort((a, b) => a.at_us - b.at_us)
  }

  test('is told before it has spent three times its agent’s p99', () => {
    const p99 = 39 * 0.2
    const wild = seconds(START + 6 * DAY, 400, 20).map((at_us) => call(at_us, 0.2, { session: 'wild', agent: 'coder' }))
    const { findings } = run([...sessions(300), ...wild])
    const found = findings.find(({ kind }) => kind === 'runaway-session')
    expect(found).toMatchObject({
      owner: 'team:search',
      subject: 'wild',
      since_us: START + 6 * DAY,
    })
    const spent = wild.filter(({ at_us }) => at_us <= (found?.at_us ?? Number.POSITIVE_INFINITY)).length * 0.2
    expect(spent).toBeLessThan(3 * p99)
    expect(spent).toBeGreaterThan(1.5 * p99)
  })

  test('is held against a ceiling in dollars while its agent has few sessions', () => {
    const first = seconds(START, 200, 20).map((at_us) => call(at_us, 0.2, { session: 'first', agent: 'new' }))
    const { findings } = run(first)
    expect(brief(findings)).toEqual(['runaway-session team:search'])
    expect(findings[0]?.message).toMatch(/too few to compare/)
  })
})

describe('levels', () => {
  test('that double are told within hours, by the owner alone and not by the organisation too', () => {
    const days = ordinary(18)
    const doubled = days.flatMap((one) =>
      one.at_us >= noon ? [one, call(one.at_us + 1, Number(one.cost) / 1e12)] : [one],
    )
    const { findings } = run(doubled)
    expect(findings[0]?.kind).toMatch(/^level-/)
    expect(findings[0]?.owner).toBe('team:search')
    expect((findings[0]?.at_us ?? 0) - noon).toBeLessThan(8 * HOUR)
    expect(Number(findings[0]?.projected_usd)).toBeGreaterThan(Number(findings[0]?.spent_usd))
    expect(findings.filter(({ again }) => !again)).toHaveLength(1)
  })

  test('are explained by the dimension whose share has changed', () => {
    const spike = seconds(noon, 600, 5).map((at_us) => call(at_us, 0.1, { user: 'user-9', feature: 'nightly' }))
    const [first] = run([...untilNoon(), ...spike]).findings
    expect(first?.kind).toBe('level-burst')
    expect(first?.explained_by).toMatchObject({ dimension: 'feature', value: 'nightly' })
    expect(first?.explained_by?.share).toBeGreaterThan(0.7)
    expect(spike.map(({ id }) => id)).toEqual(expect.arrayContaining([...(first?.evidence ?? ['none'])]))
  })

  test('of a kind that nobody is told of do not silence the other levels', () => {
    const spike = seconds(noon, 60, 30).map((at_us) => call(at_us, 0.3))
    expect(run([...untilNoon(), ...spike]).findings.map(({ kind }) => kind)).toEqual(['level-burst'])
    const { findings } = run([...untilNoon(), ...spike], { ...defaultSettings, off: ['level-burst'] })
    expect(findings.map(({ kind, again }) => [kind, again])).toEqual([['level-hour', false]])
  })

  test('that grow by 5 % a day are told by day before they have doubled twice', () => {
    const begun = START + 14 * DAY
    const grown = ordinary(28).map((one) => {
      const days = Math.max(0, Math.floor((one.at_us - begun) / DAY) + 1)
      return one.at_us < begun ? one : call(one.at_us, (Number(one.cost) / 1e12) * 1.05 ** days)
    })
    const { findings } = run(grown)
    expect(findings.length).toBeGreaterThan(0)
    expect(findings[0]?.at_us).toBeGreaterThan(begun)
  })
})

describe('a budget', () => {
  const budgets: Budgets = new Map([['team:search', [{ id: 'search-month', limit: usd(3000), length_us: 30 * DAY }]]])
  test('burns when an hour takes 2 % of a month and the last five minutes go on so', () => {
    const burning = seconds(noon, 360, 10).map((at_us) => call(at_us, 0.2))
    const found = run([...burning], defaultSettings, openDetection(), budgets).findings
    expect(brief(found)).toContain('budget-burn team:search')
    const [burn] = found.filter(({ kind }) => kind === 'budget-burn')
    expect(burn?.subject).toBe('search-month')
    expect((burn?.at_us ?? 0) - noon).toBeGreaterThan(45 * MINUTE)
  })

  test('does not burn when an hour was dear but is over', () => {
    const dear = seconds(noon, 300, 10).map((at_us) => call(at_us, 0.19))
    const after = seconds(noon + 55 * MINUTE, 60, 5).map((at_us) => call(at_us, 0.001))
    const last = call(noon + 59 * MINUTE + 59e6, 6)
    const calls = [...dear, ...after].sort((a, b) => a.at_us - b.at_us)
    expect(brief(run([...calls], defaultSettings, openDetection(), budgets).findings)).toEqual([])
    expect(brief(run([...calls, last], defaultSettings, openDetection(), budgets).findings)).toContain(
      'budget-burn team:search',
    )
  })
})

describe('cache and mix', () => {
  const cached = (at_us: number, share: number) => {
    const read = Math.round(10_000 * share)
    const cells = [
      { key: 'm in.text.fresh', quantity: 10_000 - read, cost: usd((10_000 - read) * 3e-6) },
      { key: 'm in.text.cache_read', quantity: read, cost: usd(read * 3e-7) },
    ].filter(({ quantity }) => quantity > 0)
    const cost = cells.reduce((sum, cell) => sum + Number(cell.cost), 0) / 1e12
    return call(at_us, cost, { model: 'm', input_tokens: 10_000, cache_read_tokens: read, cells })
  }
  const minutes = (from_us: number, count: number) => seconds(from_us, count, 60)

  test('a broken prefix is told by its feature, at the price of the tokens no longer read', () => {
    const next = noise(3)
    const good = minutes(START, 3 * 1440).map((at_us) => cached(at_us, 0.85 + 0.1 * next()))
    const broken = minutes(START + 3 * DAY, 600).map((at_us) => cached(at_us, 0))
    const { findings } = run([...good, ...broken])
    const drop = findings.find(({ kind }) => kind === 'cache-drop')
    expect(drop).toMatchObject({ owner: 'team:search', subject: 'answers m' })
    expect(drop?.message).toMatch(/reads 0 % of its input from cache, usually (89|90|91) %/)
    const calls = broken.filter(({ at_us }) => at_us <= (drop?.at_us ?? 0)).length
    expect(calls).toBeLessThan(140)
    expect(Number(drop?.spent_usd) / (calls * 9000 * 2.7e-6)).toBeGreaterThan(0.9)
    expect(Number(drop?.spent_usd) / (calls * 9000 * 2.7e-6)).toBeLessThan(1.1)
    expect(run(good).findings).toEqual([])
  })

  test('a dearer model is a mix shift whose parts sum to the change', () => {
    const cells = (dollars: number) => [{ key: 'm-large out.text.visible', quantity: 500, cost: usd(dollars) }]
    const usual = minutes(START, 4 * 1440).map((at_us) => call(at_us, 0.2))
    const shifted = minutes(START + 4 * DAY, 120).map((at_us) => call(at_us, 1, { model: 'm-large', cells: cells(1) }))
    const { findings } = run([...usual, ...shifted])
    const shift = findings.find(({ kind }) => kind === 'mix-shift')
    expect(shift?.explained_by).toMatchObject({ dimension: 'meter', value: 'm-large out.text.visible' })
    expect(Number(shift?.change_usd?.mix)).toBeGreaterThan(15)
    expect(Math.abs(Number(shift?.change_usd?.price))).toBeLessThan(1)
    expect(shift?.message).toMatch(/a call of team:search costs/)
  })
})

describe('what is new', () => {
  test('spends before it pages, and everything is known after the first days', () => {
    const fresh = seconds(noon, 100, 30)
    const key = run([...untilNoon(), ...fresh.map((at_us) => call(at_us, 0.06, { key: 'key-2' }))]).findings
    expect(brief(key)).toContain('new-key team:search')
    expect(key.find(({ kind }) => kind === 'new-key')).toMatchObject({ subject: 'key-2', since_us: noon })
    const model = run([...untilNoon(), ...fresh.map((at_us) => call(at_us, 0.06, { model: 'm-2' }))]).findings
    expect(brief(model)).toContain('new-model team:search')
    const cents = run([
      ...untilNoon(),
      ...fresh.map((at_us) => call(at_us, 0.01, { key: 'key-2', model: 'm-2' })),
    ]).findings
    expect(cents).toEqual([])
    const early = seconds(START + DAY, 100, 30).map((at_us) => call(at_us, 0.06, { key: 'key-2' }))
    expect(brief(run([...quiet.slice(0, 1440), ...early]).findings)).not.toContain('new-key team:search')
  })

  test('a key used by a stranger is told as leaked; a new colleague on it is not', () => {
    const stolen = { user: 'nobody', feature: 'unknown' }
    const leakOf = (more: object) => {
      const leak = seconds(noon, 400, 20).map((at_us) => call(at_us, 0.1, { ...stolen, ...more }))
      return run([...untilNoon(), ...leak]).findings.find(({ kind }) => kind === 'leaked-key')
    }
    const found = leakOf({ model: 'm-dear' })
    expect(found).toMatchObject({ subject: 'key-1', explained_by: { dimension: 'user', value: 'nobody' } })
    expect(found?.since_us).toBe(noon)
    expect((found?.at_us ?? 0) - noon).toBeLessThan(15 * MINUTE)
    expect(Number(found?.spent_usd)).toBeLessThan(3.2)
    expect(Number(leakOf({})?.spent_usd)).toBeCloseTo(9.1)
    const colleague = seconds(noon, 400, 20).map((at_us) => call(at_us, 0.1, { user: 'user-2' }))
    expect(brief(run([...untilNoon(), ...colleague]).findings)).not.toContain('leaked-key team:search')
  })
})

describe('what is new where nothing is learnt first', () => {
  const settings = { ...defaultSettings, learning_us: 0 }

  test('is not what a key did from its first call on', () => {
    const { findings } = run(
      seconds(START, 100, 20).map((at_us) => call(at_us, 1)),
      settings,
    )
    expect(brief(findings)).not.toContain('leaked-key team:search')
  })

  test('is shown by calls that spent', () => {
    const failed = seconds(START, 20, 20).map((at_us) => call(at_us, 0, { failed: true }))
    const paid = call(START + HOUR, 6)
    const { findings } = run([...failed, paid], settings)
    expect(findings.map(({ evidence }) => evidence)).toEqual([[paid.id], [paid.id]])
  })
})

describe('prices', () => {
  test('that nobody knows page at once, with what the call may have cost', () => {
    const { findings } = run([call(START, null, { ceiling: usd(0.5), model: 'm-new' })])
    expect(findings).toMatchObject([
      { kind: 'unpriced', subject: 'openai/m-new', spent_usd: null, owner: 'team:search' },
    ])
    expect(findings[0]?.message).toMatch(/at most \$0\.5 by their reservations/)
  })

  test('that nobody has checked for long page once they are spent at', () => {
    const old = { prices_checked_at_us: START - 60 * DAY }
    const calls = seconds(START, 30, 60).map((at_us) => call(at_us, 0.1, old))
    const { findings } = run(calls)
    expect(brief(findings)).toEqual(['stale-prices team:search'])
    expect(findings[0]?.message).toMatch(/checked 60 days ago/)
    expect(run(calls.map((one) => ({ ...one, prices_checked_at_us: START - DAY }))).findings).toEqual([])
  })
})
