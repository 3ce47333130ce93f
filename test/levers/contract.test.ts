/** What every lever of the catalogue promises: what replay says of a recorded day is what pull then saves on the same day. */
import { describe, expect, test } from 'vitest'
import { defaultsOf } from '../../src/config/levers.ts'
import type { Chosen, Lever } from '../../src/core/lever.ts'
import { parseUsd } from '../../src/core/money.ts'
import { levers as catalogue } from '../../src/playbook/levers.ts'
import { adviceOn, costOf, type Day, piecesOf, runDay } from './day.ts'
import { elsewhere, rows } from './traffic.ts'

const levers: Readonly<Record<string, Lever>> = catalogue as never

test('every lever of the catalogue has a day in the table of traffic', () => {
  expect(Object.keys(levers).filter((name) => !(name in rows || name in elsewhere))).toEqual([])
})

/** Of the promise; the issue's own limit for levers that are exact. */
const EXACT = 0.01

const bodies = (day: Day): ReadonlyMap<string, string> =>
  new Map(day.calls.map(({ headers, body }) => [headers['x-step'] ?? '', Buffer.from(body).toString()]))

const outside = (raw: string, owns: RegExp): string =>
  piecesOf(raw)
    .filter(([path, text]) => text !== ',' && !owns.test(path))
    .map(([, text]) => text)
    .join('')

/** Settings that cannot be read once the gateway has started: whatever the lever does first, it throws. */
const broken = (settings: Chosen) => {
  let isStarted = false
  return {
    settings: new Proxy(settings as Record<string, Chosen[string]>, {
      get(target, name) {
        if (isStarted) throw new Error('a lever that throws')
        return target[String(name)]
      },
    }) as Chosen,
    started: () => {
      isStarted = true
    },
  }
}

describe.each(Object.entries(rows).filter(([name]) => Object.hasOwn(levers, name)))(
  '%s',
  (name, { steps, settings, owns, reads, takes_templates, says }) => {
    const lever = levers[name] as Lever
    const chosen = { ...defaultsOf(lever.settings), ...settings } as Chosen

    const days = async () => {
      const before = await runDay(steps, { name, mode: 'observe', settings: chosen, says })
      const templates = [...new Set(before.receipts.flatMap(({ fingerprint_template: template }) => template ?? []))]
      const taken = takes_templates ? ({ ...chosen, templates } as Chosen) : chosen
      return { before, after: await runDay(steps, { name, mode: 'on', settings: taken, says }) }
    }
    let ran: ReturnType<typeof days> | undefined
    const both = () => (ran ??= days())

    test('saves what its replay promised', async () => {
      const { before, after } = await both()
      const advice = await adviceOn(before.receipts, { [name]: lever }, { [name]: chosen })
      const promised = Number(parseUsd(advice.findings[0]?.saving.mid_usd ?? '0'))
      const saved = Number(costOf(before.receipts) - costOf(after.receipts))
      expect(promised, 'the day must give the lever something to do').toBeGreaterThan(0)
      const { certainty, spread } = lever.traits
      const [low, high] = certainty === 'exact' ? [1 - EXACT, 1 + EXACT] : [spread?.low ?? 1, spread?.high ?? 1]
      expect(saved / promised, `promised ${promised}, saved ${saved}`).toBeGreaterThanOrEqual(low)
      expect(saved / promised, `promised ${promised}, saved ${saved}`).toBeLessThanOrEqual(high)
    }, 60_000)

    test('does something, and touches nothing but what it owns', async () => {
      const { before, after } = await both()
      const sent = bodies(before)
      let changed = 0
      for (const [step, body] of bodies(after)) {
        expect(sent.get(step)).toBe(steps[Number(step)]?.body)
        expect(outside(body, owns)).toBe(outside(sent.get(step) ?? '', owns))
        if (reads) expect(reads(body)).toEqual(reads(sent.get(step) ?? ''))
        if (body !== sent.get(step)) changed += 1
      }
      expect(changed > 0 || after.calls.length < before.calls.length).toBe(true)
    }, 60_000)

    test('that throws fails no call, and its receipt says so', async () => {
      const day = await runDay(steps, { name, mode: 'on', says, ...broken(chosen) })
      expect(day.answers).toHaveLength(steps.length)
      expect(day.receipts.every(({ outcome }) => outcome === 'ok')).toBe(true)
      expect(day.receipts.some(({ levers: traces }) => traces?.some(({ action }) => action === 'skipped'))).toBe(true)
      expect([...bodies(day)].every(([step, body]) => body === steps[Number(step)]?.body)).toBe(true)
    }, 60_000)
  },
)

test('replaying nothing gives the actual cost of the day, to the picodollar', async () => {
  const steps = Object.values(rows)
    .flatMap((row) => row.steps)
    .toSorted((one, two) => one.at_s - two.at_s)
  const { receipts } = await runDay(steps, { name: 'cache/exact', mode: 'off', settings: {} })
  const advice = await adviceOn(receipts, {})
  expect(parseUsd(advice.cost_usd)).toBe(costOf(receipts))
  expect(advice.calls).toBe(steps.length)
  // Every class of tokens at the book's rates is the whole cost: nothing is left that a replay could not move.
  expect(advice.spent_usd['other']).toBe(0)
}, 60_000)
