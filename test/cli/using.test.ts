/** How the command line takes words: help, mistakes, keys, files. */
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { commands } from '../../src/cli/index.ts'
import { template } from '../../src/cli/init/template.ts'
import { file } from '../../src/config/schema.ts'
import { loadSettings } from '../../src/config.ts'
import { providers } from '../../src/providers/index.ts'
import { start, weir, weirProcess } from './run.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'weir-using-'))
})
afterEach(() => rmSync(cwd, { recursive: true, force: true }))

describe('help', () => {
  test('without words lists the commands', async () => {
    const { out, code } = await weirProcess([])
    expect(code).toBe(0)
    const names = [...out.matchAll(/^ {2}([a-z]+) {2,}/gm)].map(([, name]) => name ?? '')
    expect(names.toSorted()).toEqual(Object.keys(commands).toSorted())
    expect(out).toMatch(/\n {2}# the flags of a command, with examples\n {2}weir report --help\n$/)
  })

  test('of a command that has others below it says both ways to call it', async () => {
    expect((await weir(['close', '--help'])).out).toContain(
      'Usage  weir close MONTH [flags]\n       weir close COMMAND [flags]\n',
    )
  })

  test('of a command is the same by --help and by help', async () => {
    const { out } = await weir(['help', 'keys', 'create'])
    expect(out).toBe((await weir(['keys', 'create', '-h'])).out)
    expect(out).toMatchInlineSnapshot(`
      "Create a key. It is shown once; a caller cannot change what it fixes.

      Usage  weir keys create [flags]

      Flags
        --name TEXT         A name to recognise it by
        --team TEXT         Charge every call to this team
        --feature TEXT      … to this feature
        --customer TEXT     … to this customer
        --environment TEXT  … to this environment
        --tag NAME=VALUE    A further tag; may be repeated
        --models GLOBS      Models it may ask for, e.g. "gpt-5*,claude-*"; all by default
        --providers NAMES   Providers it may use; all by default
        --endpoints NAMES   Endpoints it may call, e.g. chat,embeddings; all by default
        --expires TIME      When it expires: 90d, 12h, 2027-01-01; never by default
        --data FOLDER       Data folder (or WEIR_DATA; ./weir-data by default)
        --config FILE       Configuration file (or WEIR_CONFIG; ./weir.yaml by default)
        --json              Print the answer as JSON

      Examples
        # a key for one team, for three months
        weir keys create --name search-api --team search --expires 90d
      "
    `)
  })

  test('the version is the package’s', async () => {
    const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
    expect((await weirProcess(['--version'])).out).toBe(`${version}\n`)
  })
})

test.each([
  [['reprot'], 'weir: there is no command weir reprot; did you mean weir report?'],
  [['keys', 'mint'], 'weir: there is no command weir keys mint; try: weir keys --help'],
  [['report', '--sicne', '7d'], 'weir: weir report has no flag --sicne; did you mean --since?'],
  [['report', '--since'], 'weir: --since needs a value; try: weir report --help'],
  [['report', 'team'], 'weir: weir report does not know what to do with "team"; try: weir report --help'],
  [
    ['statement', '--month', '2026-11'],
    'weir: weir statement does not know what to do with "2026-11", for --month takes no value; try: weir statement --help',
  ],
  [['report', '--csv', '--json'], 'weir: choose --csv or --json: one answer cannot be both'],
  [['report', '--by', 'teem'], 'weir: --by teem: did you mean team?'],
  [['calls', '--where', 'outcome!=ok,refsed'], 'weir: --where outcome=refsed: did you mean refused?'],
  [['report', '--where', 'team'], 'weir: --where team: write NAME=VALUE, e.g. --where team=search'],
  [['calls', '--limit', 'all'], 'weir: --limit all: expected a whole number above 0'],
  [['keys', 'revoke'], 'weir: weir keys revoke needs ID (the key’s id or name); try: weir keys revoke --help'],
  [
    ['import', 'calls'],
    'weir: weir import needs PATH (the file, plain or .gz, or for claude-code a folder); try: weir import --help',
  ],
])('%j is refused, and told what was meant', async (words, message) => {
  const data = mkdtempSync(join(cwd, 'data-'))
  const { err, out, code } = await weir([...words], { cwd, env: { WEIR_DATA: data } })
  expect([code, out, err]).toEqual([2, '', `${message}\n`])
})

test.each([
  [['simulate', '--port', '4140.5'], 'weir: --port 4140.5: expected a whole number from 0 to 65535'],
  [['simulate', '--seed', '1.5'], 'weir: --seed 1.5: expected a whole number from 0 to 9007199254740991'],
  [['keys', 'create', '--expires', '99999999d'], 'weir: --expires 99999999d is more than 100 years from now'],
  [
    ['keys', 'create', '--expires', 'yesterday'],
    'weir: --expires yesterday is no time to come: use 30m, 12h, 30d, 2w, 2027-01-31 or 2027-01-31T09:30',
  ],
])('%j is refused before anything begins', async (words, message) => {
  const { err, out, code } = await weir([...words], { cwd })
  expect([code, out, err]).toEqual([2, '', `${message}\n`])
})

test.each([
  ['report'],
  ['report', '--per', 'ticket'],
  ['reconcile', 'openai', '--file', 'bill.json'],
  ['prices', 'list'],
  ['prices', 'diff', 'weir', 'genai-prices'],
  ['tokens', 'draft.txt'],
])('%s %s %s is one answer, as CSV or as JSON', async (...words) => {
  const { err, out, code } = await weir([...words, '--csv', '--json'], { cwd })
  expect([code, out, err]).toEqual([2, '', 'weir: choose --csv or --json: one answer cannot be both\n'])
})

test.each([
  ['--verison', '--version'],
  ['--hlep', '--help'],
])('weir %s is refused with what was meant', async (word, meant) => {
  expect((await weir([word])).err).toBe(`weir: weir has no flag ${word}; did you mean ${meant}?\n`)
})

test.each([
  [['cache', 'list', '--json'], '[]'],
  [['cache', 'stats', '--json'], '{"answers":0,"bytes":0,"expired":0,"partitions":0}'],
  [['cache', 'purge', '--all', '--json'], '{"purged":0}'],
])('%j finds nothing where no answer was ever stored, and makes no file', async (words, found) => {
  mkdirSync(join(cwd, 'weir-data', 'journal'), { recursive: true })
  const { out, code } = await weir(words, { cwd })
  expect([code, JSON.stringify(JSON.parse(out))]).toEqual([0, found])
  expect(readdirSync(join(cwd, 'weir-data'))).toEqual(['journal'])
})

test('stored answers that cannot be purged are not said to be none', async () => {
  const path = join(cwd, 'weir-data', 'answers.db')
  mkdirSync(join(cwd, 'weir-data', 'journal'), { recursive: true })
  mkdirSync(path)
  const { err, out, code } = await weir(['cache', 'purge', '--all'], { cwd })
  expect([code === 0, out]).toEqual([false, ''])
  expect(err).toContain(`the file of stored answers cannot be used: ${path}`)
})

test('a key can end in minutes', async () => {
  const { out } = await weir(['keys', 'create', '--expires', '30m', '--json'], { cwd })
  const made = JSON.parse(out)
  expect(made.expires_at_us - made.created_at_us).toBe(30 * 60_000_000)
})

describe('weir init', () => {
  test('writes a file that serves as it is, and does not write over one', async () => {
    expect((await weir(['init'], { cwd })).out).toMatch(/weir\.yaml is written/)
    expect(readFileSync(join(cwd, 'weir.yaml'), 'utf8')).toBe(template)
    const settings = loadSettings({ cwd, env: {}, providers })
    expect(settings).toMatchObject({ port: 4141, mode: 'pass-through', data: join(cwd, 'weir-data') })
    writeFileSync(join(cwd, 'weir.yaml'), 'port: 1\n')
    const again = await weir(['init'], { cwd })
    expect([again.code, again.err]).toMatchObject([2, expect.stringMatching(/is there already; weir init --force/)])
    await weir(['init', '--force'], { cwd })
    expect(readFileSync(join(cwd, 'weir.yaml'), 'utf8')).toBe(template)
  })

  test('it offers every field there is, right when it is uncommented, with its default', async () => {
    const whole = template.replaceAll(/^# /gm, '')
    writeFileSync(join(cwd, 'weir.yaml'), whole)
    const env = {
      OPENAI_API_KEY: 'a',
      AZURE_OPENAI_API_KEY: 'b',
      SLACK_WEBHOOK: 'https://hooks.slack.com/services/x',
      PAGERDUTY_KEY: 'c'.repeat(32),
    }
    const offered = loadSettings({ cwd, env, providers })
    rmSync(join(cwd, 'weir.yaml'))
    expect(Object.keys(parse(whole)).sort()).toEqual(Object.keys(file.shape).sort())
    const lists = ['providers', 'routes', 'policies', 'prices', 'budgets', 'channels', 'alerts']
    const examples = [...lists, 'console', 'organisation', 'services', 'threads']
    const fixed = (settings: object) => Object.entries(settings).filter(([name]) => !examples.includes(name))
    expect(fixed(offered)).toEqual(fixed(loadSettings({ cwd, env, providers })))
    const { providers: named, routes, policies, prices, threads, budgets, channels, alerts } = offered
    expect([channels.length, alerts.routes.length, alerts.contain.length]).toEqual([2, 2, 1])
    expect(named.slice(0, 3).map(({ name }) => name)).toEqual(['openai', 'azure-eu', 'vllm'])
    expect([routes.length, policies.length, prices.length, threads]).toEqual([1, 2, 1, 1])
    expect(budgets.map(({ name }) => name)).toEqual(['company', 'search', 'agent-runs'])
  })
})

test('weir import says what the format reads where a folder holds nothing of it', async () => {
  const { code, out, err } = await weir(['import', 'claude-code', cwd], { cwd })
  expect([code, out.split(' brought')[0]]).toEqual([0, '0 calls'])
  expect(err).toBe(
    `${cwd} holds none: claude-code reads session logs of Claude Code: a .jsonl file, or a folder such as ~/.claude/projects with all below it\n`,
  )
})

describe('weir keys', () => {
  const keys = (words: readonly string[]) => weir(['keys', ...words], { cwd })
  const set = (input: string, name = 'openai') => weirProcess(['keys', 'provider', 'set', name], input, { cwd })

  test('shows a key once, and keeps nothing it could be made from', async () => {
    const { out } = await keys([
      'create',
      '--team',
      'search',
      '--name',
      'api',
      '--tag',
      'cc=4711',
      '--models',
      'gpt-5*,claude-*',
      '--expires',
      '30d',
      '--json',
    ])
    const made = JSON.parse(out)
    expect(made).toMatchObject({ name: 'api', team: 'search', tags: { cc: '4711' }, models: ['gpt-5*', 'claude-*'] })
    expect(made.token).toMatch(/^weir_[\w-]{43}$/)
    expect(made.expires_at_us - made.created_at_us).toBe(30 * 86_400_000_000)
    const list = await keys(['list'])
    expect(list.out).toMatch(
      /^key_[0-9a-f]{16} {2}api {3}weir_.{4}… {2}active {2}team=search cc=4711 {2}gpt-5\* claude-\* {2}all/m,
    )
    for (const name of ['store.db', 'store.db-wal', 'secret']) {
      const path = join(cwd, 'weir-data', name)
      if (existsSync(path)) expect(readFileSync(path, 'latin1')).not.toContain(made.token.slice(9))
    }
    expect((await keys(['list', '--json'])).out).not.toMatch(/"hash"/)
  })

  test('of hours say when they end to the minute, and a change that changes nothing is refused', async () => {
    await keys(['create', '--name', 'brief', '--expires', '2h'])
    expect((await keys(['list'])).out).toMatch(/brief .* \d{4}-\d\d-\d\d \d\d:\d\d UTC$/m)
    const idle = await keys(['change', 'brief'])
    expect([idle.code, idle.err]).toEqual([2, expect.stringMatching(/nothing is to be changed: name --models/)])
    expect((await keys(['change', 'brief', '--expires', 'never'])).out).toMatch(/never$/m)
  })

  test('are revoked by id or name, once', async () => {
    const id = JSON.parse((await keys(['create', '--name', 'a', '--json'])).out).id
    await keys(['create', '--name', 'b'])
    expect((await keys(['revoke', 'b'])).out).toMatch(/^The key b \(key_\w+\) is revoked\.$/m)
    expect((await keys(['revoke', id])).code).toBe(0)
    const again = await keys(['revoke', id])
    expect([again.code, again.err]).toEqual([1, `weir: the key ${id} was revoked before\n`])
    expect((await keys(['revoke', 'nobody'])).err).toMatch(/is not there/)
    expect((await keys(['list'])).out.match(/revoked/g)).toHaveLength(2)
  })

  test('of providers come from standard input, are kept sealed, and are used in keys mode', async () => {
    const done = await set('sk-canary-1\n')
    expect([done.code, done.out]).toMatchObject([0, expect.stringMatching(/^The key of openai is kept, sealed\./)])
    expect((await keys(['provider', 'list'])).out).toBe('openai\n')
    for (const name of ['store.db', 'store.db-wal']) {
      const path = join(cwd, 'weir-data', name)
      if (existsSync(path)) expect(readFileSync(path, 'latin1')).not.toContain('canary')
    }
    const { storedCredentials } = await import('../../src/cli/keys/vault.ts')
    expect(await storedCredentials({ data: join(cwd, 'weir-data') })).toEqual({ openai: { api_key: 'sk-canary-1' } })
    expect((await keys(['provider', 'remove', 'openai'])).code).toBe(0)
    expect((await keys(['provider', 'remove', 'openai'])).code).toBe(1)
  })

  test('of providers that are no key are refused without being repeated', async () => {
    for (const input of ['', 'two canary words', '{"api_kee":"canary"}', '{"api_key":', '{}']) {
      const { code, err, out } = await set(input)
      expect(code).toBe(2)
      expect(err + out).not.toContain('canary')
    }
    for (const half of ['access_key_id', 'secret_access_key']) {
      const { code, err } = await set(JSON.stringify({ [half]: 'canary' }), 'aws-bedrock')
      expect([code, err]).toEqual([2, 'weir: access_key_id and secret_access_key belong together: give both\n'])
    }
    expect((await set('k', 'opnai')).err).toMatch(/no built-in provider.*did you mean openai\?/)
  })
})

describe('a file that cannot be one', () => {
  test.each([
    [['import', 'focus', '.'], 'it is a folder, not a file (EISDIR)'],
    [['focus', 'check', '.'], 'it is a folder, not a file (EISDIR)'],
    [['serve', '--config', '.'], 'it is a folder, not a file (EISDIR)'],
    [['report', '--data', 'taken'], 'taken cannot be used (it is a file, not a folder)'],
    [['import', 'claude-code', '.', '--data', 'taken'], 'taken cannot be used (EEXIST: file already exists'],
    [['serve', '--data', 'taken/deeper'], 'deeper cannot be used (ENOTDIR'],
  ])('is said to be that, and is no fault in Weir: %j', async (words, said) => {
    writeFileSync(join(cwd, 'taken'), '')
    const { code, err } = await weir(words, { cwd })
    expect([code, err]).toEqual([2, expect.stringContaining(said)])
    expect(err).not.toContain('fault in Weir')
  })

  test.skipIf(!existsSync('/proc/self'))('below /proc, where none can be made, keeps nobody waiting', async () => {
    for (const words of [['serve'], ['keys', 'create', '--name', 'k']]) {
      const { code, err } = await weir([...words, '--data', '/proc/weir/deep'], { cwd })
      expect([code, err]).toEqual([2, expect.stringContaining('/proc/weir/deep cannot be used (ENOENT')])
    }
  })
})

describe('weir serve', () => {
  test('says where it listens and how to use it, stops cleanly, and the ledger is there afterwards', async () => {
    const child = start(['serve', '--port', '0', '--log-level', 'silent'], { cwd, env: { COLUMNS: '100' } })
    let out = ''
    let err = ''
    child.stderr.setEncoding('utf8').on('data', (piece: string) => {
      err += piece
    })
    for await (const piece of child.stdout.setEncoding('utf8')) {
      out += piece
      if (out.includes('weir leaks')) break
    }
    const url = /listens on (http:\/\/127\.0\.0\.1:\d+)/.exec(out)?.[1] ?? ''
    const console = /console +(http:\/\/127\.0\.0\.1:\d+)/.exec(out)?.[1] ?? ''
    const shown = out.replaceAll(url, 'URL').replaceAll(console, 'CONSOLE').replaceAll(cwd, 'FOLDER')
    expect(shown).toMatchInlineSnapshot(`
      "Weir listens on URL

        Clients send their own provider key; every call is metered.

          export OPENAI_BASE_URL=URL/v1
          export ANTHROPIC_BASE_URL=URL
          export GOOGLE_GEMINI_BASE_URL=URL

        mode     pass-through
        data     FOLDER/weir-data
        console  CONSOLE (weir console token create --admin)
        then     weir report · weir calls --follow · weir leaks
      "
    `)
    expect(await (await fetch(`${console}/health`)).json()).toEqual({ status: 'ok' })
    expect((await fetch(`${url}/healthz`)).status).toBe(200)
    child.kill('SIGTERM')
    const [code] = await once(child, 'exit')
    expect([code, err]).toEqual([0, 'weir: SIGTERM; finishing the calls under way (once more ends at once)\n'])
    expect((await weir(['report'], { cwd })).out).toMatch(/^The ledger is empty/)
  })

  test('ends in good order, too, when its terminal goes', async () => {
    const child = start(['serve', '--port', '0', '--json', '--log-level', 'silent'], { cwd })
    await once(child.stdout, 'data')
    child.kill('SIGHUP')
    expect(await once(child, 'exit')).toEqual([0, null])
  })

  test('ends and says why where the port is taken', async () => {
    const taken = createServer().listen(0, '127.0.0.1')
    await once(taken, 'listening')
    const { port } = taken.address() as AddressInfo
    const { code, err } = await weirProcess(['serve', '--port', String(port)], '', { cwd })
    taken.close()
    expect([code, err]).toEqual([
      2,
      `weir: 127.0.0.1:${port} is taken by another process: stop that one, or choose another port with --port (0 takes a free one)\n`,
    ])
  })

  test('refuses a broken file with its problems, and does not start', async () => {
    writeFileSync(join(cwd, 'weir.yaml'), 'prot: 1\nmode: kees\n')
    const { code, err } = await weir(['serve'], { cwd })
    expect(code).toBe(2)
    expect(err.replaceAll(cwd, '.')).toMatchInlineSnapshot(`
      "weir: ./weir.yaml has 2 problems:
        line 1, prot: there is no such field; did you mean port?
        line 2, mode: found "kees"; expected one of pass-through, keys
      "
    `)
  })
})

test('weir console says its own flag where the port is taken', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  mkdirSync(join(cwd, 'weir-data', 'journal'), { recursive: true })
  const { code, err } = await weirProcess(['console', '--port', String(port)], '', { cwd })
  taken.close()
  expect([code, err]).toEqual([
    2,
    `weir: the console cannot listen on 127.0.0.1:${port} (EADDRINUSE): choose another port with --port (a gateway that runs has its console already)\n`,
  ])
})
