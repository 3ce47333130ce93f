import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type ControlFile, startControl } from '../../src/gateway/control.ts'
import { holdLedger } from '../../src/gateway/hold.ts'
import { openJournal } from '../../src/gateway/journal.ts'
import { reachLedger } from '../../src/gateway/reach.ts'
import { DAY_US, receipt, START_US, usd, writeSegment } from '../ledger/receipts.ts'

const now_us = () => Date.now() * 1000
const window = { from_us: START_US, to_us: START_US + DAY_US }
let data = ''
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'weir-reach [1]*-'))
})
afterEach(() => rmSync(data, { recursive: true }))

/** A gateway's main thread, as far as the ledger is concerned. */
const serve = async (refresh?: () => Promise<unknown>) => {
  const held = await holdLedger(data, { role: 'weir serve' })
  const control = await startControl({
    data,
    ledger: held.ledger,
    status: async () => ({ threads: 2 }),
    ...(refresh ? { refresh } : {}),
  })
  const file = JSON.parse(readFileSync(join(data, 'control.json'), 'utf8')) as ControlFile
  const ask = async (method: string, path: string, body?: string, token = file.token) => {
    const response = await fetch(`http://127.0.0.1:${control.port}${path}`, {
      method,
      headers: { authorization: `Bearer ${token}` },
      ...(body === undefined ? {} : { body }),
    })
    return { status: response.status, body: (await response.json()) as unknown }
  }
  const stop = async () => {
    await control.close()
    await held.close()
  }
  return { ledger: held.ledger, file, ask, stop }
}

describe('the ledger is reached', () => {
  test('without a gateway: the journal of one that died is recovered and appended first', async () => {
    // Not closed, and its timer never comes: its process is thought of as dead.
    const journal = openJournal({ folder: join(data, 'journal'), thread: 't', now_us, fsync_ms: 3_600_000 })
    journal.receipt(receipt({ started_at_us: START_US, cost_usd: usd('1') }))
    journal.open(receipt({ started_at_us: START_US, price_state: 'priced', reserved_usd: usd('0.5') }))
    const ledger = await reachLedger(data, { now_us })
    const { total } = await ledger.query({ ask: 'spend', window, group_by: [] })
    expect(total).toMatchObject({ calls: 2, cost_usd: '1.5' })
    await ledger.close()
    expect(readdirSync(join(data, 'journal'))).toEqual([])
    const again = await reachLedger(data, { now_us })
    expect((await again.query({ ask: 'extent' })).receipts).toBe(2)
    await again.close()
  })

  test('through a running gateway, with the same answers and the same errors', async () => {
    const gateway = await serve()
    mkdirSync(join(data, 'import'))
    const path = join(data, 'import', 'calls.ndjson')
    writeSegment(path, [receipt({ started_at_us: START_US, team: 'a', cost_usd: usd('0.000000000001') })])
    const remote = await reachLedger(data, { now_us })
    expect(await remote.append({ name: 'import-1', path, deduplicate: 'receipts' })).toEqual({
      segment: 'appended',
      receipts: 1,
      skipped: 0,
    })
    const question = { ask: 'spend', window, group_by: ['team'], compare: true, slices: 2 } as const
    expect(await remote.query(question)).toEqual(await gateway.ledger.query(question))
    const odd = { ask: 'spend', window, group_by: ['nothing' as 'team'] } as const
    await expect(remote.query(odd)).rejects.toMatchObject({
      name: 'WeirError',
      code: 'bad-request',
      message: expect.stringContaining('"nothing"'),
    })
    await remote.close()
    await gateway.stop()
  })

  test.each([
    ['0.0.9', 'is Weir 0.0.9, and this command is'],
    [undefined, 'is an older version of Weir, and this command is'],
  ])('not through a gateway of another version (%s): who asks is told to start it again', async (version, said) => {
    const gateway = await serve()
    writeFileSync(join(data, 'control.json'), JSON.stringify({ ...gateway.file, version }))
    await expect(reachLedger(data, { now_us })).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(
        new RegExp(`^the gateway that runs on .* ${said} .*start it again \\(weir serve\\)$`),
      ),
    })
    await gateway.stop()
  })

  test('of a copy of a folder whose gateway runs: the copy’s own, and not the gateway’s', async () => {
    const gateway = await serve()
    const copy = mkdtempSync(join(tmpdir(), 'weir-copy-'))
    cpSync(data, copy, { recursive: true })
    writeSegment(join(data, 'later.ndjson'), [receipt({ started_at_us: START_US })])
    await gateway.ledger.append({ name: 'later', path: join(data, 'later.ndjson') })
    const [own, copied] = [await reachLedger(data, { now_us }), await reachLedger(copy, { now_us })]
    expect((await own.query({ ask: 'extent' })).receipts).toBe(1)
    expect((await copied.query({ ask: 'extent' })).receipts).toBe(0)
    for (const end of [own, copied]) await end.close()
    await gateway.stop()
    rmSync(copy, { recursive: true })
  })

  test('after a gateway that left its control file behind', async () => {
    writeFileSync(join(data, 'control.json'), JSON.stringify({ port: 1, token: 'x', pid: process.pid }))
    const ledger = await reachLedger(data, { now_us })
    expect((await ledger.query({ ask: 'extent' })).receipts).toBe(0)
    await ledger.close()
  })

  test('not at all where the gateway ends before it has answered: who asks is told so, and what to do', async () => {
    const gateway = await serve()
    const remote = await reachLedger(data, { now_us })
    await gateway.stop()
    await expect(remote.query({ ask: 'extent' })).rejects.toMatchObject({
      code: 'shutting-down',
      message: `the gateway that ran on ${data} ended before it answered: give the command again`,
    })
  })

  test('by one command after the other; who waits too long is told who has it', async () => {
    const first = await reachLedger(data, { now_us, role: 'weir import' })
    await expect(reachLedger(data, { now_us, wait_ms: 300 })).rejects.toMatchObject({
      code: 'overloaded',
      message: expect.stringContaining(`weir import, process ${process.pid}`),
    })
    const second = reachLedger(data, { now_us, wait_ms: 10_000 })
    await first.close()
    await (await second).close()
  })
})

describe('the control port', () => {
  test('brings the journal up to date before it answers', async () => {
    let refreshed = 0
    const gateway = await serve(async () => {
      refreshed += 1
    })
    expect(await gateway.ask('POST', '/query', '{"ask":"extent"}')).toMatchObject({
      status: 200,
      body: { receipts: 0 },
    })
    expect(refreshed).toBe(1)
    await gateway.stop()
  })

  test('answers nobody without the token, which only the owner can read', async () => {
    const gateway = await serve()
    expect(statSync(join(data, 'control.json')).mode & 0o777).toBe(0o600)
    for (const token of ['', 'x', `${gateway.file.token}x`, gateway.file.token.toLowerCase()])
      expect(await gateway.ask('GET', '/status', undefined, token)).toMatchObject({ status: 401 })
    expect(await gateway.ask('GET', '/status')).toEqual({ status: 200, body: { pid: process.pid, threads: 2 } })
    await gateway.stop()
  })

  test('answers nonsense with an error and goes on', async () => {
    const gateway = await serve()
    expect(await gateway.ask('POST', '/query', '{"ask":')).toMatchObject({
      status: 400,
      body: { error: { code: 'malformed-json' } },
    })
    expect(await gateway.ask('POST', '/query', 'null')).toMatchObject({ status: 400 })
    expect(await gateway.ask('POST', '/query', '{"ask":"everything"}')).toMatchObject({ status: 400 })
    expect(await gateway.ask('POST', '/query', ' '.repeat(2 * 1024 * 1024))).toMatchObject({ status: 413 })
    expect(await gateway.ask('GET', '/else')).toMatchObject({ status: 404 })
    expect(await gateway.ask('POST', '/query', '{"ask":"extent"}')).toMatchObject({ status: 200 })
    await gateway.stop()
  })

  test('appends files of the import folder and no others', async () => {
    const gateway = await serve()
    writeSegment(join(data, 'outside.ndjson'), [receipt()])
    for (const file of ['../outside.ndjson', '/etc/passwd', '..', '.', '', 'a/b.ndjson', 7])
      expect(await gateway.ask('POST', '/append', JSON.stringify({ name: 'n', file }))).toMatchObject({ status: 400 })
    expect(await gateway.ask('POST', '/append', 'null')).toMatchObject({ status: 400 })
    const remote = await reachLedger(data, { now_us })
    await expect(async () => remote.append({ name: 'n', path: join(data, 'outside.ndjson') })).rejects.toMatchObject({
      code: 'bad-input',
    })
    expect((await gateway.ledger.query({ ask: 'extent' })).receipts).toBe(0)
    await gateway.stop()
  })

  test('is gone with its file once it is closed', async () => {
    const gateway = await serve()
    await gateway.stop()
    expect(readdirSync(data)).not.toContain('control.json')
    await expect(gateway.ask('GET', '/status')).rejects.toThrow()
  })
})
