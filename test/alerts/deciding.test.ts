/** What is decided without a world: who is told and when, what a budget owes, what is contained. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Alert, Containment } from '../../src/core/alert.ts'
import type { Usd } from '../../src/core/money.ts'
import { parseUsd } from '../../src/core/money.ts'
import type { AlertRoute } from '../../src/core/settings.ts'
import {
  type BudgetStanding,
  budgetAlerts,
  isCurrent,
  scopeOwner,
  standingOf,
} from '../../src/playbook/allocate/alert/budgets.ts'
import { containmentOf, heldBy, holding } from '../../src/playbook/allocate/alert/contain.ts'
import { alertOf, testAlert, toldAgain } from '../../src/playbook/allocate/alert/make.ts'
import { ownersOf } from '../../src/playbook/allocate/alert/owners.ts'
import { channelsFor, quietUntil } from '../../src/playbook/allocate/alert/route.ts'
import { factsOf, titleOf } from '../../src/playbook/allocate/alert/wording.ts'
import type { Finding } from '../../src/playbook/allocate/detect/finding.ts'
import type { Alike } from '../../src/playbook/allocate/detect/strand.ts'

const at = (text: string) => Date.parse(text) * 1000
const now = at('2026-11-03T10:00:00Z')
const alert = (over: Partial<Alert> = {}): Alert => ({
  ...testAlert(now),
  kind: 'retry-storm',
  owner: 'team:search',
  ...over,
})

test('the title of an alert about a budget names it', () => {
  const title = (kind: Alert['kind']) => titleOf(alert({ kind, subject: 's3', spent_usd: '5' as Usd }), 'opened')
  expect(title('budget-spent')).toBe('The budget s3 is being used up: team:search, $5.00 so far')
  expect(title('budget-forecast')).toMatch(/^The budget s3 will not last: /)
  expect(title('retry-storm')).toMatch(/^Retry storm: team:search/)
})

describe('routes', () => {
  const quiet = { from_minute: 22 * 60, to_minute: 7 * 60, zone: 'Europe/Berlin' }
  const routes: readonly AlertRoute[] = [
    { match: { severity: 'critical' }, channels: ['pager'] },
    { match: { owners: ['team:s*'] }, channels: ['ops'], quiet },
    { match: { kinds: ['budget-*'] }, channels: ['ops', 'mail'] },
  ]
  const channels = ['pager', 'ops', 'mail']
  const told = (one: Alert, when = now) => channelsFor(one, { routes, channels }, when).map(({ channel }) => channel)

  test('without any, everything goes everywhere', () => {
    expect(channelsFor(alert(), { routes: [], channels }, now)).toEqual(
      channels.map((channel) => ({ channel, from_us: now })),
    )
  })

  test('an alert goes to the channels of every route that it matches, once each', () => {
    expect(told(alert())).toEqual(['ops'])
    expect(told(alert({ severity: 'critical' }))).toEqual(['pager', 'ops'])
    expect(told(alert({ kind: 'budget-spent' }))).toEqual(['ops', 'mail'])
    expect(told(alert({ owner: 'organisation' }))).toEqual([])
  })

  test('quiet hours hold back until their end what is not critical, and another route of the same channel goes before', () => {
    const night = at('2026-11-03T23:30:00Z')
    const from = (one: Alert) =>
      channelsFor(one, { routes, channels }, night).find(({ channel }) => channel === 'ops')?.from_us
    expect(from(alert())).toBe(at('2026-11-04T06:00:00Z'))
    expect(from(alert({ severity: 'critical' }))).toBe(night)
    expect(from(alert({ kind: 'budget-spent' }))).toBe(night)
  })

  test('quiet hours end at the right instant on the days when clocks change', () => {
    const hours = { from_minute: 60, to_minute: 240, zone: 'America/New_York' }
    expect(quietUntil(hours, at('2026-03-08T06:30:00Z'))).toBe(at('2026-03-08T08:00:00Z'))
    expect(quietUntil(hours, at('2026-11-01T05:30:00Z'))).toBe(at('2026-11-01T09:00:00Z'))
  })

  test('what is held back leaves within a day, and outside of quiet hours at once', () => {
    const minutes = fc.integer({ min: 0, max: 1439 })
    const zones = fc.constantFrom('UTC', 'Asia/Shanghai', 'America/New_York')
    fc.assert(
      fc.property(
        minutes,
        minutes,
        zones,
        fc.integer({ min: 0, max: 5_256_000 }),
        (from_minute, to_minute, zone, minute) => {
          const when = at('2026-01-01T00:00:00Z') + minute * 60_000_000
          const end = quietUntil({ from_minute, to_minute, zone }, when)
          expect(end).toBeGreaterThanOrEqual(when)
          expect(end - when).toBeLessThanOrEqual(25 * 3_600_000_000)
          if (from_minute !== to_minute) expect(quietUntil({ from_minute, to_minute, zone }, end)).toBe(end)
        },
      ),
    )
  })
})

describe('budgets', () => {
  const period = { id: 'month 1', from_us: at('2026-11-01T00:00:00Z'), to_us: at('2026-12-01T00:00:00Z') }
  const standing = (spent: string, forecast?: string): BudgetStanding => ({
    id: 'search-monthly',
    owner: 'team:search',
    unit: 'usd',
    limit: parseUsd('100'),
    spent: parseUsd(spent),
    period,
    ...(forecast === undefined ? {} : { forecast: parseUsd(forecast) }),
  })
  const why = { evidence: ['r1'], trend_usd: ['1'] }
  const owed = (one: BudgetStanding) => budgetAlerts(one, [50, 80, 100], why, now)

  test('owe an alert at each share that is spent, the highest reached, and one for the forecast', () => {
    expect(owed(standing('49.99'))).toEqual([])
    expect(owed(standing('50'))).toMatchObject([{ kind: 'budget-spent', severity: 'info', spent_usd: '50' }])
    expect(owed(standing('97'))).toMatchObject([
      { severity: 'warning', message: expect.stringContaining('97 % ($97.00)') },
    ])
    expect(owed(standing('100'))).toMatchObject([{ severity: 'critical' }])
    expect(owed(standing('55', '120')).map(({ kind, projected_usd }) => [kind, projected_usd])).toEqual([
      ['budget-spent', '120'],
      ['budget-forecast', '120'],
    ])
    expect(owed(standing('100', '120')).map(({ kind }) => kind)).toEqual(['budget-spent'])
  })

  test('without a forecast say what the period comes to at its pace so far; a lifetime has no end', () => {
    const day = { id: 'day 1', from_us: now - 6 * 3_600e6, to_us: now + 18 * 3_600e6 }
    expect(owed({ ...standing('50'), period: day })).toMatchObject([{ spent_usd: '50', projected_usd: '200' }])
    const life = { id: 'lifetime 0', from_us: 0, to_us: Number.MAX_SAFE_INTEGER }
    expect(owed({ ...standing('50'), period: life })).toMatchObject([{ projected_usd: '50' }])
  })

  test('the same alert has the same id throughout the period, and another in the next', () => {
    const [first] = owed(standing('50'))
    const [later] = budgetAlerts(standing('60'), [50, 80, 100], why, now + 1e9)
    const [next] = owed({ ...standing('50'), period: { ...period, id: 'month 2', from_us: period.to_us } })
    expect(later?.id).toBe(first?.id)
    expect(next?.id).not.toBe(first?.id)
    expect(isCurrent(first?.incident ?? '', standing('70'))).toBe(true)
    expect(isCurrent(first?.incident ?? '', { ...standing('70'), period: { ...period, id: 'month 2' } })).toBe(false)
  })

  test('in tokens or calls say so, and no dollars', () => {
    const [one] = owed({ ...standing('80'), unit: 'tokens', limit: parseUsd('100'), spent: parseUsd('80') })
    expect(one).toMatchObject({
      spent_usd: null,
      message: expect.stringContaining('80 % (80 tokens) of its budget search-monthly (100 tokens)'),
    })
    expect(factsOf(one as Alert).map(([name]) => name)).not.toContain('so far')
    expect(factsOf(owed(standing('80'))[0] as Alert).map(([name]) => name)).toContain('so far')
  })

  test('of a lifetime begin when they are told, as a lifetime has no beginning', () => {
    const life = { ...standing('80'), period: { id: 'lifetime 1', from_us: 0, to_us: Number.MAX_SAFE_INTEGER } }
    const [one] = owed(life)
    const [later] = budgetAlerts(life, [50, 80, 100], why, now + 1e9)
    expect([one?.since_us, later?.id]).toEqual([now, one?.id])
  })

  test('are silent until what was spent before the start is counted, and where they are the limit of a rate', () => {
    const state = {
      budget: 'b',
      kind: 'hard',
      unit: 'usd',
      scope: { team: 'search' },
      window: 'month',
      zone: 'UTC',
      period,
      limit: '10',
      spent: '9',
      reserved: '0',
      left: '1',
      share: 0.9,
      resets_at_us: period.to_us,
      exhausted_at_us: null,
    } as const
    expect(standingOf({ ...state, counted: false })).toBeUndefined()
    const hour = { from_us: now, to_us: now + 3_600_000_000 }
    expect(standingOf({ ...state, counted: true, period: hour })).toBeUndefined()
    expect(standingOf({ ...state, counted: true })).toMatchObject({ owner: 'team:search', spent: parseUsd('9') })
    const over = { ...state, counted: true, exhausted_at_us: now }
    expect(standingOf(over)?.exhausted).toEqual({ until_us: period.to_us })
    const rolling = { ...over, window: 'last 30d', zone: null, resets_at_us: null }
    expect(standingOf({ ...rolling, period: { ...period, to_us: now + 1e6 } })?.exhausted).toEqual({})
    expect(standingOf({ ...rolling, period: { ...period, to_us: now + 86_400e6 } })?.exhausted).toBeUndefined()
  })

  test('are owned by their scope, and calls are watched for every budget that they count against', () => {
    expect(scopeOwner({})).toBe('organisation')
    expect(scopeOwner({ team: 'a', customer: 'b' })).toBe('customer:b team:a')
    const receipt = { team: 'search', customer: 'acme', key_id: 'k' } as Alike
    const known = new Set(['customer:acme', 'organisation', 'team:search'])
    const shapes = [['customer'], ['team'], ['user']]
    expect(ownersOf(receipt, shapes, known)).toEqual(['team:search', 'customer:acme', 'organisation'])
    expect(ownersOf({ ...receipt, customer: 'other' }, shapes, known)).toEqual(['team:search', 'organisation'])
    expect(ownersOf({ key_id: 'k' } as Alike)).toEqual(['key:k', 'organisation'])
  })
})

describe('containment', () => {
  const rules = [
    { kind: 'runaway-session', action: 'stop' },
    { kind: 'retry-storm', action: 'throttle', calls_per_minute: 5, minutes: 30 },
    { kind: 'leaked-key', action: 'stop' },
  ] as const
  const running = { session: 's', key_id: 'k', team: 'search' }

  test('holds the session that runs away, else its key; of a leaked key the key; and never a whole team', () => {
    expect(containmentOf(alert(), running, rules, now)).toMatchObject({
      what: 'session',
      value: 's',
      action: 'throttle',
      until_us: now + 1_800_000_000,
    })
    expect(containmentOf(alert(), { key_id: 'k' }, rules, now)).toMatchObject({ what: 'key', value: 'k' })
    expect(containmentOf(alert({ kind: 'leaked-key' }), running, rules, now)).toMatchObject({
      what: 'key',
      value: 'k',
      action: 'stop',
    })
    expect(containmentOf(alert(), { team: 'search' }, rules, now)).toBeUndefined()
    expect(containmentOf(alert({ kind: 'level-hour' }), running, rules, now)).toBeUndefined()
    expect(containmentOf(alert(), running, [], now)).toBeUndefined()
  })

  const one = (id: string, over: Partial<Containment> = {}): Containment => ({
    id,
    what: 'session',
    value: 's',
    owner: 'team:search',
    action: 'stop',
    from_us: now,
    ...over,
  })

  test('a session of another owner with the same name goes on', () => {
    const held = heldBy([one('a')])
    expect(holding(held, running)).toBe(0)
    expect(holding(held, { ...running, team: 'billing' })).toBeUndefined()
    expect(holding(held, { team: 'search' })).toBeUndefined()
  })

  test('of several the strictest holds, and a key’s goes before a session’s', () => {
    const slow = one('slow', { action: 'throttle', calls_per_minute: 9 })
    const slower = one('slower', { action: 'throttle', calls_per_minute: 2 })
    expect(holding(heldBy([slow, slower]), running)).toBe(1)
    expect(holding(heldBy([slow, one('stop'), slower]), running)).toBe(1)
    expect(holding(heldBy([one('session'), one('key', { what: 'key', value: 'k' })]), running)).toBe(1)
  })
})

describe('an alert', () => {
  const finding = (over: Partial<Finding> = {}): Finding => ({
    key: 'k',
    kind: 'level-hour',
    owner: 'team:search',
    at_us: now,
    since_us: now - 1,
    severity: 'warning',
    spent_usd: '10' as Usd,
    projected_usd: '40' as Usd,
    score: 2,
    evidence: ['r1'],
    again: false,
    message: 'm',
    ...over,
  })

  test('has the same id for the same finding, and one incident over all three levels', () => {
    expect(alertOf(finding(), []).id).toBe(alertOf(finding(), ['1']).id)
    expect(alertOf(finding({ at_us: now + 1 }), []).id).not.toBe(alertOf(finding(), []).id)
    expect(alertOf(finding({ kind: 'level-day' }), []).incident).toBe(alertOf(finding(), []).incident)
  })

  test('that is told again keeps its id and beginning, has the new numbers, and is never less grave', () => {
    const first = alertOf(finding(), [])
    const again = toldAgain(first, finding({ at_us: now + 9, spent_usd: '25' as Usd, severity: 'info' }), ['2'])
    expect(again).toMatchObject({
      id: first.id,
      first_us: now,
      last_us: now + 9,
      told: 2,
      spent_usd: '25',
      severity: 'warning',
    })
  })
})
