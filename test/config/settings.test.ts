import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { dataFolder, defaultSettings, type Flags, loadSettings } from '../../src/config.ts'
import type { Settings } from '../../src/core/settings.ts'
import { providers } from '../../src/providers/index.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'weir-config-'))
})
afterEach(() => rmSync(cwd, { recursive: true }))

type Env = Record<string, string>
const write = (text: string, name = 'weir.yaml') => writeFileSync(join(cwd, name), text)
const load = (env: Env = {}, flags: Flags = {}): Settings => loadSettings({ cwd, env, flags, providers })
const problems = (text: string, env: Env = {}, flags: Flags = {}): string => {
  write(text)
  try {
    load(env, flags)
  } catch (error) {
    expect(error).toMatchObject({ code: 'bad-config' })
    return (error as Error).message.replaceAll(cwd, '.')
  }
  return 'no problem'
}
const provider = (settings: Settings, name: string) => settings.providers.find((one) => one.name === name)

describe('with nothing configured', () => {
  test('the gateway passes through on loopback, with every built-in provider at its own address', () => {
    const settings = load()
    expect(settings).toMatchObject({
      host: '127.0.0.1',
      port: 4141,
      mode: 'pass-through',
      data: join(cwd, 'weir-data'),
    })
    expect(settings.limits).toEqual(defaultSettings.limits)
    const built = Object.keys(providers).filter((name) => name !== 'openai-compatible')
    expect(settings.providers.map(({ name }) => name)).toEqual(built)
    for (const one of settings.providers)
      expect(one).toEqual({ name: one.name, adapter: one.name, options: {}, credentials: {} })
  })

  test('no address is taken from the environment, and in pass-through mode no key either', () => {
    const env = {
      OPENAI_BASE_URL: 'http://127.0.0.1:4141/v1',
      ANTHROPIC_BASE_URL: 'http://x',
      OPENAI_API_KEY: 'sk-canary',
    }
    expect(JSON.stringify(load(env))).not.toMatch(/canary|4141\/v1|http:\/\/x/)
  })
})

test('a wrong flag or variable is not laid to the file', () => {
  expect(problems('port: 1\n', { WEIR_PORT: 'x' })).toMatch(
    /^the environment has one problem:\n {2}WEIR_PORT: found "x"/,
  )
  expect(problems('port: 1\n', {}, { port: 'x' })).toMatch(/^the command line has one problem:\n {2}--port: found "x"/)
  expect(problems('port: y\n', {}, { port: 'x' })).toMatch(/^\.\/weir\.yaml has 2 problems:/)
})

describe('proxies', () => {
  const proxyIn = (env: Record<string, string>) => load(env).proxy

  test('are those of the environment, never for this machine itself', () => {
    expect(proxyIn({})).toBeUndefined()
    expect(proxyIn({ NO_PROXY: 'example.com' })).toBeUndefined()
    const address = 'http://proxy.example:3128'
    const except = 'localhost,127.0.0.1,[::1],'
    expect(proxyIn({ HTTPS_PROXY: address })).toEqual({ https: address, except })
    expect(proxyIn({ https_proxy: address, HTTPS_PROXY: 'http://other.example', NO_PROXY: '.corp' })).toEqual({
      https: address,
      except: `${except}.corp`,
    })
    expect(proxyIn({ HTTP_PROXY: address, NO_PROXY: '*' })).toBeUndefined()
  })

  test('that are no address are refused, and not shown', () => {
    const said = problems('', { HTTPS_PROXY: 'user:secret@proxy', HTTP_PROXY: 'ftp://proxy.example' })
    expect(said).toMatch(
      /^the environment has 2 problems:\n {2}HTTP_PROXY: .*\n {2}HTTPS_PROXY: found what is no address/,
    )
    expect(said).not.toContain('secret')
  })
})

describe('weir.yaml', () => {
  test('is read whole', () => {
    write(`
host: "::1"
port: 5000
mode: keys
data: ./elsewhere
threads: 2
providers:
  azure-eu:
    adapter: azure-openai
    base_url: https://acme.openai.azure.com
    api_key: \${AZURE_KEY}
    price_as: azure-openai
    options: { api_version: 2026-10-01 }
  vllm:
    base_url: http://127.0.0.1:8000/v1
routes:
  - match: { model: gpt-*, team: search }
    targets: [azure-eu/gpt-5.5, { provider: openai }]
  - targets: [vllm/meta-llama/Llama-4]
limits: { attempts: 5, body_bytes: 1048576 }
breaker: { failures: 9 }
on_client_gone: drain
prices:
  - provider: openai
    models: [gpt-5.5]
    effective_from: 2026-10-01
    context: "> 272_000"
    window: { zone: Europe/Berlin, weekdays: [6, 7], minutes: [[0, 1440]] }
    rates: { in.text.fresh: 1.10, out.text.visible: "8.000001" }
    source: contract 2026-118
    checked_at: 2026-11-01
services: { compressor: { folder: models/tinybert } }
unpriced_ceiling: { input: 20 }
reserve_output_tokens: 1000
log_level: warn
`)
    const settings = load({ AZURE_KEY: 'k-1' })
    const { providers: _, limits, ...rest } = settings
    expect(rest).toStrictEqual({
      host: '::1',
      port: 5000,
      console: 'next',
      mode: 'keys',
      data: join(cwd, 'elsewhere'),
      threads: 2,
      routes: [
        {
          match: { model: 'gpt-*', team: 'search' },
          targets: [{ provider: 'azure-eu', model: 'gpt-5.5' }, { provider: 'openai' }],
        },
        { match: {}, targets: [{ provider: 'vllm', model: 'meta-llama/Llama-4' }] },
      ],
      services: { compressor: { folder: join(cwd, 'models', 'tinybert') } },
      breaker: { failures: 9, open_ms: defaultSettings.breaker.open_ms },
      on_client_gone: 'drain',
      policies: [],
      prices: [
        {
          id: 'contract/openai/gpt-5.5@2026-10-01',
          layer: 'contract',
          provider: 'openai',
          models: ['gpt-5.5'],
          effective_from: '2026-10-01T00:00:00.000Z',
          context: { operator: '>', tokens: 272_000 },
          window: { zone: 'Europe/Berlin', weekdays: [6, 7], minutes: [[0, 1440]] },
          rates: { 'in.text.fresh': '1.1', 'out.text.visible': '8.000001' },
          source: 'contract 2026-118',
          checked_at: '2026-11-01',
        },
      ],
      unpriced_ceiling: { input: '20', output: defaultSettings.unpriced_ceiling.output },
      budgets: [],
      reserve_output_tokens: 1000,
      channels: [],
      alerts: defaultSettings.alerts,
      log_level: 'warn',
    })
    expect(limits).toEqual({ ...defaultSettings.limits, attempts: 5, body_bytes: 1_048_576 })
    expect(settings.providers.slice(0, 2)).toStrictEqual([
      {
        name: 'azure-eu',
        adapter: 'azure-openai',
        base_url: 'https://acme.openai.azure.com',
        options: { api_version: '2026-10-01' },
        credentials: { api_key: 'k-1' },
        price_as: 'azure-openai',
      },
      {
        name: 'vllm',
        adapter: 'openai-compatible',
        base_url: 'http://127.0.0.1:8000/v1',
        options: {},
        credentials: {},
      },
    ])
  })

  test('an empty file is as good as none', () => {
    write('# nothing yet\n')
    expect(load()).toEqual({ ...defaultSettings, data: join(cwd, 'weir-data'), providers: load().providers })
  })

  test('flags go before the environment, and the environment before the file', () => {
    write('port: 1\nlog_level: debug\nthreads: 3\ndata: from-file')
    const settings = load(
      { WEIR_PORT: '2', WEIR_LOG_LEVEL: 'warn', WEIR_DATA: 'from-env' },
      { port: '3', data: 'from-flag' },
    )
    expect(settings).toMatchObject({ port: 3, log_level: 'warn', threads: 3, data: join(cwd, 'from-flag') })
    expect(load({ WEIR_DATA: 'from-env' }).data).toBe(join(cwd, 'from-env'))
    expect(load().data).toBe(join(cwd, 'from-file'))
  })

  test('variables are filled in with their defaults, and $${ stays ${', () => {
    write(`data: "\${A}/\${B:-b}/$\${C}"\nport: \${PORT}`)
    expect(load({ A: 'a', PORT: '81' })).toMatchObject({ port: 81, data: join(cwd, `a/b/\${C}`) })
  })
})

describe('provider keys', () => {
  const env = {
    OPENAI_API_KEY: 'sk-env',
    GEMINI_API_KEY: 'g-env',
    AWS_ACCESS_KEY_ID: 'AKIA',
    AWS_SECRET_ACCESS_KEY: 's',
    AWS_REGION: 'eu-central-1',
    WEIR_MODE: 'keys',
  }

  test('in keys mode come from their usual variables', () => {
    const settings = load(env)
    expect(provider(settings, 'openai')?.credentials).toEqual({ api_key: 'sk-env' })
    expect(provider(settings, 'google')?.credentials).toEqual({ api_key: 'g-env' })
    expect(provider(settings, 'anthropic')?.credentials).toEqual({})
  })

  test('in the file go before those in the store, and those before the environment', () => {
    write('providers: { openai: { api_key: sk-file } }')
    const stored = { openai: { api_key: 'sk-stored' }, google: { api_key: 'g-stored' } }
    const settings = loadSettings({ cwd, env, providers, stored })
    expect(provider(settings, 'openai')?.credentials).toEqual({ api_key: 'sk-file' })
    expect(provider(settings, 'google')?.credentials).toEqual({ api_key: 'g-stored' })
  })

  test('are never taken from the environment for a provider of the user’s own name', () => {
    write('providers: { elsewhere: { adapter: openai, base_url: "https://example.com" } }')
    expect(provider(load(env), 'elsewhere')?.credentials).toEqual({})
  })
})

describe('problems', () => {
  test('are told all at once, with line, field, what was found and what to do', () => {
    const text = problems(
      `# a comment
host: 0.0.0.0
prot: 4142
port: 99999
mode: passthrough
providers:
  opnai:
    api_key: \${NO_SUCH_KEY}
  openai:
    api_key: [1]
    base_url: ftp://user:secret@host
    bse_url: x
limits:
  body_byte: 5
  attempts: 0
routes:
  - match: { modle: x }
    targets: []
  - targets: [openai/x, 5]
prices:
  - provider: openai
    models: [gpt]
    rates: { in.text.fresk: 2, out.text.visible: cheap }
log_level: loud
`,
      { WEIR_THREADS: 'many' },
      { port: '-1' },
    )
    expect(text).toMatchInlineSnapshot(`
      "./weir.yaml has 18 problems:
        --port: found "-1"; expected a whole number from 0 to 65535
        WEIR_THREADS: found "many"; expected a whole number from 1 to 64
        line 3, prot: there is no such field; did you mean port?
        line 4, port: found 99999; expected a whole number from 0 to 65535
        line 5, mode: found "passthrough"; expected one of pass-through, keys
        line 8, providers.opnai.api_key: the environment variable NO_SUCH_KEY is not set: set it, write \${NO_SUCH_KEY:-default}, or take the line out
        line 10, providers.openai.api_key: found a list; expected an API key, best from the environment
        line 11, providers.openai.base_url: found "ftp://…@host"; expected an address such as https://api.example.com/v1, without user, password, query or fragment
        line 12, providers.openai.bse_url: there is no such field; did you mean base_url?
        line 14, limits.body_byte: there is no such field; did you mean body_bytes?
        line 15, limits.attempts: found 0; expected a whole number from 1 to 20
        line 17, routes[0].match.modle: there is no such field; did you mean model?
        line 18, routes[0].targets: found an empty list; expected one target at least
        line 19, routes[1].targets[1]: found 5; expected a target: provider/model, or provider alone to keep the model asked
        line 21, prices[0].source: found nothing; expected where the price comes from, e.g. "contract 2026-118"
        line 23, prices[0].rates.in.text.fresk: there is no such meter; did you mean in.text.fresh?
        line 23, prices[0].rates.out.text.visible: found "cheap"; expected US dollars per million units as a decimal number, e.g. 2.50
        line 24, log_level: found "loud"; expected one of debug, info, warn, error, silent"
    `)
  })

  test('that only the whole can show are told with their lines too', () => {
    const text = problems(`
mode: keys
providers:
  opnai: {}
  other: { adapter: opnai, base_url: "http://127.0.0.1:1" }
  metrics: { base_url: "http://127.0.0.1:1" }
  aws-bedrock: { access_key_id: AKIA, region: us-east-1 }
routes:
  - targets: [antropic/claude]
prices:
  - { id: a, provider: p, models: [m], rates: { request: 0 }, source: s }
  - id: a
    provider: p
    models: [m]
    rates: { request: 1 }
    source: s
    effective_from: 2026-02-01
    effective_to: 2026-01-01
`)
    expect(text).toMatchInlineSnapshot(`
      "./weir.yaml has 8 problems:
        line 4, providers.opnai: no built-in provider has this name (did you mean openai?); one of your own needs base_url, and adapter where it is not openai-compatible
        line 5, providers.other.adapter: there is no adapter opnai; did you mean openai?
        line 6, providers.metrics: the gateway has a path of this name; choose another
        line 7, providers.aws-bedrock: access_key_id and secret_access_key belong together: set both, or neither
        line 9, routes[0].targets[0]: there is no provider antropic; did you mean anthropic?
        line 11, prices[0].rates.request: a rate of 0 needs free: true beside it, so that no gap reads as free
        line 12, prices[1].id: a is the id of another row
        line 18, prices[1].effective_to: found 2026-01-01; expected an instant after effective_from (2026-02-01)"
    `)
  })

  test('say in words what belongs where a group of fields does', () => {
    const groups = ['limits', 'breaker', 'unpriced_ceiling', 'services', 'alerts', 'channels', 'levers', 'providers']
    const inner =
      'providers: { openai: { options: 5 } }\nprices: [{ provider: p, models: [m], rates: 5, attrs: 5, source: s }]'
    const told = [inner, ...groups.map((group) => `${group}: 5`)].flatMap((text) => problems(text).split('\n').slice(1))
    expect(told).toHaveLength(groups.length + 3)
    for (const line of told) expect(line).toMatch(/found .*; expected (?!Invalid)/)
    expect(problems('breaker: 5')).toContain('breaker: found 5; expected a breaker: { failures: 5, open_ms: 15000 }')
  })

  test('of a contract price under the name of a provider whose calls are priced under another are told', () => {
    const price = (provider: string) => `{ provider: ${provider}, models: [m], rates: { in.text.fresh: 1 }, source: s }`
    const own = (extra = '') => `vllm: { base_url: "http://127.0.0.1:1/v1"${extra} }`
    expect(problems(`providers:\n  ${own()}\nprices:\n  - ${price('vllm')}\n`)).toBe(
      './weir.yaml has one problem:\n' +
        '  line 4, prices[0].provider: found vllm, whose calls are priced as openai-compatible: write that, or set price_as: vllm at the provider',
    )
    const fine = `providers:\n  ${own(', price_as: vllm')}\nprices:\n`
    for (const name of ['vllm', 'openai', 'a-provider-of-imports'])
      expect(problems(`${fine}  - ${price(name)}\n`)).toBe('no problem')
  })

  test('of a provider that would fail with every call are told at the start: no address, an option that it does not know', () => {
    const text = problems(`
mode: keys
providers:
  azure-openai: { api_key: k, options: { api_verison: v, auth: entra } }
  azure-eu: { adapter: azure-openai, api_key: k }
  vertex-ai: { options: { project: My Project } }
  aws-bedrock: { api_key: k }
  databricks: { api_key: k }
  openai: { options: { billing_url: "https://example.com", foo: 1 } }
`)
    expect(text).toMatchInlineSnapshot(`
      "./weir.yaml has 9 problems:
        line 4, providers.azure-openai: azure-openai has no address of its own: set base_url
        line 4, providers.azure-openai.options.api_verison: azure-openai has no such option; did you mean api_version?
        line 4, providers.azure-openai.options.auth: expected text that matches ^(api-key|bearer)$
        line 5, providers.azure-eu: azure-openai has no address of its own: set base_url
        line 6, providers.vertex-ai: the address of vertex-ai depends on a region: set region (us-east-1 is one of AWS, europe-west4 one of Google) or base_url
        line 6, providers.vertex-ai.options.project: expected text that matches ^[a-z0-9][a-z0-9.:-]{0,62}$
        line 7, providers.aws-bedrock: the address of aws-bedrock depends on a region: set region (us-east-1 is one of AWS, europe-west4 one of Google) or base_url
        line 8, providers.databricks: databricks has no address of its own: set base_url
        line 9, providers.openai.options.foo: openai has no such option; known here: billing_url"
    `)
    expect(problems('providers: { groq: { region: x y } }')).toContain('line 1, providers.groq.region: found "x y"')
    const fine = `
providers:
  azure-openai: { options: { billing_url: "https://example.com" }, price_as: openai }
  vertex-ai: { region: global, options: { project: p, auth: api-key } }
  aws-bedrock: { options: { endpoint: mantle } }
  bedrock-eu: { adapter: aws-bedrock, base_url: "https://example.com", options: { service: bedrock } }
`
    expect(problems(fine, { AWS_REGION: 'eu-west-1' })).toBe('no problem')
  })

  test('of YAML itself are told with their line', () => {
    expect(problems('port: 1\nhost: [unclosed\nmode: keys\n')).toMatchInlineSnapshot(`
      "./weir.yaml has one problem:
        line 3, YAML: Flow sequence in block collection must be sufficiently indented and end with a ]"
    `)
    expect(problems('port: 1\nport: 2\n')).toMatchInlineSnapshot(`
      "./weir.yaml has one problem:
        line 2, YAML: Map keys must be unique"
    `)
    expect(problems(`providers:\n  openai: { api_key: \${OPENAI_API_KEY} }\n`)).toMatchInlineSnapshot(`
      "./weir.yaml has one problem:
        line 2, YAML: put quotes around it: "\${OPENAI_API_KEY}""
    `)
    expect(problems('- a\n- b\n')).toMatchInlineSnapshot(`
      "./weir.yaml has one problem:
        line 1, the file: found a list; expected fields such as port: 4141"
    `)
  })

  test('pass-through on an address that others reach is refused, and keys mode there is not', () => {
    expect(problems('host: 0.0.0.0')).toMatchInlineSnapshot(`
      "./weir.yaml has one problem:
        line 1, host: 0.0.0.0 can be reached from other machines, and in pass-through mode anybody there could use the gateway: keep host: 127.0.0.1, or set mode: keys and give out keys with weir keys create"
    `)
    expect(problems('', {}, { host: '192.168.0.7' })).toMatch(/192\.168\.0\.7 can be reached from other machines/)
    expect(problems('host: 0.0.0.0\nmode: keys')).toBe('no problem')
    for (const host of ['localhost', '::1', '127.0.0.53']) expect(problems(`host: "${host}"`)).toBe('no problem')
    for (const host of ['localhost.example.com', '127.0.0.1.example.com', '::', '0.0.0.0', '[::]']) {
      expect(problems(`host: "${host}"`)).toMatch(/can be reached/)
    }
  })

  test('never repeat a secret, wherever in a provider it was put', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(
          'providers: { openai: sk-canary }',
          'providers: { openai: { api_key: { value: sk-canary } } }',
          'providers: { openai: { options: { key: [sk-canary] } } }',
          'providers: { openai: { secret_access_key: [sk-canary], apikey: sk-canary } }',
          'providers: { mine: { base_url: "https://u:sk-canary@host/v1" } }',
        ),
        (text) => {
          const told = problems(text)
          expect(told).not.toBe('no problem')
          expect(told).not.toContain('canary')
        },
      ),
      { seed: 7, numRuns: 30 },
    )
  })

  test('a folder of the file’s name is named, as a container makes where there is no file to mount', () => {
    mkdirSync(join(cwd, 'weir.yaml'))
    for (const read of [() => load(), () => dataFolder({ cwd, env: {} })])
      expect(read).toThrow(expect.objectContaining({ code: 'EISDIR', path: join(cwd, 'weir.yaml') }))
  })

  test('a named file that is missing is said so', () => {
    expect(() => load({}, { config: 'no.yaml' })).toThrow(/--config names .*no\.yaml, which is not there.*weir init/)
    expect(() => load({ WEIR_CONFIG: 'no.yaml' })).toThrow(/WEIR_CONFIG names/)
  })
})

describe('the data folder', () => {
  test('is found for a report even where the rest of the file is broken', () => {
    write(`data: ./there\nport: nonsense\nproviders: { openai: { api_key: "\${NOT_SET}" } }`)
    expect(dataFolder({ cwd, env: {} })).toBe(join(cwd, 'there'))
    expect(dataFolder({ cwd, env: { WEIR_DATA: 'env' } })).toBe(join(cwd, 'env'))
    expect(dataFolder({ cwd, env: { WEIR_DATA: 'env' }, data: '/flag' })).toBe('/flag')
  })

  test('may come from the environment, as everything in the file; a variable that is not set is told', () => {
    write(`data: \${PLACE}/there\nport: nonsense`)
    expect(dataFolder({ cwd, env: { PLACE: '/var' } })).toBe('/var/there')
    expect(() => dataFolder({ cwd, env: {} })).toThrow(/line 1, data: the environment variable PLACE is not set/)
    expect(dataFolder({ cwd, env: { WEIR_DATA: '/env' } })).toBe('/env')
  })

  test('is counted from the file’s own folder', () => {
    mkdirSync(join(cwd, 'etc'))
    write('data: ../var', 'etc/weir.yaml')
    expect(dataFolder({ cwd, env: {}, config: 'etc/weir.yaml' })).toBe(join(cwd, 'var'))
    expect(load({}, { config: 'etc/weir.yaml' }).data).toBe(join(cwd, 'var'))
  })

  test('is ./weir-data otherwise', () => expect(dataFolder({ cwd, env: {} })).toBe(join(cwd, 'weir-data')))
})
