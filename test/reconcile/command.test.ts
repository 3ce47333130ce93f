import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { ledgerFolder, receipts } from '../cli/fixture.ts'
import { weir, weirProcess } from '../cli/run.ts'
import { startProxy } from '../gateway/proxy.ts'
import { adminKey, type BillingServer, faults, startBilling } from './billing-server.ts'

let data: string
let clear: () => void
let folder: string
let server: BillingServer
beforeAll(async () => {
  ;({ data, clear } = await ledgerFolder())
  folder = mkdtempSync(join(tmpdir(), 'weir-reconcile-'))
  server = await startBilling()
})
afterAll(async () => {
  clear()
  rmSync(folder, { recursive: true })
  await server.close()
})
afterEach(() => {
  process.exitCode = undefined
})

const run = (words: readonly string[], env: Record<string, string> = {}) =>
  weir(['reconcile', ...words, '--data', data], { cwd: folder, env: { COLUMNS: '120', ...env } })

const day = (at: number) => Date.parse(`2026-11-${String(at).padStart(2, '0')}T00:00:00Z`) / 1000

const usage = (
  at: number,
  input: number,
  cached: number,
  output: number,
  over: Readonly<Record<string, unknown>> = {},
) => ({
  start_time: day(at),
  results: [
    {
      object: 'organization.usage.completions.result',
      input_tokens: input + cached,
      input_cached_tokens: cached,
      output_tokens: output,
      num_model_requests: 1,
      project_id: 'proj_search',
      model: 'gpt-5.5-2026-04-23',
      ...over,
    },
  ],
})

const item = (line_item: string, value: number, project_id = 'proj_search') => ({
  amount: { value, currency: 'usd' },
  line_item,
  project_id,
})

/** What OpenAI would charge for a usage, as floats make it. */
const costs = (at: number, input: number, cached: number, output: number, model = 'gpt-5.5-2026-04-23', part = 1) => ({
  start_time: day(at),
  results: [
    item(`${model}, input`, (part * input * 2.5) / 1e6),
    item(`${model}, cached input`, (part * cached * 0.25) / 1e6),
    item(`${model}, output`, (part * output * 15) / 1e6),
  ],
})

type Counts = readonly [day: number, input: number, cached: number, output: number]

/** The calls of the week in the ledger as OpenAI saw them, but for 100,000 tokens on the 11th. */
const week: readonly Counts[] = [
  [9, 30_000, 0, 1_500],
  [10, 60_000, 20_000, 2_400],
  [11, 190_000, 40_000, 3_300],
  [12, 124_000, 70_000, 5_601],
  [13, 150_000, 80_000, 5_100],
  [15, 10, 0, 1],
]
const requests: Readonly<Record<number, number>> = { 11: 2, 12: 2 }

const report = {
  data: [
    ...week.map(([at, ...counts]) => usage(at, ...counts, { num_model_requests: requests[at] ?? 1 })),
    ...week.map((counts) => costs(...counts)),
    usage(13, 900, 0, 100, { model: 'new-model' }),
    costs(13, 900, 0, 100, 'new-model'),
    usage(14, 5_000, 0, 200, { model: 'gpt-5.5-mini', project_id: 'proj_labs' }),
    costs(14, 5_000, 0, 200, 'gpt-5.5-mini', 0.2),
    { start_time: day(11), results: [item('web search tool calls', 0.05)] },
  ],
}

const reportFile = () => {
  const path = join(folder, 'openai.json')
  writeFileSync(path, JSON.stringify(report, null, 2))
  return path
}

describe('a downloaded report', () => {
  test('is shown with totals, coverage, and the reason of every difference', async () => {
    const { out, err, code } = await run(['openai', '--file', reportFile()])
    expect({ err, code }).toEqual({ err: '', code: 0 })
    expect(out).toMatchSnapshot()
  })

  test('of which nothing is in the ledger is not said to be reconciled', async () => {
    const path = join(folder, 'unseen.json')
    writeFileSync(
      path,
      JSON.stringify({ data: [{ ...usage(9, 5000, 0, 100), start_time: Date.parse('2026-09-03') / 1000 }] }),
    )
    const asked = ['openai', '--file', path, '--since', '2026-09-03', '--until', '2026-09-04']
    const { out } = await run(asked)
    expect(out).toContain('! nothing of this bill is in the ledger')
    expect(out).not.toContain('✓ reconciled')
    expect(JSON.parse((await run([...asked, '--json'])).out)).toMatchObject({ reconciled: false })
    expect((await run([...asked, '--max-residual', '1%'])).code).toBe(1)
  })

  test('of which a day has as much too many as another lacks shows where it is open, and how much', async () => {
    const path = join(folder, 'even.json')
    const even: readonly Counts[] = [
      [9, 30_100, 0, 1_500],
      [10, 59_900, 20_000, 2_400],
    ]
    writeFileSync(
      path,
      JSON.stringify({ data: [...even.map((counts) => usage(...counts)), ...even.map((counts) => costs(...counts))] }),
    )
    const { out } = await run(['openai', '--file', path])
    expect(out).toMatch(/open +200 tokens .*\$0\.0005/)
    expect(out).toMatch(/gpt-5\.5 +input \+ writes .* open\n/)
    expect(out).toMatch(/open +±200 +±\$0\.0005 +100 %/)
  })

  test('is not compared with itself, where it came into the ledger as a FOCUS file', async () => {
    const billed = receipts.filter(({ provider }) => provider === 'openai')
    const imported = billed.map((receipt) => ({ ...receipt, receipt_id: `f-${receipt.receipt_id}`, origin: 'focus' }))
    const house = await ledgerFolder([...receipts, ...imported])
    const words = ['openai', '--file', reportFile(), '--json'] as const
    const { out } = await weir(['reconcile', ...words, '--data', house.data], { cwd: folder, env: {} })
    expect(out).toBe((await run(words)).out)
    house.clear()
  })

  test('says why tokens differ where their dollars do not', async () => {
    const path = join(folder, 'tokens.json')
    writeFileSync(path, JSON.stringify({ data: [usage(9, 30_100, 0, 1_500), costs(9, 30_000, 0, 1_500)] }))
    const { out } = await run(['openai', '--file', path])
    expect(out).toMatch(/gpt-5\.5 +input \+ writes .* = +open\n/)
  })

  test('is shown line by line, and by day in a narrow terminal', async () => {
    const lines = await run(['openai', '--file', reportFile(), '--view', 'line'])
    expect(lines.out).toMatchSnapshot()
    const narrow = await run(['openai', '--file', reportFile(), '--view', 'day'], { COLUMNS: '80' })
    expect(narrow.out.split('\n').filter((text) => text.length > 80)).toEqual([])
  })

  test('is compared by owner, under the owners’ own names', async () => {
    const words = ['--by', 'team', '--owner', 'search=proj_search', '--view', 'owner']
    const { out } = await run(['openai', '--file', reportFile(), ...words])
    expect(out).toMatch(/search .*\n/)
    expect(out).toMatch(/proj_labs .*bypass/)
  })

  test('as JSON and CSV keeps every digit, and its parts sum to the difference', async () => {
    const { out } = await run(['openai', '--file', reportFile(), '--json'])
    const answer = JSON.parse(out)
    expect(answer).toMatchObject({ source: 'openai', from: '2026-11-09', to: '2026-11-16', bad: 0 })
    const { tokens } = answer.total
    const named = Object.values(tokens.parts as Record<string, number>).reduce((sum, part) => sum + part, 0)
    expect(named + tokens.residual).toBe(tokens.provider - tokens.ledger)
    expect(answer.aligned).toContainEqual({ name: 'gpt-5.5-2026-04-23', model: 'gpt-5.5', by: expect.any(String) })
    const csv = await run(['openai', '--file', reportFile(), '--csv'])
    const rows = csv.out.trim().split('\r\n')
    expect(rows).toHaveLength(answer.lines.length + 1)
    expect(rows[0]).toMatch(
      /^day,owner,model,kinds,provider_tokens,ledger_tokens,bypass_tokens,.*residual_tokens,provider_usd,/,
    )
  })

  test('ends with 1 where more than --max-residual is open, and with 0 where it is not', async () => {
    const file = reportFile()
    expect((await run(['openai', '--file', file, '--max-residual', '0'])).code).toBe(0)
    const wrong = join(folder, 'wrong.json')
    writeFileSync(wrong, JSON.stringify({ data: [usage(9, 29_000, 0, 1_500)] }))
    expect((await run(['openai', '--file', wrong, '--max-residual', '1%'])).code).toBe(1)
    process.exitCode = undefined
    expect((await run(['openai', '--file', wrong, '--max-residual', '4%'])).code).toBe(0)
    const sound = join(folder, 'sound.json')
    writeFileSync(sound, JSON.stringify({ data: [usage(9, 30_000, 0, 1_500)] }))
    expect((await run(['openai', '--file', sound, '--max-residual', '0'])).code).toBe(0)
  })

  test('with bad rows names them on standard error, and is never within --max-residual', async () => {
    const path = join(folder, 'bad.json')
    writeFileSync(path, JSON.stringify({ data: [usage(9, 30_000, 0, 1_500), usage(9, -5, 0, 1)] }))
    const { out, err, code } = await run(['openai', '--file', path, '--max-residual', '100%'])
    expect(out).toContain('! a part of the bill could not be read, so not all of it was compared')
    expect(err).toContain('1 row of the bill could not be read and was left out')
    expect(err).toContain('line 1: data[1].results[0]: input_tokens is "-5", expected a whole count')
    expect(code).toBe(1)
  })

  test('of days on which nothing was used is compared with what Weir has of them', async () => {
    const path = join(folder, 'quiet.json')
    const week = [9, 10, 11].map((at) => ({ start_time: day(at), results: [] }))
    writeFileSync(path, JSON.stringify({ data: week }))
    const { out, code } = await run(['openai', '--file', path, '--max-residual', '1%'])
    expect(out).toContain('Reconciliation openai 2026-11-09 – 2026-11-11 UTC')
    expect(out).toContain('✗ not reconciled')
    expect(code).toBe(1)
  })

  test('that has parts twice says that they were counted once', async () => {
    const [once, again] = ['once.json', 'again.json'].map((name) => join(folder, name))
    for (const path of [once, again])
      writeFileSync(String(path), JSON.stringify({ data: [usage(9, 30_000, 0, 1_500)], has_more: false }))
    const { err, code } = await run(['openai', '--file', String(once), '--file', String(again), '--max-residual', '0'])
    expect({ err, code }).toEqual({ err: '1 part of the bill came in two pages and was counted once.\n', code: 0 })
  })

  test('of which no row can be read is no empty bill', async () => {
    const path = join(folder, 'worse.json')
    writeFileSync(path, JSON.stringify({ data: [usage(9, -5, 0, 1)] }))
    const { out, err, code } = await run(['openai', '--file', path])
    expect(err).toContain('input_tokens is "-5", expected a whole count')
    expect(err).toContain('no row of the bill could be read as openai')
    expect({ out, code }).toEqual({ out: '', code: 2 })
  })

  test.each([
    [['opanai'], /did you mean openai\?/],
    [['openai', '--file', 'absent.json'], /absent\.json does not exist/],
    [['openai', '--max-residual', 'much'], /write a percentage/],
    [['openai', '--owner', 'a=b'], /--owner needs --by/],
    [['openai', '--view', 'wide'], /use one of model, day, owner, line/],
    [['aws-cur'], /give the downloaded file as --file/],
    [['openai'], /no admin key of openai: set OPENAI_ADMIN_KEY/],
  ])('%j is refused with what to do', async (words, message) => {
    const { err, code } = await run(words)
    expect(err).toMatch(message)
    expect(code).toBe(2)
  })
})

describe('the live API', () => {
  const configured = () => {
    const path = join(folder, 'weir.yaml')
    writeFileSync(path, `providers:\n  openai:\n    options:\n      billing_url: ${server.url}/v1\n`)
    return ['--config', path]
  }

  test('is asked at the address of the configuration with the key of the environment', async () => {
    server.faults.push(faults.busy('0'))
    const words = ['openai', '--since', '2026-11-01', '--until', '2026-11-04', ...configured(), '--json']
    const { out, err, code } = await run(words, { OPENAI_ADMIN_KEY: adminKey })
    expect({ err, code }).toEqual({ err: '', code: 0 })
    const answer = JSON.parse(out)
    expect(answer.total.tokens).toMatchObject({ provider: 3_150_000, ledger: 42_000 })
    expect(answer.total.cost.provider_usd).toBe('5.325')
    expect(answer.coverage_tokens).toBeCloseTo(42_000 / 3_150_000)
    expect(answer.total.tokens.parts).toMatchObject({ bypass: expect.any(Number) })
  })

  test('is reached by the proxy that the environment names', async () => {
    const proxy = await startProxy()
    proxy.far.port = Number(new URL(server.url).port)
    const path = join(folder, 'proxied.yaml')
    writeFileSync(path, 'providers:\n  openai:\n    options:\n      billing_url: http://bills.example:8080/v1\n')
    const words = ['reconcile', 'openai', '--since', '2026-11-01', '--until', '2026-11-04', '--config', path, '--json']
    const env = { OPENAI_ADMIN_KEY: adminKey, HTTP_PROXY: `http://127.0.0.1:${proxy.port}` }
    const { out, err } = await weirProcess([...words, '--data', data], '', { cwd: folder, env })
    proxy.close()
    expect(err).toBe('')
    expect(JSON.parse(out).total.cost.provider_usd).toBe('5.325')
    expect(proxy.tunnels[0]?.target).toBe('bills.example:8080')
  })

  test('takes a key that is kept sealed', async () => {
    const kept = await weirProcess(['keys', 'provider', 'set', 'openai-admin', '--data', data], adminKey)
    expect(kept.code).toBe(0)
    const words = ['openai', '--since', '2026-11-01', '--until', '2026-11-04', ...configured(), '--json']
    expect(JSON.parse((await run(words)).out).total.cost.provider_usd).toBe('5.325')
  })

  test('says whose fault it is, and never the key', async () => {
    const { out, err, code } = await run(['openai', ...configured()], { OPENAI_ADMIN_KEY: 'sk-admin-canary' })
    expect(err).toContain('answered 401')
    expect(out + err).not.toContain('canary')
    expect(code).toBe(1)
  })
})
