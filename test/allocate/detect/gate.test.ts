import { describe, expect, test } from 'vitest'
import { picodollars } from '../../../src/core/money.ts'
import type { Receipt } from '../../../src/core/receipt.ts'
import { Recent } from '../../../src/playbook/allocate/detect/bounded.ts'
import {
  answer,
  loadDetection,
  observe,
  openDetection,
  saveDetection,
} from '../../../src/playbook/allocate/detect/detect.ts'
import type { Candidate } from '../../../src/playbook/allocate/detect/finding.ts'
import { admit, judge, openGate, sensitivity } from '../../../src/playbook/allocate/detect/gate.ts'
import { observationOf } from '../../../src/playbook/allocate/detect/observation.ts'
import { defaultSettings } from '../../../src/playbook/allocate/detect/settings.ts'
import { watchedOf } from '../../../src/playbook/allocate/detect/watched.ts'
import { call, DAY, HOUR, ordinary, run, START, usd } from './traffic.ts'

const raised = (more: Partial<Candidate> = {}): Candidate => ({
  kind: 'level-hour',
  owner: 'team:a',
  since_us: START,
  excess: usd(10),
  hourly: usd(2),
  score: 2,
  evidence: [],
  message: 'm',
  ...more,
})
const moment = (at_us: number, narrower: readonly string[] = []) => ({
  at_us,
  midnight_us: START + DAY,
  narrower,
  settings: defaultSettings,
})

describe('an alert', () => {
  test('is told once in its cool-down, again when it doubles, and anew when it was gone', () => {
    const gate = openGate()
    expect(admit(gate, raised(), moment(START))).toMatchObject({ again: false, spent_usd: '10', projected_usd: '58' })
    expect(admit(gate, raised({ excess: usd(19) }), moment(START + 2 * HOUR))).toBeUndefined()
    expect(admit(gate, raised({ excess: usd(20) }), moment(START + 3 * HOUR))).toMatchObject({ again: true })
    expect(admit(gate, raised({ excess: usd(50) }), moment(START + 3.5 * HOUR))).toBeUndefined()
    expect(admit(gate, raised(), moment(START + 20 * HOUR))).toBeUndefined()
    expect(admit(gate, raised(), moment(START + 40 * HOUR))).toBeUndefined()
    expect(admit(gate, raised(), moment(START + 65 * HOUR))).toMatchObject({ again: false })
  })

  test('is one over ten minutes, hours and days, and none under its floor', () => {
    const gate = openGate()
    expect(admit(gate, raised({ excess: usd(2.99) }), moment(START))).toBeUndefined()
    expect(admit(gate, raised(), moment(START))).toBeDefined()
    expect(admit(gate, raised({ kind: 'level-burst' }), moment(START + HOUR))).toBeUndefined()
    expect(admit(gate, raised({ kind: 'level-day', excess: usd(15) }), moment(START + HOUR))).toBeUndefined()
    expect(admit(gate, raised({ kind: 'cache-drop' }), moment(START + HOUR))).toBeDefined()
  })

  test('that was planned is silent at every level until its moment, and so is a wider owner whose trouble it is', () => {
    const gate = openGate()
    const wide = raised({ owner: 'organisation', kind: 'level-day', excess: usd(30) })
    admit(gate, raised({ kind: 'level-burst' }), moment(START))
    judge(gate, { owner: 'team:a', kind: 'level-burst' }, 'planned', START + 6 * HOUR)
    expect(admit(gate, raised({ excess: usd(90) }), moment(START + 2 * HOUR))).toBeUndefined()
    expect(admit(gate, wide, moment(START + 2 * HOUR, ['team:a']))).toBeUndefined()
    expect(admit(gate, { ...wide, excess: usd(300) }, moment(START + 3 * HOUR, ['team:a']))).toBeDefined()
    expect(admit(gate, raised({ excess: usd(90) }), moment(START + 6 * HOUR))).toMatchObject({ again: true })
  })

  test('of a wider owner is not told when a narrower one carries half of it', () => {
    const gate = openGate()
    admit(gate, raised(), moment(START))
    const wide = raised({ owner: 'organisation', excess: usd(18) })
    expect(admit(gate, wide, moment(START + 1, ['team:a']))).toBeUndefined()
    expect(admit(gate, { ...wide, excess: usd(25) }, moment(START + 1, ['team:a']))).toMatchObject({
      owner: 'organisation',
    })
  })

  test('is graver the more it will cost', () => {
    const severity = (hourly: number) => admit(openGate(), raised({ hourly: usd(hourly) }), moment(START))?.severity
    expect([severity(0), severity(1), severity(20)]).toEqual(['info', 'warning', 'critical'])
  })
})

describe('feedback', () => {
  test('raises the threshold of that owner and kind on no, and lowers it on yes, within bounds', () => {
    const gate = openGate()
    for (let n = 0; n < 20; n += 1) judge(gate, { owner: 'team:a', kind: 'level-hour' }, 'no', 0)
    for (let n = 0; n < 20; n += 1) judge(gate, { owner: 'team:b', kind: 'level-hour' }, 'yes', 0)
    expect(sensitivity(gate, 'team:a', 'level-hour')).toBe(4)
    expect(sensitivity(gate, 'team:b', 'level-hour')).toBe(0.6)
    expect(sensitivity(gate, 'team:a', 'level-day')).toBe(1)
    expect(admit(gate, raised(), moment(START))).toBeUndefined()
    expect(admit(gate, raised({ excess: usd(13) }), moment(START))).toBeDefined()
  })

  test('changes what is found: what was called no trouble often enough is none', () => {
    const noon = START + 15 * DAY + 12 * HOUR
    const spike = Array.from({ length: 60 }, (_, nth) => call(noon + nth * 60e6, 0.5))
    const calls = [...ordinary(16).filter(({ at_us }) => at_us < noon), ...spike]
    const kinds = (state = openDetection()) => run(calls, defaultSettings, state).findings.map(({ kind }) => kind)
    expect(kinds()).toContain('level-burst')
    const deaf = openDetection()
    for (const kind of ['level-hour', 'level-burst', 'level-day', 'mix-shift'] as const)
      for (const owner of ['team:search', 'organisation'])
        for (let n = 0; n < 9; n += 1) answer(deaf, { owner, kind }, 'no')
    expect(kinds(deaf)).toEqual([])
  })

  test('that something is planned keeps quiet until its end', () => {
    const gate = openGate()
    judge(gate, { owner: 'team:a', kind: 'level-hour' }, 'planned', START + DAY)
    expect(admit(gate, raised(), moment(START + DAY - 1))).toBeUndefined()
    expect(admit(gate, raised(), moment(START + DAY))).toBeDefined()
  })
})

describe('state', () => {
  test('is JSON, and finds the same after a save in the middle as without', () => {
    const noon = START + 9 * DAY + 12 * HOUR
    const calls = ordinary(11).map((one) =>
      one.at_us < noon ? one : { ...one, cost: picodollars((one.cost ?? 0n) * 4n) },
    )
    const whole = run(calls).findings
    expect(whole.length).toBeGreaterThan(0)
    const state = openDetection()
    const half = Math.floor(calls.length * 0.83)
    const first = run(calls.slice(0, half), defaultSettings, state).findings
    const text = saveDetection(state)
    const second = run(calls.slice(half), defaultSettings, loadDetection(text)).findings
    expect([...first, ...second]).toEqual(whole)
    expect(saveDetection(loadDetection(text))).toBe(text)
  })

  test('begins anew from a text that is none of its own', () => {
    expect(loadDetection('nonsense')).toEqual(openDetection())
    expect(loadDetection('{"version":0}')).toEqual(openDetection())
    expect(loadDetection('null')).toEqual(openDetection())
  })

  test('does not grow with the number of owners, users, sessions and requests', () => {
    const bounds = { owners: 5, sessions: 5, prompts: 5, entities: 5, values: 3 }
    const settings = { ...defaultSettings, bounds }
    const state = openDetection()
    const sizes: number[] = []
    for (let n = 0; n < 3000; n += 1) {
      const id = `${n}`
      const more = { user: id, session: id, agent: `a${n % 600}`, key: id, model: id, feature: id }
      observe(state, call(START + n * 1e6, 0.001, { ...more, owners: [`team:${id}`, 'organisation'] }), settings)
      if (n % 1000 === 999) sizes.push(saveDetection(state).length)
    }
    expect(state.owners.size).toBe(5)
    expect((sizes[2] ?? 0) / (sizes[1] ?? 1)).toBeLessThan(1.1)
  })

  test('forgets the longest unseen first', () => {
    const map = new Recent<number>()
    for (const name of ['a', 'b', 'a', 'c']) map.touch(name, 2, () => 0)
    expect([...map].map(([name]) => name)).toEqual(['a', 'c'])
    expect(map.values()).toEqual([0, 0])
  })

  test('books a late call at the moment of the last', () => {
    const { state, findings } = run([call(START + HOUR, 1), call(START, 1), call(START + HOUR + 1, 1)])
    expect(findings).toEqual([])
    expect(state.owners.get('team:search')?.hours.cost).toBe(usd(3))
  })
})

describe('a receipt', () => {
  const receipt: Receipt = {
    receipt_id: 'r1',
    call_id: 'c1',
    attempt: 1,
    origin: 'live',
    started_at_us: START,
    ended_at_us: START + 5,
    endpoint: 'chat',
    stream: false,
    provider: 'openai',
    outcome: 'ok',
    usage_source: 'provider',
    price_state: 'priced',
    model_asked: 'asked',
    model_served: 'served',
    key_id: 'key_1',
    cost_usd: usd(0) === 0n ? ('0.03' as NonNullable<Receipt['cost_usd']>) : ('0' as NonNullable<Receipt['cost_usd']>),
    lines: [
      {
        kind: 'message',
        model: 'served',
        meter: 'in.text.fresh',
        quantity: 10,
        cost_usd: '0.03' as NonNullable<Receipt['cost_usd']>,
      },
    ],
  }
  const beside = { owners: ['team:a'] }

  test('is observed with its exact cost, its meters and the moment it was known', () => {
    const seen = observationOf(watchedOf(receipt), beside)
    expect(seen).toMatchObject({
      id: 'r1',
      at_us: START + 5,
      cost: usd(0.03),
      model: 'served',
      key: 'key_1',
    })
    expect(seen?.cells).toEqual([{ key: 'served in.text.fresh', quantity: 10, cost: usd(0.03) }])
    expect(seen?.user).toBeUndefined()
  })

  test('has no cost while it is unpriced, and is no observation when it corrects or was refused', () => {
    const { cost_usd, ...free } = receipt
    expect(cost_usd).toBe('0.03')
    expect(observationOf(watchedOf({ ...free, price_state: 'unpriced' }), beside)?.cost).toBeNull()
    expect(observationOf(watchedOf({ ...receipt, corrects: 'r0' }), beside)).toBeUndefined()
    expect(observationOf(watchedOf({ ...receipt, outcome: 'refused' }), beside)).toBeUndefined()
    expect(observationOf(watchedOf({ ...receipt, outcome: 'cut' }), beside)?.failed).toBe(true)
  })
})
