import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { DuckDBInstance } from '@duckdb/node-api'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { bills } from '../../src/bills/index.ts'
import type { Bill, BillLine } from '../../src/core/bill.ts'
import { formatUsd } from '../../src/core/money.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'weir-bills-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const written = (name: string, content: string | Buffer): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}

const read = async (name: keyof typeof bills, ...paths: readonly string[]) => {
  const lines: BillLine[] = []
  const bad: string[] = []
  const days: string[] = []
  let again = 0
  const bill: Bill = bills[name]
  for await (const row of bill.read(paths)) {
    if ('bad' in row) bad.push(`${row.line}: ${row.bad}`)
    else {
      lines.push(...row.lines)
      again += row.again ?? 0
      if (row.day !== undefined) days.push(row.day)
    }
  }
  return { lines, bad, days, again }
}

const shown = ({ day, project, model, charge, kinds, quantity, cost, tier }: BillLine) =>
  [
    day,
    project ?? '-',
    model ?? '-',
    charge,
    kinds.join('+') || '-',
    quantity ?? '-',
    cost === null ? '-' : formatUsd(cost),
    tier ?? '-',
  ].join(' | ')

const csv = (...rows: readonly string[]) => `${rows.join('\n')}\n`

const curHead =
  'line_item_product_code,line_item_usage_type,line_item_line_item_type,line_item_usage_start_date,line_item_usage_account_id,line_item_usage_amount,pricing_unit,line_item_unblended_cost,line_item_currency_code,line_item_line_item_description,product_product_name'
const cur = (
  type: string,
  over: Partial<Record<'product' | 'item' | 'start' | 'amount' | 'unit' | 'cost' | 'currency' | 'name', string>> = {},
) =>
  [
    over.product ?? 'AmazonBedrock',
    type,
    over.item ?? 'Usage',
    over.start ?? '2026-11-01T05:00:00Z',
    '111122223333',
    over.amount ?? '1.5',
    over.unit ?? '1K tokens',
    over.cost ?? '0.0045000000',
    over.currency ?? 'USD',
    'a description',
    over.name ?? 'Amazon Bedrock',
  ].join(',')

describe('AWS Cost and Usage Report', () => {
  test('a product that a CSV has as the text of JSON is read, and taxes need no usage type', async () => {
    const path = written(
      'cur-2.csv',
      csv(
        curHead.replace('product_product_name', 'product'),
        cur('USE1-MP:USE1_InputTokenCount-Units', {
          product: '8vw7qkp2',
          unit: 'Units',
          name: '"{""product_name"":""Claude Sonnet 4.5 (Amazon Bedrock Edition)""}"',
        }),
        cur('', { item: 'Tax', name: '"{""product_name"":""Amazon Bedrock""}"' }),
        cur('Requests', { product: 'AmazonS3', name: '{not json' }),
      ),
    )
    const { lines, bad } = await read('aws-cur', path)
    expect(bad).toEqual([])
    expect(lines.map(shown)).toEqual([
      '2026-11-01 | 111122223333 | Claude Sonnet 4.5 | usage | input | - | 0.0045 | -',
      '2026-11-01 | 111122223333 | - | tax | - | - | 0.0045 | -',
    ])
  })

  test('usage types say model, kind, tier and route; thousands become tokens; other services are passed over', async () => {
    const path = written(
      'cur.csv',
      csv(
        curHead,
        cur('USE1-Claude4.6Sonnet-input-tokens'),
        cur('USE1-Claude4.6Sonnet-cache-read-input-token-count', { amount: '0.3335' }),
        cur('USE1-Claude4.6Sonnet-cache-write-input-token-count'),
        cur('USE1-Claude4.6Sonnet-output-tokens-cross-region-global'),
        cur('USE1-gpt-oss-120b-output-tokens-priority'),
        cur('USE1-openai.gpt-oss-120b-mantle-input-tokens-standard', { start: '2026-11-02 00:00:00.000' }),
        cur('USE1_InputTokenCount-Units', {
          product: 'abc123',
          unit: 'Units',
          name: 'Claude 3.5 Sonnet (Amazon Bedrock Edition)',
        }),
        cur('USE1-Guardrail-TextUnits', { unit: 'Units' }),
        cur('USE1-Claude4.6Sonnet-input-tokens', { item: 'EdpDiscount', cost: '-0.001' }),
        cur('USE1-Claude4.6Sonnet-input-tokens', { item: 'Tax', cost: '0.0009' }),
        cur('BoxUsage:t3.micro', { product: 'AmazonEC2', name: 'Amazon EC2' }),
      ),
    )
    const { lines, bad } = await read('aws-cur', path)
    expect(bad).toEqual([])
    const account = '111122223333'
    expect(lines.map(shown)).toEqual([
      `2026-11-01 | ${account} | Claude4.6Sonnet | usage | input | 1500 | 0.0045 | -`,
      `2026-11-01 | ${account} | Claude4.6Sonnet | usage | cache_read | 334 | 0.0045 | -`,
      `2026-11-01 | ${account} | Claude4.6Sonnet | usage | cache_write+cache_write_1h | 1500 | 0.0045 | -`,
      `2026-11-01 | ${account} | Claude4.6Sonnet global | usage | output | 1500 | 0.0045 | -`,
      `2026-11-01 | ${account} | gpt-oss-120b | usage | output | 1500 | 0.0045 | priority`,
      `2026-11-02 | ${account} | openai.gpt-oss-120b | usage | input | 1500 | 0.0045 | -`,
      // Nobody says how many tokens a unit of the marketplace is, so only its money is known.
      `2026-11-01 | ${account} | Claude 3.5 Sonnet | usage | input | - | 0.0045 | -`,
      `2026-11-01 | ${account} | - | fee | - | - | 0.0045 | -`,
      `2026-11-01 | ${account} | - | discount | - | - | -0.001 | -`,
      `2026-11-01 | ${account} | - | tax | - | - | 0.0009 | -`,
    ])
    expect(lines.map(({ rounded }) => rounded).slice(0, 2)).toEqual([false, true])
  })

  test.each([
    ['2026-11-01', '2026-11-01'],
    ['2026-11-01 23:30:00+00', '2026-11-01'],
    ['2026-11-01 23:30:00.5-01', '2026-11-02'],
    ['2026-11-01T23:30:00-0130', '2026-11-02'],
    ['2026-11-01T00:30:00+01:00', '2026-10-31'],
    ['2026-11-01 23:59:59 UTC', '2026-11-01'],
    ['2026-11-01T23:59:59.999', '2026-11-01'],
  ])('the moment %s is on the UTC day %s', async (start, day) => {
    const { lines } = await read(
      'aws-cur',
      written('moment.csv', csv(curHead, cur('USE1-Nova2.0Lite-input-tokens', { start }))),
    )
    expect(lines.map((one) => one.day)).toEqual([day])
  })

  test('a report of before 2.0 gives the same lines', async () => {
    const legacy = curHead
      .replace(
        /line_item_(\w+)/g,
        (_, name: string) => `lineItem/${name.replace(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase())}`,
      )
      .replace('pricing_unit', 'pricing/unit')
      .replace('product_product_name', 'product/ProductName')
    const rows = [cur('USE1-Claude4.6Sonnet-input-tokens'), cur('Tax', { item: 'Tax' })]
    const { lines, bad } = await read(
      'aws-cur',
      written('legacy.csv', csv(`identity/LineItemId,${legacy}`, ...rows.map((row) => `1,${row}`))),
    )
    expect(bad).toEqual([])
    expect(lines).toEqual((await read('aws-cur', written('today.csv', csv(curHead, ...rows)))).lines)
    expect(lines).toHaveLength(2)
  })

  test('a bad row is named by line and field, and the rest is kept', async () => {
    const path = written(
      'bad.csv',
      csv(
        curHead,
        cur('USE1-Claude4.6Sonnet-input-tokens', { amount: 'many' }),
        cur('USE1-Claude4.6Sonnet-input-tokens', { start: 'yesterday' }),
        cur('USE1-Claude4.6Sonnet-input-tokens', { currency: 'EUR' }),
        cur('USE1-Claude4.6Sonnet-input-tokens', { cost: '' }),
        cur('USE1-Claude4.6Sonnet-input-tokens'),
      ),
    )
    const { lines, bad } = await read('aws-cur', path)
    expect(lines).toHaveLength(1)
    expect(bad).toEqual([
      '2: line_item_usage_amount is "many", expected an amount',
      '3: line_item_usage_start_date is "yesterday", expected a date such as 2026-11-01',
      '4: line_item_currency_code is "EUR", expected USD: the row states no rate to change it at',
      '5: line_item_unblended_cost is missing',
    ])
  })

  test('a file that breaks off in a row has that row bad, and never a smaller amount', async () => {
    const whole = csv(
      curHead,
      cur('USE1-Claude4.6Sonnet-input-tokens'),
      cur('USE1-Claude4.6Sonnet-output-tokens', { cost: '12.5' }),
    )
    const { lines, bad } = await read('aws-cur', written('cut.csv', whole.slice(0, whole.lastIndexOf('12.5') + 2)))
    expect(lines).toHaveLength(1)
    expect(bad).toEqual([expect.stringMatching(/^3: the row has \d+ of \d+ columns$/)])
    const moved = cur('USE1-Claude4.6Sonnet-input-tokens', { cost: '1,500.25' })
    expect(
      (await read('aws-cur', written('moved.csv', csv(curHead, moved, `${cur('Tax', { item: 'Tax' })},,`)))).bad,
    ).toEqual([expect.stringMatching(/^2: the row has \d+ of \d+ columns$/)])
    const twice = csv(`note,note,${curHead}`, `x,y,${cur('USE1-Claude4.6Sonnet-input-tokens')}`)
    expect((await read('aws-cur', written('twice.csv', twice))).bad).toEqual([])
  })

  test('Parquet gives the same lines as CSV', async () => {
    const plain = written(
      'same.csv',
      csv(
        curHead,
        cur('USE1-Claude4.6Sonnet-input-tokens', { amount: '123456.789' }),
        cur('USE1-Claude4.6Sonnet-output-tokens', { cost: '0.1234567891' }),
      ),
    )
    const packed = join(folder, "cur o'brien.parquet")
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run(
      `COPY (SELECT * REPLACE (line_item_usage_start_date::TIMESTAMPTZ AS line_item_usage_start_date, line_item_unblended_cost::DECIMAL(18,10) AS line_item_unblended_cost, line_item_usage_account_id::VARCHAR AS line_item_usage_account_id), MAP {'product_name': 'Amazon Bedrock'} AS product, 7 AS another
       FROM read_csv('${plain}')) TO '${packed.replace("'", "''")}' (FORMAT parquet)`,
    )
    connection.closeSync()
    instance.closeSync()
    const [one, other] = [await read('aws-cur', plain), await read('aws-cur', packed)]
    expect(other.bad).toEqual([])
    expect(other.lines).toEqual(one.lines)
  })
})

const gcp = (sku: string, over: Readonly<Record<string, unknown>> = {}) => ({
  service: { description: 'Vertex AI' },
  sku: { id: 'X', description: sku },
  usage_start_time: '2026-11-01 07:00:00 UTC',
  project: { id: 'search' },
  cost: 1.5,
  currency: 'USD',
  currency_conversion_rate: 1,
  usage: { amount: 2_000_000, unit: 'count' },
  credits: [],
  cost_type: 'regular',
  ...over,
})

describe('Google Cloud billing export', () => {
  const rows = [
    gcp('Gemini 3.7 Flash Global Text Input - Predictions'),
    gcp('Gemini 2.5 Pro Thinking Text Output - Predictions'),
    gcp('Gemini 3 Flash Text Input Caching'),
    gcp('Gemini 3 Flash Text Input Caching Storage', { usage: { amount: 60, unit: 'token-seconds' } }),
    gcp('Generate content cached input token count gemini 2.5 flash lite text', {
      service: { description: 'Gemini API' },
    }),
    gcp('Generate content output token count gemini 3.7 flash text batch', { service: { description: 'Gemini API' } }),
    gcp('Gemini 3.7 Flash Text Output - Predictions', {
      credits: [
        { name: 'c', amount: -0.25 },
        { name: 'd', amount: -0.05 },
      ],
    }),
    gcp('Tax', { cost_type: 'tax', cost: 0.07 }),
    gcp('Gemini 3.7 Flash Text Input - Predictions', {
      currency: 'TWD',
      cost: 31.708,
      currency_conversion_rate: 31.708,
    }),
    gcp('N1 Core', { service: { description: 'Compute Engine' } }),
  ]
  const expected = [
    '2026-11-01 | search | Gemini 3.7 Flash | usage | input | 2000000 | 1.5 | -',
    '2026-11-01 | search | Gemini 2.5 Pro | usage | output | 2000000 | 1.5 | -',
    '2026-11-01 | search | Gemini 3 Flash | usage | cache_read | 2000000 | 1.5 | -',
    '2026-11-01 | search | - | fee | - | - | 1.5 | -',
    '2026-11-01 | search | gemini 2.5 flash lite | usage | cache_read | 2000000 | 1.5 | -',
    '2026-11-01 | search | gemini 3.7 flash | usage | output | 2000000 | 1.5 | batch',
    '2026-11-01 | search | Gemini 3.7 Flash | usage | output | 2000000 | 1.5 | -',
    '2026-11-01 | search | - | credit | - | - | -0.3 | -',
    '2026-11-01 | search | - | tax | - | - | 0.07 | -',
    '2026-11-01 | search | Gemini 3.7 Flash | usage | input | 2000000 | 1 | -',
  ]

  test('is read from JSONL, plain and packed: SKUs, credits, taxes, and other currencies at the stated rate', async () => {
    const text = rows.map((one) => JSON.stringify(one)).join('\n')
    const plain = await read('gcp-billing', written('gcp.jsonl', text))
    expect(plain.bad).toEqual([])
    expect(plain.lines.map(shown)).toEqual(expected)
    expect((await read('gcp-billing', written('gcp.jsonl.gz', gzipSync(text)))).lines).toEqual(plain.lines)
  })

  test('is read from Parquet with its nested columns', async () => {
    const source = written('gcp-nested.jsonl', rows.map((one) => JSON.stringify(one)).join('\n'))
    const path = join(folder, 'gcp.parquet')
    const instance = await DuckDBInstance.create(':memory:')
    const connection = await instance.connect()
    await connection.run(`COPY (SELECT * FROM read_json('${source}')) TO '${path}' (FORMAT parquet)`)
    connection.closeSync()
    instance.closeSync()
    expect((await read('gcp-billing', path)).lines.map(shown)).toEqual(expected)
  })

  test('is read from a CSV with the nested columns flat', async () => {
    const head =
      'service_description,sku_description,usage_start_time,project_id,cost,currency,usage_amount,usage_unit,cost_type,credits'
    const line =
      'Vertex AI,Gemini 3.7 Flash Text Input - Predictions,2026-11-01 07:00:00 UTC,search,1.5,USD,2000000,count,regular,"[{""amount"":-0.5}]"'
    const { lines } = await read('gcp-billing', written('gcp.csv', csv(head, line)))
    expect(lines.map(shown)).toEqual([
      '2026-11-01 | search | Gemini 3.7 Flash | usage | input | 2000000 | 1.5 | -',
      '2026-11-01 | search | - | credit | - | - | -0.5 | -',
    ])
  })

  test('credits that are no JSON are a bad row, and the others are kept', async () => {
    const rows = [`[{'name': 'c', 'amount': -0.25}]`, '', [{ amount: -1 }]].map((credits) =>
      JSON.stringify(gcp('Tax', { cost_type: 'tax', credits })),
    )
    const { bad, lines } = await read('gcp-billing', written('credits.jsonl', rows.join('\n')))
    expect(bad).toEqual([
      `1: credits is ${JSON.stringify(`[{'name': 'c', 'amount': -0.25}]`)}, expected a list of JSON objects`,
    ])
    expect(lines).toHaveLength(3)
  })

  test('a currency without a rate is a bad row', async () => {
    const { bad } = await read(
      'gcp-billing',
      written(
        'eur.jsonl',
        JSON.stringify(
          gcp('Gemini 3 Flash Text Input - Predictions', { currency: 'EUR', currency_conversion_rate: null }),
        ),
      ),
    )
    expect(bad).toEqual(['1: currency is EUR and currency_conversion_rate is missing, so it cannot be changed to USD'])
  })
})

describe('Azure FocusCost', () => {
  const head =
    'ChargePeriodStart,BilledCost,BillingCurrency,x_BilledCostInUsd,ChargeCategory,ServiceCategory,x_SkuMeterName,ConsumedQuantity,ConsumedUnit,PricingQuantity,PricingUnit,SubAccountId,ResourceId'
  const focus = (
    meter: string,
    quantities: string,
    over: Readonly<{ category?: string; service?: string; cost?: string }> = {},
  ) =>
    `2026-11-01T00:00:00Z,${over.cost ?? '1.2,USD,'},${over.category ?? 'Usage'},${over.service ?? 'AI and Machine Learning'},${meter},${quantities},sub,res`

  test('meters say model and kind; tokens come from the consumed quantity, or from the priced one and its unit', async () => {
    const path = written(
      'focus.csv',
      csv(
        head,
        focus('gpt-4o-0806-Inp-glbl Tokens', '2000,Tokens,2,1K'),
        focus('gpt-4o-0806-Outp-glbl Tokens', '2.5,Units,2.5,1K'),
        focus('GPT 5 Mini cached Inpt Glbl 1M Tokens', ',,0.25,1M'),
        focus('5.4 nano Inp Gl 1M Tokens', ',,3,1M', { cost: '99,EUR,1.1' }),
        focus('Hosting hours', '5,Hours,5,1 Hour'),
        focus('text-embedding-3-large-glbl Tokens', '1000,Tokens,1,1K'),
        focus('Tax', ',,,', { category: 'Tax' }),
        focus('D2s v3', '1,Hours,1,1 Hour', { service: 'Compute' }),
      ),
    )
    const { lines, bad } = await read('azure-focus', path)
    expect(bad).toEqual([])
    expect(lines.map(shown)).toEqual([
      '2026-11-01 | res | gpt 4o 0806 | usage | input | 2000 | 1.2 | -',
      '2026-11-01 | res | gpt 4o 0806 | usage | output | 2500 | 1.2 | -',
      '2026-11-01 | res | GPT 5 Mini | usage | cache_read | 250000 | 1.2 | -',
      '2026-11-01 | res | 5.4 nano | usage | input | 3000000 | 1.1 | -',
      '2026-11-01 | res | - | fee | - | - | 1.2 | -',
      '2026-11-01 | res | text embedding 3 large | usage | input+cache_read+cache_write+cache_write_1h | 1000 | 1.2 | -',
      '2026-11-01 | res | - | tax | - | - | 1.2 | -',
    ])
  })
})

describe('reports saved from an API', () => {
  const bucket = {
    start_time: 1793491200,
    results: [
      { input_tokens: 10, output_tokens: 2, model: 'gpt-5.5' },
      { input_tokens: 1, input_cached_tokens: 5, model: 'gpt-5.5' },
      { input_tokens: 1, output_tokens: 1 },
    ],
  }

  test('are read as pages, on one line or many, alone or in a list', async () => {
    const page = { data: [bucket], has_more: false }
    const texts = [
      JSON.stringify(page),
      JSON.stringify(page, null, 2),
      JSON.stringify([page]),
      `${JSON.stringify(bucket)}\n`,
      `\uFEFF${JSON.stringify(page, null, 2)}`,
      `\uFEFF${JSON.stringify(page)}\n${JSON.stringify({ data: [] })}\n`,
    ]
    const all = await Promise.all(texts.map((text, at) => read('openai', written(`page-${at}.json`, text))))
    for (const { lines } of all) expect(lines).toEqual(all[0]?.lines)
    expect(all[0]?.lines.map(shown)[0]).toBe(
      '2026-11-01 | - | gpt-5.5 | usage | input+cache_read+cache_write+cache_write_1h | 10 | - | -',
    )
  })

  test('name what is wrong with a result, and keep the others', async () => {
    const { bad } = await read('openai', written('bad.json', JSON.stringify({ data: [bucket] })))
    expect(bad).toEqual([
      '1: data[0].results[1]: input_tokens is 1, less than the cached and written tokens in it (5)',
      '1: data[0].results[2]: model is null, expected a model: ask for the report grouped by model',
    ])
  })

  const dayOne = 1793491200
  const dayOf = (at: number, results: readonly object[]) => ({
    object: 'bucket',
    start_time: dayOne + at * 86_400,
    end_time: dayOne + (at + 1) * 86_400,
    results,
  })
  const usageOf = (input_tokens: number) => ({
    object: 'organization.usage.completions.result',
    ...{ input_tokens, output_tokens: 1, model: 'gpt-5.5' },
  })
  const costOf = (value: number, line_item = 'gpt-5.5, input') => ({
    object: 'organization.costs.result',
    ...{ amount: { value, currency: 'usd' }, line_item },
  })
  const saved = (name: string, data: readonly object[], has_more = false) =>
    written(name, JSON.stringify({ object: 'page', data, has_more, next_page: has_more ? 'page_2' : null }))

  test('lack a page where one promises more and no page of its report goes on from there, in any order', async () => {
    const first = saved('u-1.json', [dayOf(0, [usageOf(10)]), dayOf(1, [])], true)
    const second = saved('u-2.json', [dayOf(2, [usageOf(30)])])
    const costs = saved('c.json', [dayOf(2, [costOf(0.1)])])
    const missing =
      '1: the page after this one is missing (has_more is true): give it as well, or the report is not whole'
    expect((await read('openai', first)).bad).toEqual([missing])
    expect((await read('openai', first, costs)).bad).toEqual([missing])
    expect((await read('openai', second, costs, first)).bad).toEqual([])
    const claude = { starting_at: '2026-11-01T00:00:00Z', ending_at: '2026-11-02T00:00:00Z', results: [] }
    expect((await read('anthropic', saved('a.json', [claude], true))).bad).toEqual([missing])
  })

  test('that overlap are read once, and what is alike on one page is each one', async () => {
    const early = saved('early.json', [dayOf(0, [usageOf(10), usageOf(10)]), dayOf(1, [usageOf(20)])])
    const late = saved('late.json', [dayOf(1, [usageOf(20)]), dayOf(2, [usageOf(30)])])
    const { lines, again } = await read('openai', early, late)
    expect(again).toBe(1)
    expect(lines.flatMap(({ kinds, quantity }) => (kinds.includes('input') ? [quantity] : []))).toEqual([
      10n,
      10n,
      20n,
      30n,
    ])
  })

  test('that state the same part with other figures are told apart, and the later is left out', async () => {
    const noon = saved('noon.json', [dayOf(0, [usageOf(10)]), dayOf(1, [usageOf(20)])])
    const night = saved('night.json', [dayOf(1, [usageOf(25)]), dayOf(2, [usageOf(30)])])
    const { lines, bad, again } = await read('openai', noon, night, saved('cost.json', [dayOf(1, [costOf(0.5)])]))
    expect({ bad, again }).toEqual({
      bad: [
        '1: data[0]: another page has this with other figures: give the newer alone; pages of several projects, grouped by project',
      ],
      again: 0,
    })
    expect(lines.flatMap(({ kinds, quantity }) => (kinds.includes('input') ? [quantity] : []))).toEqual([
      ...[10n, 20n, 30n],
      null,
    ])
    const search = saved('search.json', [dayOf(0, [{ ...usageOf(10), project_id: 'proj_search' }])])
    const labs = saved('labs.json', [dayOf(0, [{ ...usageOf(11), project_id: 'proj_labs' }])])
    expect((await read('openai', search, labs)).bad).toEqual([])
  })

  test('hold the days on which nothing was used', async () => {
    const { lines, days } = await read('openai', saved('quiet.json', [dayOf(0, []), dayOf(1, [])]))
    expect({ lines, days }).toEqual({ lines: [], days: ['2026-11-01', '2026-11-02'] })
  })

  test('give money back as a credit, and take it by the piece as a fee', async () => {
    const { lines } = await read(
      'openai',
      saved('back.json', [dayOf(0, [costOf(-1, 'Service credit'), costOf(1, 'web search')])]),
    )
    expect(lines.map(({ charge, label }) => `${charge} ${label}`)).toEqual(['credit Service credit', 'fee web search'])
  })

  test('are refused when they are another provider’s, or no report', async () => {
    const path = written('other.csv', csv('a,b', '1,2'))
    await expect(read('anthropic', path)).rejects.toThrow(
      /is not a usage or cost report of Anthropic.*its first row has a, b/,
    )
    await expect(read('openai', written('broken.json', '[{"a":'))).rejects.toMatchObject({ code: 'bad-input' })
    await expect(read('openai', join(folder, 'absent.json'))).rejects.toMatchObject({ code: 'bad-input' })
  })

  test('are read from OpenRouter’s CSV of generations', async () => {
    const head = 'generation_id,created_at,cost_total,tokens_prompt,tokens_completion,model_permaslug'
    const { lines } = await read(
      'openrouter',
      written('or.csv', csv(head, 'gen-1,2026-11-01 23:59:59.9,0.00125,100,20,openai/gpt-5.5')),
    )
    expect(lines.map(shown)).toEqual([
      '2026-11-01 | - | openai/gpt-5.5 | usage | input+cache_read+cache_write+cache_write_1h | 100 | - | -',
      '2026-11-01 | - | openai/gpt-5.5 | usage | output | 20 | - | -',
      '2026-11-01 | - | openai/gpt-5.5 | usage | input+cache_read+cache_write+cache_write_1h+output | - | 0.00125 | -',
    ])
  })
})

test('a table without rows is an empty bill where its head is that of one, and else refused', async () => {
  const { lines } = await read('aws-cur', written('head.csv', `${curHead}\n`))
  expect(lines).toEqual([])
  for (const none of ['', '<html>Please sign in</html>\n'])
    for (const name of Object.keys(bills) as (keyof typeof bills)[])
      await expect(read(name, written('none.csv', none))).rejects.toThrow(/none\.csv is not an? .*; its first line has/)
})
