import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, describe, expect, test } from 'vitest'
import { meterBody } from '../../src/cli/import/meter.ts'
import type { Imported, Importer, ImportOptions } from '../../src/core/importer.ts'
import type { PriceRow } from '../../src/core/price.ts'
import { importer as agentTrace } from '../../src/importers/agent-trace.ts'
import { importer as calls } from '../../src/importers/calls.ts'
import { importer as claudeCode } from '../../src/importers/claude-code.ts'
import { importer as mooncake } from '../../src/importers/mooncake.ts'
import { compileBook } from '../../src/playbook/price/book.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-import-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const row: PriceRow = {
  id: 'anthropic/claude-test',
  layer: 'weir',
  provider: 'anthropic',
  models: ['claude-test'],
  rates: {
    'in.text.fresh': '5',
    'in.text.cache_read': '0.5',
    'in.text.cache_write_5m': '6.25',
    'in.text.cache_write_1h': '10',
    'out.text.visible': '25',
  },
  source: 'test',
  checked_at: '2026-11-23',
}

const options: ImportOptions = {
  payer: {},
  columns: {},
  epoch_us: Date.parse('2026-11-01T00:00:00Z') * 1000,
  now_us: Date.parse('2026-11-29T00:00:00Z') * 1000,
  book: compileBook({ rows: [row], version: 'test' }),
  meter: meterBody,
}

const read = async (importer: Importer, name: string, content: string | Buffer, more: Partial<ImportOptions> = {}) => {
  const path = join(folder, name)
  writeFileSync(path, content)
  const rows: Imported[] = []
  for await (const found of importer.read(path, { ...options, ...more }, () => {})) rows.push(found)
  return {
    receipts: rows.flatMap((found) => ('receipt' in found ? [found.receipt] : [])),
    bad: rows.flatMap((found) => ('bad' in found ? [found] : [])),
  }
}

describe('agent-trace', () => {
  const session = {
    session: 's1',
    block_tokens: 64,
    requests: [
      { t: 0, model: 'claude-test', stream: true, in: 1000, out: 10, parent: null, shared: 0, tools: 300, system: 100 },
      {
        t: 2.5,
        model: 'claude-test',
        in: 1500,
        out: 20,
        parent: 0,
        shared: 960,
        tools: 300,
        system: 100,
        stop: 'end_turn',
      },
      { t: 9, model: 'claude-test', in: 'many', out: 1, parent: 1, shared: 0 },
      { t: 10, model: 'claude-test', in: 1600, out: 5, parent: 1, shared: 1472, tools: 300, system: 100 },
    ],
  }
  const text = `${JSON.stringify(session)}\nnot json\n{"session":7}\n`

  test('every request is a receipt at fresh prices, with its times, step, anatomy and prefix chain', async () => {
    const { receipts } = await read(agentTrace, 'trace.jsonl', text)
    expect(receipts.map((r) => [r.step, r.input_tokens, r.output_tokens, r.cost_usd])).toEqual([
      [0, 1000, 10, '0.00525'],
      [1, 1500, 20, '0.008'],
      [3, 1600, 5, '0.008125'],
    ])
    const second = receipts[1]
    expect(second?.started_at_us).toBe(options.epoch_us + 2_500_000)
    expect(second).toMatchObject({ tools_tokens: 300, system_tokens: 100, history_tokens: 560, context_tokens: 540 })
    expect(second?.prefix_tokens).toEqual([960, 1472, 1500])
    expect(receipts[2]?.prefix_hashes?.slice(0, 2)).toEqual(second?.prefix_hashes?.slice(0, 2))
    expect(receipts[0]?.prefix_hashes?.[0]).toBe(second?.prefix_hashes?.[0])
  })

  test('what cannot be read is named with its line, and the rest is kept', async () => {
    const { bad, receipts } = await read(agentTrace, 'trace-bad.jsonl', text)
    expect(receipts).toHaveLength(3)
    expect(bad.map(({ line }) => line)).toEqual([1, 2, 3])
    expect(bad[0]).toMatchObject({ bad: 'session s1, request 2: "in" and "out" must be whole token counts' })
  })

  test('what no receipt can hold is named too, and null says nothing', async () => {
    const good = { t: 0, model: 'claude-test', in: 10, out: 1, parent: null, shared: 0 }
    const odd = [{ t: 1e300 }, { in: 1e30 }, { api_time: 'soon' }, { ttft: -1 }, { tools: 0.5 }, { system: '7' }]
    const absent = { ...good, ttft: null, api_time: null, tools: null, agent: null, stop: null }
    const requests = [...odd.map((more) => ({ ...good, ...more })), absent]
    const { receipts, bad } = await read(agentTrace, 'trace-odd.jsonl', JSON.stringify({ session: 's', requests }))
    expect(bad.map((one) => one.bad.replace(/^.*?: /, ''))).toEqual([
      `"t" must be seconds from the session's start`,
      '"in" and "out" must be whole token counts',
      '"api_time" and "ttft" must be seconds',
      '"api_time" and "ttft" must be seconds',
      '"tools" and "system" must be token counts',
      '"tools" and "system" must be token counts',
    ])
    expect(receipts).toHaveLength(1)
    for (const name of ['first_token_at_us', 'agent', 'finish_reason']) expect(receipts[0]).not.toHaveProperty(name)
  })

  test('a packed file gives the same receipts with the same ids', async () => {
    const plain = await read(agentTrace, 'a.jsonl', text)
    const packed = await read(agentTrace, 'a.jsonl.gz', gzipSync(text))
    expect(packed.receipts).toEqual(plain.receipts)
  })

  test('a cut gzip file is a clear error, not a silent end', async () => {
    const whole = gzipSync(text)
    await expect(read(agentTrace, 'cut.jsonl.gz', whole.subarray(0, whole.length - 12))).rejects.toThrow(
      /cannot be read/,
    )
  })
})

test('a pipe is read from its first byte on', async () => {
  const pipe = join(folder, 'pipe')
  execFileSync('bash', ['-c', `mkfifo '${pipe}'`])
  const request = { timestamp: 0, input_length: 600, output_length: 5, hash_ids: [1, 2] }
  const written = writeFile(pipe, `${JSON.stringify(request)}\n`)
  const rows: Imported[] = []
  for await (const row of mooncake.read(pipe, { ...options, provider: 'anthropic', model: 'claude-test' }, () => {}))
    rows.push(row)
  await written
  expect(rows).toEqual([{ receipt: expect.objectContaining({ input_tokens: 600 }) }])
})

describe('claude-code', () => {
  const line = (more: object, message: object) =>
    JSON.stringify({
      type: 'assistant',
      sessionId: 'session-1',
      cwd: '/home/me/shop',
      gitBranch: 'main',
      version: '2.1.0',
      requestId: 'req_1',
      timestamp: '2026-11-20T10:00:00.000Z',
      ...more,
      message: { id: 'msg_1', model: 'claude-test', role: 'assistant', ...message },
    })
  const usage = (output_tokens: number) => ({
    input_tokens: 10,
    cache_read_input_tokens: 20_000,
    cache_creation_input_tokens: 1000,
    cache_creation: { ephemeral_5m_input_tokens: 400, ephemeral_1h_input_tokens: 600 },
    output_tokens,
  })
  const log = [
    JSON.stringify({ type: 'summary', summary: 'a shop' }),
    JSON.stringify({ type: 'user', message: { role: 'user', content: 'hi' } }),
    line({}, { usage: usage(1) }),
    line({ timestamp: '2026-11-20T10:00:04.000Z' }, { usage: usage(200), stop_reason: 'tool_use' }),
    line({ requestId: 'req_2', isSidechain: true, agentId: 'a7' }, { id: 'msg_2', usage: usage(5) }),
    line({ requestId: 'req_3' }, { id: 'msg_3', model: '<synthetic>', usage: usage(0) }),
    line({ requestId: 'req_4', timestamp: 'yesterday' }, { id: 'msg_4', usage: usage(5) }),
  ].join('\n')

  test('a message that is logged once for every block is billed once, at its final counts', async () => {
    const { receipts, bad } = await read(claudeCode, 'session-1.jsonl', log)
    expect(receipts.map((r) => [r.provider_response_id, r.output_tokens])).toEqual([
      ['msg_1', 200],
      ['msg_2', 5],
    ])
    // 10 × 5 + 20,000 × 0.5 + 400 × 6.25 + 600 × 10 + 200 × 25 per million
    expect(receipts[0]).toMatchObject({
      cost_usd: '0.02355',
      cache_read_tokens: 20_000,
      cache_write_tokens: 1000,
      cache_write_1h_tokens: 600,
      session: 'session-1',
      agent: 'main',
      finish_reason: 'tool_use',
      tags: { project: 'shop', branch: 'main', client: 'claude-code/2.1.0' },
    })
    expect(receipts[1]?.agent).toBe('a7')
    expect(bad).toEqual([{ bad: 'session-1.jsonl: an assistant line without a timestamp', line: 7 }])
  })

  test('an answer that is still being written is left for a later import, so that its first counts are not its last', async () => {
    const begun = line({}, { usage: usage(1) })
    const ended = line({ timestamp: '2026-11-20T10:05:00.000Z' }, { usage: usage(9000), stop_reason: 'end_turn' })
    const at = (time: string) => ({ now_us: Date.parse(`2026-11-20T${time}Z`) * 1000 })
    expect(await read(claudeCode, 'session-1.jsonl', begun, at('10:04:00'))).toEqual({
      receipts: [],
      bad: [{ bad: 'session-1.jsonl: an answer that is still being written: import again later', line: 1 }],
    })
    const whole = await read(claudeCode, 'session-1.jsonl', `${begun}\n${ended}`, at('10:05:01'))
    expect(whole.receipts.map((r) => r.output_tokens)).toEqual([9000])
    // What was cut off says no reason ever.
    const cut = await read(claudeCode, 'session-1.jsonl', begun, at('10:11:00'))
    expect(cut.receipts.map((r) => r.output_tokens)).toEqual([1])
  })

  test('a log that cannot be read is named, and those beside it are brought in', async () => {
    const logs = join(folder, 'logs')
    mkdirSync(join(logs, 'a-folder.jsonl'), { recursive: true })
    symlinkSync(join(folder, 'cleared-away.jsonl'), join(logs, 'b.jsonl'))
    writeFileSync(join(logs, 'c.jsonl'), line({ cwd: `/home/${'x'.repeat(9000)}` }, { usage: usage(5) }))
    const found: Imported[] = []
    for await (const row of claudeCode.read(logs, options, () => {})) found.push(row)
    expect(found).toEqual([
      { bad: expect.stringMatching(/a-folder\.jsonl cannot be read: EISDIR/), line: 0 },
      { bad: expect.stringMatching(/b\.jsonl cannot be read: ENOENT/), line: 0 },
      { receipt: expect.objectContaining({ output_tokens: 5 }) },
    ])
    const [last] = found.slice(-1)
    expect(last && 'receipt' in last && last.receipt.tags?.['project']).toHaveLength(256)
  })

  test('a message copied into a resumed session keeps its id', async () => {
    const first = await read(claudeCode, 'session-1.jsonl', log)
    const resumed = await read(claudeCode, 'session-2.jsonl', log.replaceAll('session-1', 'session-2'))
    expect(resumed.receipts.map((r) => r.receipt_id)).toEqual(first.receipts.map((r) => r.receipt_id))
  })
})

describe('calls', () => {
  const columns = { started_at: 'TIMESTAMP', input_tokens: 'ContextTokens', output_tokens: 'GeneratedTokens' }
  const known = { columns, provider: 'anthropic', model: 'claude-test' }
  const csv = [
    'TIMESTAMP,ContextTokens,GeneratedTokens,Team',
    '2023-11-16 18:15:46.6805900,374,44,"search, web"',
    '2023-11-16 18:15:50.9951690,396,109,',
    'once,396,109,',
    '2023-11-16 18:15:51,12.5,1,',
    '2023-11-16 18:15:50.9951690,396,109,',
  ].join('\n')

  test('times that cannot be are named by their field, and names lose the blanks around them', async () => {
    const call = { started_at: '2026-11-01', provider: 'openai', model: 'gpt-4o', input_tokens: 1, output_tokens: 1 }
    const day = Date.UTC(2026, 10, 1) * 1000
    const rows = [
      { duration_ms: 'fast' },
      { duration_ms: -1 },
      { ttft_ms: 'soon' },
      { ended_at: 'later' },
      { ended_at: '2026-10-31' },
      { started_at: 1e30 },
      { input_tokens: 1e30 },
      { duration_ms: 1500, ttft_ms: 20, team: ' search ', feature: ' ' },
    ].map((more) => JSON.stringify({ ...call, ...more }))
    const { receipts, bad } = await read(calls, 'times.jsonl', rows.join('\n'))
    expect(bad.map((one) => one.bad)).toEqual([
      'duration_ms is not a length of time: "fast"',
      'duration_ms is not a length of time: -1',
      'ttft_ms is not a length of time: "soon"',
      'ended_at is not a time: "later"',
      'ended_at is before started_at: "2026-10-31"',
      'started_at is not a time: 1e+30',
      'input_tokens is not a whole count: 1e+30',
    ])
    expect(receipts).toMatchObject([{ ended_at_us: day + 1_500_000, first_token_at_us: day + 20_000, team: 'search' }])
    expect(receipts[0]?.feature).toBeUndefined()
  })

  test('mapped columns become receipts; equal rows are different calls; bad rows are named', async () => {
    const { receipts, bad } = await read(calls, 'calls.csv', csv, { ...known, columns: { ...columns, team: 'Team' } })
    expect(receipts.map((r) => [r.started_at_us, r.input_tokens, r.output_tokens, r.team])).toEqual([
      [Date.parse('2023-11-16T18:15:46Z') * 1000 + 680_590, 374, 44, 'search, web'],
      [Date.parse('2023-11-16T18:15:50Z') * 1000 + 995_169, 396, 109, undefined],
      [Date.parse('2023-11-16T18:15:50Z') * 1000 + 995_169, 396, 109, undefined],
    ])
    expect(new Set(receipts.map((r) => r.receipt_id)).size).toBe(3)
    expect(bad).toEqual([
      { bad: 'started_at is not a time: "once"', line: 4 },
      { bad: 'input_tokens is not a whole count: "12.5"', line: 5 },
    ])
  })

  test('JSONL with fields of their own names needs no mapping; parts are taken out of the totals', async () => {
    const call = {
      started_at: 1_790_000_000,
      provider: 'anthropic',
      model: 'claude-test',
      input_tokens: 1000,
      cache_read_tokens: 900,
      output_tokens: 10,
      duration_ms: 1500,
      feature: 'answers',
    }
    const { receipts } = await read(calls, 'calls.jsonl', `${JSON.stringify(call)}\n`)
    // 100 × 5 + 900 × 0.5 + 10 × 25 per million
    expect(receipts[0]).toMatchObject({
      cost_usd: '0.0012',
      input_tokens: 1000,
      cache_read_tokens: 900,
      feature: 'answers',
    })
    expect(receipts[0]?.ended_at_us).toBe(1_790_000_001_500_000)
  })

  test('rows of JSON need not all have a column that the mapping names, but one has it', async () => {
    const call = {
      started_at: 1_790_000_000,
      model: 'claude-test',
      provider: 'anthropic',
      input_tokens: 5,
      output_tokens: 1,
    }
    const lines = [call, 'no JSON', { ...call, Owner: 'search' }].map((row) => `${JSON.stringify(row)}\n`).join('')
    const { receipts } = await read(calls, 'calls.jsonl', lines, { columns: { team: 'Owner' } })
    expect(receipts.map(({ team }) => team)).toEqual([undefined, 'search'])
    await expect(read(calls, 'calls.jsonl', lines, { columns: { team: 'Owners' } })).rejects.toThrow(
      /team=Owners: no such column.*Owner/s,
    )
  })

  test('a mapping that cannot be is refused with what there is', async () => {
    const wrong = { ...known, columns: { ...columns, input_tokens: 'Prompt' } }
    await expect(read(calls, 'c.csv', csv, wrong)).rejects.toThrow(
      /input_tokens=Prompt: no such column.*ContextTokens/s,
    )
    await expect(read(calls, 'c.csv', csv, { ...known, columns: { ...columns, colour: 'Team' } })).rejects.toThrow(
      /no such field/,
    )
    await expect(read(calls, 'c.csv', csv, { columns })).rejects.toThrow(/--model/)
  })
})

describe('mooncake', () => {
  const lines = [
    '{"timestamp": 0, "input_length": 1100, "output_length": 5, "hash_ids": [0, 1, 2]}',
    '{"timestamp": 1500, "input_length": 700, "output_length": 9, "hash_ids": [0, 7]}',
    '{"timestamp": 1600, "input_length": 1.5, "output_length": 9, "hash_ids": [0]}',
  ].join('\n')
  const named = { provider: 'anthropic', model: 'claude-test' }

  test('makes the ids of blocks a prefix chain, at the moments of the trace', async () => {
    const { receipts, bad } = await read(mooncake, 'mooncake.jsonl', lines, named)
    const [first, second] = receipts
    expect(receipts).toHaveLength(2)
    expect(first?.prefix_tokens).toEqual([512, 1024, 1100])
    expect(second?.prefix_tokens).toEqual([512, 700])
    expect(second?.prefix_hashes?.[0]).toBe(first?.prefix_hashes?.[0])
    expect(second?.prefix_hashes?.[1]).not.toBe(first?.prefix_hashes?.[1])
    expect((second?.started_at_us ?? 0) - (first?.started_at_us ?? 0)).toBe(1_500_000)
    expect(first?.cost_usd).toBe('0.005625')
    expect(bad).toEqual([{ bad: '"input_length" and "output_length" must be whole token counts', line: 3 }])
  })

  test('asks for the model, which the trace does not name', async () => {
    await expect(read(mooncake, 'mooncake.jsonl', lines)).rejects.toThrow('add --provider NAME and --model NAME')
  })
})
