import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { catalogs } from '../../src/catalogs/index.ts'
import { loadBook } from '../../src/catalogs/load.ts'
import { expandFiles } from '../../src/catalogs/price-file/expand.ts'
import { parsePriceFile } from '../../src/catalogs/price-file/schema.ts'
import { formatUsd } from '../../src/core/money.ts'
import type { PriceRow } from '../../src/core/price.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { compare, rateAt } from '../../src/playbook/price/compare.ts'
import { explain } from '../../src/playbook/price/explain.ts'
import { price } from '../../src/playbook/price/price.ts'
import { review } from '../../src/playbook/price/review.ts'
import { at, call } from './usage.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-prices-'))
afterAll(() => rmSync(folder, { recursive: true }))

const fileOf = (name: string, value: unknown): string => {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(value))
  return path
}

const loaded = await loadBook()
const book = compileBook(loaded)
const genai = await catalogs['genai-prices'].rows()
const genaiBook = compileBook(genai)

describe('genai-prices', () => {
  const ask = (provider: string, model: string, context_tokens: number, moment = '2026-11-23') =>
    rateAt(genaiBook, { provider, model, meter: 'in.text.fresh', at_us: at(moment), context_tokens })

  test('prices exact names under our providers, and no pattern', () => {
    expect(ask('openai', 'gpt-4o-2024-11-20', 1)).toBe('2.5')
    expect(ask('voyage', 'voyage-3.5', 1)).toBe('0.06')
    expect(ask('vertex-ai', 'gemini-2.5-flash', 1)).toBe('0.3')
    expect(ask('azure-openai', 'gpt-5.4', 1), "Azure falls back to OpenAI's list").toBe('2.5')
    expect(ask('google', 'gemini-2.5-pro-preview-99', 1), 'a prefix is a guess').toBeNull()
    expect(ask('anthropic', 'claude-sonnet-5-5', 1), 'starts_with claude-sonnet-5').toBeNull()
  })

  test('reads bands with the operator they mean, and dates', () => {
    expect([272_000, 272_001].map((n) => ask('openai', 'gpt-6-sol', n))).toEqual(['2', '4'])
    expect([271_999, 272_000].map((n) => ask('openai', 'gpt-5.5', n))).toEqual(['5', '10'])
    expect(genaiBook.rows('openai', 'gpt-5.5').find(({ context }) => context)?.context).toEqual({
      operator: '>=',
      tokens: 272_000,
    })
    expect(ask('openai', 'gpt-5.6-sol', 1, '2026-08-20')).toBe('5')
    expect(ask('openai', 'gpt-5.6-sol', 1, '2026-08-21')).toBe('4')
  })

  test('reads hours, searches by the thousand, audio by the hour, and leaves zeros out', () => {
    expect(ask('deepseek', 'deepseek-chat', 1, '2026-01-01T12:00Z')).toBe('0.27')
    expect(ask('deepseek', 'deepseek-chat', 1, '2026-01-01T17:00Z')).toBe('0.135')
    const [row] = genaiBook.rows('openai', 'gpt-5')
    expect(row?.rates['web_search.query']).toBe('10000')
    expect(genaiBook.rows('openai', 'whisper-1')[0]?.rates).toEqual({ 'audio_in.second': '100' })
    expect(genaiBook.rows('google', 'gemma-3')).toEqual([])
    expect(genaiBook.rows('openrouter', 'openai/gpt-oss-20b:free')[0]?.free).toBe(true)
  })
})

describe('the book', () => {
  test('survives the way to a worker thread, and its version follows every row', async () => {
    const clone = structuredClone(loaded)
    const there = compileBook({ ...clone, checked: true })
    const billable = call({
      provider: 'openai',
      model: 'gpt-6-sol',
      moment: '2026-11-23',
      tokens: { 'in.text.fresh': 12_345 },
    })
    expect(price(billable, there)).toEqual(price(billable, book))
    const contract: PriceRow = { ...(loaded.rows[0] as PriceRow), id: 'deal', rates: { 'in.text.fresh': '1' } }
    const with1 = await loadBook([contract])
    const with2 = await loadBook([{ ...contract, rates: { 'in.text.fresh': '1.5' } }])
    expect(new Set([loaded.version, with1.version, with2.version]).size).toBe(3)
    expect(with1.rows[0]).toMatchObject({ id: 'deal', layer: 'contract' })
  })

  test('has prices for every provider', () => {
    const providers = new Set(loaded.rows.filter(({ layer }) => layer === 'weir').map(({ provider }) => provider))
    expect([...providers].sort()).toEqual([
      'anthropic',
      'aws-bedrock',
      'azure-openai',
      'cohere',
      'databricks',
      'deepseek',
      'fireworks',
      'google',
      'groq',
      'mistral',
      'openai',
      'openrouter',
      'perplexity',
      'snowflake',
      'together',
      'vertex-ai',
      'voyage',
      'x-ai',
    ])
  })

  test('explains what is in force, to come, past, outside its hours and shadowed', () => {
    const states = (provider: string, model: string, moment: string) =>
      explain(book, provider, model, at(moment))
        .filter(({ row }) => !row.batch && !row.tier)
        .map(({ row, state }) => `${row.layer} ${state}`)
        .sort()
    expect(states('google', 'gemini-4-argon', '2026-11-23')).toEqual(['weir future', 'weir in force'])
    expect(states('google', 'gemini-4-argon', '2026-12-01')).toEqual(['weir in force', 'weir past'])
    expect(states('deepseek', 'deepseek-flash', '2026-11-22T02:00Z')).toEqual([
      'weir in force',
      'weir outside its hours',
    ])
    expect(states('voyage', 'voyage-4', '2026-11-23')).toEqual(['catalog shadowed', 'weir in force'])
    const [argon] = explain(book, 'google', 'gemini-4-argon', at('2026-11-23')).filter(
      ({ state }) => state === 'in force',
    )
    expect(argon?.changes_at_us).toBe(at('2026-12-01'))
  })

  test('is reviewed: rows to come, stale rows, gaps, holidays that run out', () => {
    const kinds = (moment: string, days: number) =>
      new Set(review(loaded.rows, at(moment), days).map(({ kind }) => kind))
    expect(kinds('2026-11-23', 90)).toEqual(new Set(['future', 'free', 'alias']))
    expect(kinds('2027-10-01', 90)).toEqual(new Set(['stale', 'free', 'alias', 'holidays']))
    const row = (id: string, from: string | undefined, to: string | undefined): PriceRow => ({
      id,
      layer: 'weir',
      provider: 'p',
      models: ['m'],
      rates: { request: '1' },
      source: 's',
      checked_at: '2026-11-01',
      ...(from ? { effective_from: from } : {}),
      ...(to ? { effective_to: to } : {}),
    })
    const findings = review(
      [row('a', undefined, '2026-01-01'), row('b', '2026-02-01', undefined)],
      at('2026-11-23'),
      90,
    )
    expect(findings).toEqual([
      { kind: 'gap', level: 'warning', row: 'a', says: 'no such price from 2026-01-01 until 2026-02-01 (b)' },
    ])
  })
})

describe('price files', () => {
  const head = 'provider: p\nchecked_at: 2026-11-23\nsource: s\nsources: { s: "the price page" }\n'
  const rows = (yaml: string) => expandFiles([{ name: 'p.yaml', file: parsePriceFile('p.yaml', head + yaml) }])

  test('end a row where the next of its conditions begins, and write variants out exactly', () => {
    const made = rows(
      'variants: { half: { when: { batch: true }, multiply: 0.5 }, up: { when: { region: [eu, us] }, multiply: 1.1 } }\nuse: [half, up]\n' +
        'models:\n  m:\n    aliases: [n]\n    prices:\n      - { in: 0.003625 }\n      - { from: 2026-05-01, in: 1/1k }\n',
    )
    expect(made.map((row) => [row.id, row.effective_to, row.rates['in.text.fresh']])).toEqual([
      ['p/m@ever', '2026-05-01', '0.003625'],
      ['p/m@2026-05-01', undefined, '1000'],
      ['p/m@ever#batch', '2026-05-01', '0.0018125'],
      ['p/m@ever#region=eu', '2026-05-01', '0.0039875'],
      ['p/m@ever#region=us', '2026-05-01', '0.0039875'],
      ['p/m@ever#batch,region=eu', '2026-05-01', '0.00199375'],
      ['p/m@ever#batch,region=us', '2026-05-01', '0.00199375'],
      ['p/m@2026-05-01#batch', undefined, '500'],
      ['p/m@2026-05-01#region=eu', undefined, '1100'],
      ['p/m@2026-05-01#region=us', undefined, '1100'],
      ['p/m@2026-05-01#batch,region=eu', undefined, '550'],
      ['p/m@2026-05-01#batch,region=us', undefined, '550'],
    ])
  })

  test.each([
    ['models: { m: { prices: [{ inn: 1 }] } }', 'p.yaml: models.m.prices.0.inn: unknown field'],
    ['models: { m: { prices: [{ in: abc }] } }', 'p.yaml: models.m.prices.0.in: "abc" is not an amount'],
    ['models: { m: { prices: [{ in: 1, from: soon }] } }', 'p.yaml: models.m.prices.0.from: must be a date'],
    ['models: { m: { price: [{ in: 1 }] } }', 'p.yaml: models.m: '],
    ['models: { m: { prices: [{ in: 1, source: x }] } }', "p.yaml: models.m: source x is not among the file's sources"],
    [
      'models: { m: { use: [y], prices: [{ in: 1 }] } }',
      "p.yaml: models.m: variant y is not among the file's variants",
    ],
    ['models: { m: { like: q/m } }', 'p.yaml: models.m: like: q/m names no model'],
    ['models: [', 'p.yaml: not YAML'],
  ])('%s is refused with file, row and field', (yaml, message) => {
    expect(() => rows(yaml)).toThrowError(
      expect.objectContaining({ code: 'bad-config', message: expect.stringContaining(message) }),
    )
  })
})

describe('downloaded catalogues', () => {
  const usd = (rows: readonly PriceRow[], ...args: Parameters<typeof call>) => {
    const { cost } = price(call(...args), compileBook({ rows, version: 'file' }))
    return cost === null ? null : formatUsd(cost)
  }
  const million = { 'in.text.fresh': 1_000_000 } as const

  test('litellm: dollars a token, tiers and bands as suffixes', async () => {
    const path = fileOf('litellm.json', {
      sample_spec: { input_cost_per_token: 1, litellm_provider: 'one of the providers' },
      'gpt-5.4': {
        litellm_provider: 'openai',
        mode: 'chat',
        input_cost_per_token: 2.5e-6,
        output_cost_per_token: 1.5e-5,
        input_cost_per_token_above_272k_tokens: 5e-6,
        input_cost_per_token_flex: 1.25e-6,
        input_cost_per_token_batches: 1.25e-6,
        cache_read_input_token_cost: 0,
      },
      'gemini/gemini-2.5-pro': { litellm_provider: 'gemini', input_cost_per_token: 1.25e-6 },
      'sagemaker/x': { litellm_provider: 'sagemaker', input_cost_per_token: 1 },
    })
    const { rows } = await catalogs.litellm.rows(path)
    const m = { provider: 'openai', model: 'gpt-5.4', moment: '2026-11-23', tokens: million }
    expect(usd(rows, m, { context_tokens: 1 })).toBe('2.5')
    expect(usd(rows, m)).toBe('5')
    expect(usd(rows, m, { context_tokens: 1, service_tier: 'flex' })).toBe('1.25')
    expect(usd(rows, { ...m, batch: true }, { context_tokens: 1 })).toBe('1.25')
    expect(usd(rows, { ...m, provider: 'google', model: 'gemini-2.5-pro' })).toBe('1.25')
    expect(usd(rows, { ...m, tokens: { 'in.text.cache_read': 5 } })).toBeNull()
    expect(rows.some(({ provider }) => provider === 'sagemaker')).toBe(false)
  })

  test('models-dev: dollars a million, bands and fast mode', async () => {
    const path = fileOf('api.json', {
      openai: {
        id: 'openai',
        models: {
          'gpt-5.4': {
            cost: {
              input: 2.5,
              output: 15,
              cache_read: 0.25,
              tiers: [{ input: 5, output: 22.5, tier: { size: 272_000 } }],
            },
            experimental: { modes: { fast: { cost: { input: 5, output: 30 } } } },
          },
        },
      },
      anthropic: {
        models: {
          'claude-sonnet-4-5': { cost: { input: 3, output: 15, context_over_200k: { input: 6, output: 22.5 } } },
        },
      },
    })
    const { rows } = await catalogs['models-dev'].rows(path)
    const m = { provider: 'openai', model: 'gpt-5.4', moment: '2026-11-23', tokens: million }
    expect(usd(rows, m, { context_tokens: 272_000 })).toBe('2.5')
    expect(usd(rows, m, { context_tokens: 272_001 })).toBe('5')
    expect(usd(rows, m, { context_tokens: 1, service_tier: 'priority' })).toBe('5')
    expect(usd(rows, { ...m, provider: 'anthropic', model: 'claude-sonnet-4-5' })).toBe('6')
  })

  test('portkey: cents a token; region, mode and context tier; zero is unknown', async () => {
    const payg = (cents: number) => ({
      pricing_config: {
        pay_as_you_go: {
          request_token: { price: cents },
          cache_write_input_token: { price: 0 },
          additional_units: { web_search: { price: 1 } },
        },
      },
    })
    const tiers = (cents: number) => ({ context_tiers: { 'lte-272k': payg(cents), 'gt-272k': payg(cents * 2) } })
    const path = fileOf('openai.json', {
      default: payg(0),
      'gpt-6-astra': {
        ...payg(0.001),
        custom_pricing: {
          context_tier_map: { '0': 'lte-272k', '272000': 'gt-272k' },
          regions: {
            default: { execution_modes: { standard: tiers(0.001), priority: tiers(0.002), fast: tiers(0.002) } },
            'us,eu': { execution_modes: { standard: tiers(0.0011) } },
          },
        },
      },
    })
    const { rows } = await catalogs.portkey.rows(path)
    const m = { provider: 'openai', model: 'gpt-6-astra', moment: '2026-11-23', tokens: million }
    expect(usd(rows, m, { context_tokens: 272_000 })).toBe('10')
    expect(usd(rows, m)).toBe('20')
    expect(usd(rows, { ...m, region: 'eu' })).toBe('22')
    expect(usd(rows, m, { service_tier: 'priority', context_tokens: 1 })).toBe('20')
    expect(usd(rows, { ...m, tokens: { 'in.text.cache_write': 1 } })).toBeNull()
    expect(usd(rows, { ...m, tokens: {} }, { units: { 'web_search.query': 1000 } })).toBe('10')
  })

  test('a missing, broken or foreign file is refused by name', async () => {
    await expect(catalogs.litellm.rows()).rejects.toThrow('give it with --file')
    await expect(catalogs.litellm.rows(join(folder, 'none.json'))).rejects.toThrow('cannot read')
    await expect(catalogs.portkey.rows(fileOf('someone.json', {}))).rejects.toThrow(
      "name the file after Portkey's provider",
    )
    await expect(catalogs['models-dev'].rows(fileOf('list.json', { openai: [] }))).rejects.toThrow('openai')
  })

  test('are compared with ours: stale prices and the edge of a band stand out', async () => {
    const path = fileOf('old.json', {
      'gpt-5.6-sol': {
        litellm_provider: 'openai',
        input_cost_per_token: 5e-6,
        output_cost_per_token: 3e-5,
        cache_read_input_token_cost: 4e-7,
        input_cost_per_token_above_272k_tokens: 1e-5,
      },
    })
    const theirs = compileBook({ ...(await catalogs.litellm.rows(path)), checked: true })
    const ours = compileBook(await catalogs.weir.rows())
    const { differences, shared } = compare(ours, theirs, at('2026-11-23'))
    expect(shared).toBe(1)
    expect(differences.map(({ what, a, b }) => `${what}: ${a} / ${b}`)).toEqual([
      'in.text.fresh: 4 / 5',
      'out.text.visible: 20 / 30',
      'in.text.fresh, long context: 8 / 10',
      'out.text.visible, long context: 30 / null',
      'in.text.cache_read, long context: 0.8 / null',
    ])
    const edges = compare(ours, genaiBook, at('2026-11-23'), 'openai').differences.filter(
      ({ what }) => what === 'long context from',
    )
    expect(edges).toContainEqual({
      provider: 'openai',
      model: 'gpt-5.5',
      what: 'long context from',
      a: '272001',
      b: '272000',
    })
    expect(edges.some(({ model }) => model === 'gpt-6-sol')).toBe(false)
  })
})
