import { generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { s3 } from '../../src/bills/s3.ts'
import { ledgerFolder } from '../cli/fixture.ts'
import { weir, weirProcess } from '../cli/run.ts'
import { aws, sas, startStorage, token } from './storage-server.ts'

let data: string
let clear: () => void
let folder: string
let server: Awaited<ReturnType<typeof startStorage>>
beforeAll(async () => {
  ;({ data, clear } = await ledgerFolder())
  folder = mkdtempSync(join(tmpdir(), 'weir-storages-'))
  server = await startStorage()
})
afterAll(async () => {
  clear()
  rmSync(folder, { recursive: true })
  await server.close()
})
beforeEach(() => {
  server.files.clear()
  server.asked.length = 0
  server.bodies.length = 0
  server.faults.length = 0
})
afterEach(() => {
  process.exitCode = undefined
})

const configured = (provider: string, path: string): readonly string[] => {
  const config = join(folder, 'weir.yaml')
  writeFileSync(config, `providers:\n  ${provider}:\n    options:\n      billing_url: ${server.url}${path}\n`)
  return ['--config', config]
}

const october = ['--since', '2026-10-30', '--until', '2026-11-03'] as const

const reconcile = (source: string, words: readonly string[], env: Record<string, string> = {}) =>
  weir(['reconcile', source, ...words, '--data', data], { cwd: folder, env: { COLUMNS: '120', ...env } })

/** What the bill comes to: dollars and tokens, and how many rows could not be read. */
const billed = async (source: string, words: readonly string[], env: Record<string, string>) => {
  const { out, err, code } = await reconcile(source, [...words, '--json'], env)
  expect(code, err).toBe(0)
  const { total, from, to } = JSON.parse(out)
  return { usd: total.cost.provider_usd, tokens: total.tokens.provider, from, to, err }
}

describe('AWS: the export in its bucket', () => {
  const head =
    'line_item_product_code,line_item_usage_type,line_item_line_item_type,line_item_usage_start_date,line_item_usage_account_id,line_item_usage_amount,pricing_unit,line_item_unblended_cost,line_item_currency_code'
  const cur = (...days: readonly string[]) =>
    gzipSync(
      [
        head,
        ...days.map(
          (day) => `AmazonBedrock,USE1-Claude4.6Sonnet-input-tokens,Usage,${day}T05:00:00Z,1,1.5,1K tokens,0.0045,USD`,
        ),
      ].join('\n'),
    )
  const manifest = (...keys: readonly string[]) => JSON.stringify({ executionId: 'x', dataFiles: keys })
  const put = (name: string, content: string | Buffer, modified = '2026-11-04T01:00:00.000Z') =>
    server.files.set(`team a/llm/${name}`, { content, modified })

  beforeEach(() => {
    put(
      'metadata/BILLING_PERIOD=2026-10/llm-Manifest.json',
      manifest('s3://bills/team a/llm/data/BILLING_PERIOD=2026-10/llm-1.csv.gz'),
    )
    put('data/BILLING_PERIOD=2026-10/llm-1.csv.gz', cur('2026-10-02', '2026-10-30', '2026-10-31'))
    // Each refresh of the current month is kept, and each holds all of it.
    put(
      'metadata/BILLING_PERIOD=2026-11/20261103T01-a/llm-Manifest.json',
      manifest('s3://bills/team a/llm/data/BILLING_PERIOD=2026-11/a/llm-1.csv.gz'),
      '2026-11-03T01:00:00.000Z',
    )
    put('data/BILLING_PERIOD=2026-11/a/llm-1.csv.gz', cur('2026-11-01'))
    put(
      'metadata/BILLING_PERIOD=2026-11/20261104T01-b/llm-Manifest.json',
      manifest(
        'team a/llm/data/BILLING_PERIOD=2026-11/b/llm-1.csv.gz',
        'team a/llm/data/BILLING_PERIOD=2026-11/b/llm-2.csv.gz',
      ),
    )
    put('data/BILLING_PERIOD=2026-11/b/llm-1.csv.gz', cur('2026-11-01', '2026-11-02'))
    put('data/BILLING_PERIOD=2026-11/b/llm-2.csv.gz', cur('2026-11-02', '2026-11-03'))
  })
  const config = () => configured('aws-bedrock', '/bills/team%20a/llm')

  test('the last refresh of each month is read, signed, and of the days asked for', async () => {
    const found = await billed('aws-cur', [...october, ...config()], aws)
    expect(found).toEqual({ usd: '0.0225', tokens: 7500, from: '2026-10-30', to: '2026-11-03', err: '' })
    expect(server.asked.filter((path) => path.endsWith('.gz'))).toEqual([
      'GET /bills/team%20a/llm/data/BILLING_PERIOD%3D2026-10/llm-1.csv.gz',
      'GET /bills/team%20a/llm/data/BILLING_PERIOD%3D2026-11/b/llm-1.csv.gz',
      'GET /bills/team%20a/llm/data/BILLING_PERIOD%3D2026-11/b/llm-2.csv.gz',
    ])
  })

  test.each([
    [
      'https://bills.s3.eu-west-1.amazonaws.com/team/llm/',
      'https://bills.s3.eu-west-1.amazonaws.com/k%3D1',
      'eu-west-1',
    ],
    ['https://my.bills.s3.amazonaws.com/team/llm', 'https://my.bills.s3.amazonaws.com/k%3D1', 'us-east-1'],
    [
      'https://s3.eu-west-1.amazonaws.com/bills/team/llm',
      'https://s3.eu-west-1.amazonaws.com/bills/k%3D1',
      'eu-west-1',
    ],
    ['http://minio.local:9000/bills/team/llm', 'http://minio.local:9000/bills/k%3D1', 'us-east-1'],
  ])('%s names a bucket, a folder and a region', async (base_url, url, region) => {
    const credentials = { access_key_id: 'a', secret_access_key: 'b' }
    const { bucket, folder: inside, askFor } = s3({ base_url, credentials } as Parameters<typeof s3>[0])
    expect([bucket.replace('my.', ''), inside]).toEqual(['bills', 'team/llm'])
    const asked = await askFor('k=1')(0)
    expect(asked.url).toBe(url)
    expect(asked.headers['authorization']).toContain(`/${region}/s3/aws4_request`)
  })

  test('a storage that is busy is asked again', async () => {
    server.faults.push({
      status: 503,
      body: '<Error><Message>Reduce your request rate</Message></Error>',
      headers: { 'retry-after': '0' },
    })
    expect((await billed('aws-cur', [...october, ...config()], aws)).tokens).toBe(7500)
  })

  test.each([
    [
      'another key',
      { ...aws, AWS_SECRET_ACCESS_KEY: 'canary' },
      'answered 403: Access Denied. The access key needs s3:ListBucket',
    ],
    ['no key', {}, 'no admin key of aws-cur: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY'],
  ])('%s is said, and never the key', async (_, env, message) => {
    const { out, err, code } = await reconcile('aws-cur', [...october, ...config()], env)
    expect(err).toContain(message)
    expect(out + err).not.toContain('canary')
    expect(code).toBeGreaterThan(0)
  })

  test('a month that is not there is no bill', async () => {
    server.files.delete('team a/llm/metadata/BILLING_PERIOD=2026-10/llm-Manifest.json')
    const { err, code } = await reconcile('aws-cur', [...october, ...config()], aws)
    expect(err).toContain('the export does not hold 2026-10-30; it has team a/llm/metadata/BILLING_PERIOD=2026-11')
    expect(code).toBe(2)
  })

  test('a file that the manifest names and nobody has is said by its name', async () => {
    server.files.delete('team a/llm/data/BILLING_PERIOD=2026-10/llm-1.csv.gz')
    const { err } = await reconcile('aws-cur', [...october, ...config()], aws)
    expect(err).toContain('/bills/team%20a/llm/data/BILLING_PERIOD%3D2026-10/llm-1.csv.gz answered 404')
  })

  test('a file that is none of the export’s is named as the bucket has it, and no place of this machine', async () => {
    put('data/BILLING_PERIOD=2026-10/llm-1.csv.gz', 'a,b\n1,2\n')
    const { err } = await reconcile('aws-cur', [...october, ...config()], aws)
    expect(err).toContain('team a/llm/data/BILLING_PERIOD=2026-10/llm-1.csv.gz is not a Cost and Usage Report')
    expect(err).not.toContain(tmpdir())
  })

  test('without an address it is said where to write one, and what it reads like', async () => {
    rmSync(join(folder, 'weir.yaml'), { force: true })
    const { err } = await reconcile('aws-cur', [...october], aws)
    expect(err).toContain('options.billing_url of the provider aws-bedrock in weir.yaml, e.g. https://BUCKET.s3.')
  })
})

describe('Azure: the export in its container', () => {
  const focus = (...days: readonly string[]) =>
    [
      'ChargePeriodStart,BilledCost,BillingCurrency,ServiceCategory,x_SkuMeterName,ResourceId,ChargeCategory,ConsumedQuantity,ConsumedUnit',
      ...days.map(
        (day) => `${day}T00:00:00Z,0.01,USD,AI and Machine Learning,gpt-4o-0806-Inp-glbl Tokens,/r,Usage,2,1K Tokens`,
      ),
    ].join('\n')
  const manifest = (type: string, ...names: readonly string[]) =>
    JSON.stringify({
      manifestVersion: '2024-04-01',
      exportConfig: { type },
      blobs: names.map((blobName) => ({ blobName, byteCount: 1 })),
    })
  const put = (name: string, content: string, modified = '2026-11-04T01:00:00Z') =>
    server.files.set(`exports/focus/${name}`, { content, modified })
  beforeEach(() => {
    put(
      '20261001-20261031/run1/manifest.json',
      manifest('FocusCost', 'exports/focus/20261001-20261031/run1/part_0_0001.csv'),
    )
    put('20261001-20261031/run1/part_0_0001.csv', focus('2026-10-29', '2026-10-30'))
    put(
      '20261101-20261130/run2/manifest.json',
      manifest('FocusCost', 'exports/focus/20261101-20261130/run2/part_0_0001.csv'),
      '2026-11-02T01:00:00Z',
    )
    put('20261101-20261130/run2/part_0_0001.csv', focus('2026-11-01'))
    put(
      '20261101-20261130/run3/manifest.json',
      manifest('FocusCost', 'exports/focus/20261101-20261130/run3/part_0_0001.csv'),
    )
    put('20261101-20261130/run3/part_0_0001.csv', focus('2026-11-01', '2026-11-02', '2026-11-03'))
  })
  const config = () => configured('azure-openai', '/costs/exports/focus')

  test('the last run of each month is read, of the days asked for', async () => {
    const found = await billed('azure-focus', [...october, ...config()], { AZURE_STORAGE_SAS_TOKEN: `?${sas}` })
    expect(found).toMatchObject({ usd: '0.03', tokens: 6000, err: '' })
    expect(server.asked.filter((path) => path.endsWith('.csv'))).toHaveLength(2)
  })

  test('months that overlap would count twice, and another kind of export is none of this', async () => {
    const env = { AZURE_STORAGE_SAS_TOKEN: sas }
    put('20261101-20261130/run4/manifest.json', manifest('ActualCost', 'x.csv'), '2026-11-05T01:00:00Z')
    expect((await reconcile('azure-focus', [...october, ...config()], env)).err).toContain('an export of ActualCost')
    put('20261025-20261105/run5/manifest.json', manifest('FocusCost', 'x.csv'))
    expect((await reconcile('azure-focus', [...october, ...config()], env)).err).toContain('it would count twice')
  })

  test('a key that is no signature is refused before anything is asked, and a wrong one is not repeated', async () => {
    const refused = await reconcile('azure-focus', [...october, ...config()], { AZURE_STORAGE_SAS_TOKEN: 'canary' })
    expect(refused.err).toContain('neither a shared access signature')
    expect(server.asked).toEqual([])
    const wrong = await reconcile('azure-focus', [...october, ...config()], { AZURE_STORAGE_SAS_TOKEN: 'sig=canary' })
    expect(wrong.err).toContain('answered 403: Access Denied. The shared access signature needs to read and list')
    expect(refused.err + wrong.err).not.toContain('canary')
  })
})

describe('Google: the export in BigQuery', () => {
  const head = [
    'service_description',
    'sku_description',
    'project_id',
    'usage_start_time',
    'usage_amount',
    'usage_unit',
    'cost',
    'cost_type',
    'currency',
    'currency_conversion_rate',
    'credits',
  ]
  const row = (day: string, cost: string, credits = '[]') => [
    'Vertex AI',
    'Gemini 2.5 Pro Text Input - Predictions',
    'acme',
    `${day} 05:00:00 UTC`,
    '1000',
    'count',
    cost,
    'regular',
    'USD',
    '1',
    credits,
  ]
  const table = '/bigquery/v2/projects/acme/datasets/billing/tables/gcp_billing_export_v1_01AB'
  const config = () => configured('vertex-ai', table)
  beforeEach(() => {
    server.google.rows = [
      head,
      row('2026-10-30', '0.00125'),
      row('2026-11-01', '1.25e-03'),
      row('2026-11-02', '0.00125', '[{"amount":"-0.0005"}]'),
    ]
  })

  test('every page of the query is read, once it is done, with amounts by their text', async () => {
    const found = await billed('gcp-billing', [...october, ...config()], { GOOGLE_OAUTH_ACCESS_TOKEN: token })
    expect(found).toMatchObject({ usd: '0.00325', tokens: 3000, err: '' })
    const { query, queryParameters } = JSON.parse(server.bodies[0] ?? '')
    expect(query).toContain('FROM `acme.billing.gcp_billing_export_v1_01AB`')
    expect(JSON.stringify(queryParameters)).toContain('"value":"2026-10-30T00:00:00Z"')
    expect(JSON.stringify(queryParameters)).toContain('"value":"2026-11-03T00:00:00Z"')
  })

  test('the key file of a service account is exchanged for a token, from its path or kept sealed', async () => {
    const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    server.google.public_key = publicKey.export({ type: 'spki', format: 'pem' }).toString()
    const file = JSON.stringify({
      type: 'service_account',
      client_email: 'reader@acme.iam.gserviceaccount.com',
      private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
      token_uri: `${server.url}/token`,
    })
    const path = join(folder, 'reader.json')
    writeFileSync(path, file)
    const by_path = await billed('gcp-billing', [...october, ...config()], { GOOGLE_APPLICATION_CREDENTIALS: path })
    expect(by_path.usd).toBe('0.00325')
    const kept = await weirProcess(['keys', 'provider', 'set', 'gcp-billing-admin', '--data', data], file)
    expect(kept).toMatchObject({ code: 0, err: '', out: expect.stringContaining('used by weir reconcile gcp-billing') })
    expect((await billed('gcp-billing', [...october, ...config()], {})).usd).toBe('0.00325')
  })

  test.each([
    [
      'a token that has expired',
      table,
      { GOOGLE_OAUTH_ACCESS_TOKEN: 'canary' },
      'invalid authentication credentials. The account needs the roles BigQuery Job User',
    ],
    [
      'an address of no table',
      '/bigquery/v2/projects/acme',
      { GOOGLE_OAUTH_ACCESS_TOKEN: token },
      'names no table: it ends with /projects/PROJECT/datasets',
    ],
    [
      'a key file that lacks its key',
      table,
      { GOOGLE_OAUTH_ACCESS_TOKEN: '{"type":"service_account","client_email":"canary"}' },
      'the key file of gcp-billing has no private_key',
    ],
  ])('%s is said, and never the key', async (_, path, env, message) => {
    const { out, err } = await reconcile(
      'gcp-billing',
      [...october, ...configured('vertex-ai', path)],
      env as Record<string, string>,
    )
    expect(err).toContain(message)
    expect(out + err).not.toContain('canary')
  })
})
