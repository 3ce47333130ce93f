/** One ledger made by chance, and every view of it: what a view adds up to is the sum of the receipts, to the picodollar. */
import { parse } from 'csv-parse/sync'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { chance } from '../../src/core/chance.ts'
import { dimensions } from '../../src/core/dimension.ts'
import { formatUsd, type Picodollars, parseUsd, picodollars, sum } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { receipt } from '../allocate-cli/more.ts'
import { type House, openHouse, receipts as twoTeams } from '../console/house.ts'

const day = 86_400_000
const begins = Date.parse('2026-10-01T00:00:00Z')
/** Until the moment at which the house stands. */
const days = 50

const everyDimension = [...dimensions, 'tag:desk']

/** Receipts as they come: owners known or not, costs with odd picodollars, failures, retries, no price, money without a meter. */
const receiptsOf = (random: () => number, count: number): readonly Receipt[] => {
  const some = <T>(...choices: readonly T[]): T => choices[Math.floor(random() * choices.length)] as T
  const maybe = <T>(field: string, ...choices: readonly T[]) => (random() < 0.3 ? {} : { [field]: some(...choices) })
  const made = Array.from({ length: count }, (_, n): Receipt => {
    const at = new Date(begins + Math.floor(random() * days * day)).toISOString()
    const kind = random()
    const [quantity, output] = [1 + Math.floor(random() * 9000), Math.floor(random() * 900)]
    const input = picodollars(BigInt(quantity) * 2_500_000n)
    const out = picodollars(BigInt(output) * 15_000_000n)
    // What no meter explains: a fee, or what the provider states.
    const whole = kind < 0.2 ? picodollars(BigInt(Math.floor(random() * 1e12))) : picodollars(0n)
    const unpriced = kind > 0.9
    const model = some('gpt-5.5', 'gpt-5.5-mini', 'o9')
    const lines = [
      { kind: 'message', model, meter: 'in.text.fresh', quantity, rate_usd: '2.5', cost_usd: formatUsd(input) },
      { kind: 'message', model, meter: 'out.text.visible', quantity: output, rate_usd: '15', cost_usd: formatUsd(out) },
    ] as const
    return receipt(`c${n}`, at, {
      attempt: some(1, 1, 1, 2),
      ...maybe('team', 'red', 'blue', 'labs', 'plätform'),
      ...maybe('feature', 'chat', 'search, "x"'),
      ...maybe('customer', 'acme', 'globex', 'initech'),
      ...maybe('user', 'u1', 'u2', 'u3', 'u4'),
      ...maybe('environment', 'production', 'test'),
      ...maybe('key_id', 'k1', 'k2'),
      ...maybe('session', 's1', 's2', 's3', 's4', 's5'),
      ...maybe('agent', 'coder'),
      ...maybe('tags', { desk: 'north' }, { desk: 'south', x: 'y' }),
      ...maybe('service_tier', 'standard', 'batch', 'flex'),
      ...maybe('wire', 'openai-chat'),
      endpoint: some('chat', 'responses'),
      provider: unpriced ? 'own' : some('openai', 'openai', 'groq'),
      model_asked: model,
      model_served: model,
      outcome: some('ok', 'ok', 'ok', 'error', 'cut', 'client-gone', 'unknown'),
      input_tokens: quantity,
      output_tokens: output,
      ...(unpriced
        ? { price_state: 'unpriced', lines: lines.map(({ rate_usd: _, cost_usd: __, ...line }) => line) }
        : {
            cost_usd: formatUsd(sum([input, out, whole])),
            input_cost_usd: formatUsd(input),
            output_cost_usd: formatUsd(out),
            ...(whole === 0n ? {} : { fee_cost_usd: formatUsd(whole) }),
            lines,
          }),
    } as Partial<Receipt>)
  })
  const corrections = made.slice(0, 6).map((one, n): Receipt => {
    const more = picodollars(BigInt(Math.floor((random() - 0.5) * 1e10)))
    const { lines: _, input_cost_usd: __, output_cost_usd: ___, fee_cost_usd: ____, ...rest } = one
    const at = Date.parse('2026-11-19T10:00:00Z') * 1000 + n
    const times = { started_at_us: at, ended_at_us: at }
    return { ...rest, ...times, receipt_id: `fix${n}`, corrects: one.receipt_id, cost_usd: formatUsd(more) }
  })
  return [...made, ...corrections]
}

/** The allocation rules that hold while every view is asked. */
const tags = [
  { when: { customer: 'acme' }, set: { team: 'blue', feature: { from: 'user' } } },
  { when: { team: null, 'tag:desk': ['north', 'so*'] }, set: { team: 'desks' } },
  { when: { feature: { not: 'chat' } }, set: { customer: 'others' } },
]
const splits = [
  { from: 'labs', by: 'percent', percent: { red: '33.33', blue: '66.67' } },
  { from: 'unallocated', by: 'usage', metric: 'tokens' },
  { from: 'plätform', by: 'even' },
]

type Row = Readonly<Record<string, never>>

describe.each([3, 20_261_128])('of the ledger from seed %i', (seed) => {
  let house: House
  let all: readonly Receipt[]
  beforeAll(async () => {
    const made = receiptsOf(chance(seed), 160)
    house = await openHouse(made, {
      providers: [{ name: 'openai', adapter: 'openai', options: {}, credentials: {} }],
    })
    all = [...twoTeams, ...made]
  }, 60_000)
  afterAll(() => house.close())

  const ask = async (path: string, init: Readonly<{ method?: string; json?: unknown; body?: string }> = {}) => {
    const answer = await house.ask(path, { token: house.tokens.admin, ...init })
    expect([path, answer.status, answer.status === 200 ? '' : answer.text]).toEqual([path, 200, ''])
    return answer
  }
  const get = async (path: string) => (await ask(path)).json()
  const costOf = (wanted: (one: Receipt) => boolean = () => true): string =>
    formatUsd(sum(all.filter(wanted).map(({ cost_usd }) => parseUsd(cost_usd ?? '0'))))
  const total = (rows: readonly Row[], field: string): string =>
    formatUsd(sum(rows.map((row) => parseUsd(String((row as Record<string, unknown>)[field])) as Picodollars)))
  const inMonth = (month: string) => (one: Receipt) =>
    new Date(one.started_at_us / 1000).toISOString().startsWith(month)

  const spendAgrees = async () => {
    const agreed: unknown[] = []
    for (const by of [...everyDimension, 'team,feature,customer,user,tag:desk'])
      for (const zone of ['day', 'hour', 'month'].includes(by) ? ['UTC', 'America/New_York'] : ['UTC']) {
        const { sections, total: whole } = await get(`/v1/spend?since=all&by=${by}&limit=10000&zone=${zone}`)
        agreed.push([by, zone, whole.cost_usd, total(sections[0].rows, 'cost_usd')])
      }
    for (const [by, zone, whole, rows] of agreed as readonly (readonly string[])[])
      expect([by, zone, whole, rows]).toEqual([by, zone, costOf(), costOf()])
  }

  const ownersAgree = async () => {
    const { cost_usd, unallocated, teams, customers, users } = await get('/v1/owners?since=all&limit=1000')
    expect([cost_usd, total(teams, 'cost_usd'), total(customers, 'cost_usd'), total(users, 'cost_usd')]).toEqual(
      Array(4).fill(costOf()),
    )
    const inside = teams.flatMap(({ features }: { features: readonly Row[] }) => features)
    expect(total(inside, 'cost_usd')).toBe(costOf())
    expect(
      total(
        inside.flatMap(({ keys }: { keys: readonly Row[] }) => keys),
        'cost_usd',
      ),
    ).toBe(costOf())
    const { steps } = await get('/v1/checklist?since=all')
    const percent = Math.round((1000 * Number(unallocated.cost_usd)) / Number(cost_usd)) / 10
    expect(JSON.stringify(steps)).toContain(`${percent} % of spend has no team`)
  }

  const statementsAgree = async () => {
    for (const month of ['2026-10', '2026-11'])
      for (const by of ['team', 'customer', 'tag:desk']) {
        const report = await get(`/v1/statements?every=month&at=${month}&by=${by}`)
        const said = [report.total_usd, total(report.statements, 'total_usd'), total(report.statements, 'direct_usd')]
        expect([month, by, ...said]).toEqual([month, by, ...Array(3).fill(costOf(inMonth(month)))])
        const shared = report.statements.flatMap((one: { shared: readonly Row[] }) => one.shared)
        expect(total(shared, 'cost_usd')).toBe('0')
        for (const one of report.statements) {
          const { volume_usd, mix_usd, price_usd, shared_usd } = one.why
          expect(String(formatUsd(sum([volume_usd, mix_usd, price_usd, shared_usd].map(parseUsd))))).toBe(
            one.change_usd,
          )
        }
      }
    const csv = await ask('/v1/statements?every=month&at=2026-10&format=csv')
    const rows: readonly Row[] = parse(csv.text, { columns: true, bom: true })
    expect(total(rows, 'total_usd')).toBe(costOf(inMonth('2026-10')))
  }

  const unitCostsAgree = async () => {
    for (const by of ['team', 'customer']) {
      const { total: whole, rows } = await get(`/v1/unit-cost?per=ticket&by=${by}&since=2026-09-01`)
      expect([by, whole.cost_usd, total(rows, 'cost_usd'), total(rows, 'direct_usd')]).toEqual([
        by,
        ...Array(3).fill(costOf()),
      ])
    }
  }

  const filesAgree = async () => {
    for (const words of ['version=1.2', 'version=1.3&grain=hour', 'version=1.4', 'version=1.4&unsplit=true']) {
      const { text } = await ask(`/v1/focus/export?since=2026-09-01&${words}`)
      const rows: readonly Row[] = parse(text, { columns: true })
      expect([words, total(rows, 'BilledCost'), total(rows, 'EffectiveCost')]).toEqual([words, costOf(), costOf()])
    }
  }

  const listsAgree = async () => {
    const { receipts } = await get('/v1/calls?since=all&limit=1000')
    const costs = receipts.map(({ cost_usd }: Receipt) => ({ cost_usd: cost_usd ?? '0' }))
    const { cost_usd } = await get('/v1/status')
    const { total_usd } = await get('/v1/leaks?since=all')
    expect([total(costs, 'cost_usd'), cost_usd, total_usd]).toEqual(Array(3).fill(costOf()))
    const json = { rules: [{ when: { user: 'u1' }, set: { team: 'u' } }], since: 'all' }
    const preview = (await ask('/v1/tags/preview', { method: 'POST', json })).json()
    expect([preview.total_usd, total(preview.owners, 'now_usd'), total(preview.owners, 'then_usd')]).toEqual(
      Array(3).fill(costOf()),
    )
  }

  const everyView = async () => {
    await spendAgrees()
    await ownersAgree()
    await statementsAgree()
    await unitCostsAgree()
    await filesAgree()
    await listsAgree()
  }

  test('every view without rules', async () => {
    for (const [n, session] of ['s1', 's2', 's9'].entries())
      await ask('/v1/outcomes', { method: 'POST', json: { kind: 'ticket', id: `o${n}`, session, at: '2026-11-12' } })
    await everyView()
  }, 300_000)

  test('every view with virtual tags, which move spend and make none', async () => {
    await ask('/v1/tags', { method: 'PUT', json: { rules: tags } })
    await everyView()
  }, 300_000)

  test('every view with shared costs handed on', async () => {
    await ask('/v1/splits', { method: 'PUT', json: { splits } })
    await everyView()
  }, 300_000)

  test('a budget’s counter, a bill’s ledger side, and a closed month', async () => {
    const json = { scope: { provider: 'openai' }, limit: { usd: '1000' }, per: 'lifetime' }
    await ask('/v1/budgets/sums', { method: 'PUT', json })
    const budget = await get('/v1/budgets/sums')
    expect(budget.counters).toMatchObject([{ spent: costOf(({ provider }) => provider === 'openai') }])
    const bill = JSON.stringify({
      data: [{ start_time: begins / 1000, results: [{ input_tokens: 5, output_tokens: 1, model: 'gpt-5.5' }] }],
    })
    const costs = JSON.stringify({
      data: [{ start_time: begins / 1000, results: [{ amount: { value: 1, currency: 'usd' }, line_item: 'gpt-5.5' }] }],
    })
    for (const body of [bill, costs]) {
      const words = 'since=2026-10-01&until=2026-11-20'
      const { total: whole } = (await ask(`/v1/reconcile/openai?${words}`, { method: 'POST', body })).json()
      const { cost } = whole
      if (body === bill) expect(cost).toBeUndefined()
      else expect(cost.ledger_usd).toBe(costOf(({ provider }) => provider === 'openai'))
    }
    const closed = (await ask('/v1/closes', { method: 'POST', json: { month: '2026-10' } })).json()
    expect(closed.total_usd).toBe(costOf(inMonth('2026-10')))
  }, 300_000)
})
