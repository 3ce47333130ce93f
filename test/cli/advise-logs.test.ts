/** `weir advise` on what Claude Code has logged: counts and times, and no prompts. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Advice } from '../../src/playbook/advise/advice.ts'
import { weir } from './run.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-logs-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const TURNS = 12
const START_MS = Date.UTC(2026, 10, 9, 9)

/** A session whose context grows by 2,000 tokens a turn; every fourth turn is a subagent's, of a cheaper model. */
const sessionLines = (session: string): string[] =>
  Array.from({ length: TURNS }, (_, turn) => {
    const side = turn % 4 === 3
    return JSON.stringify({
      type: 'assistant',
      isSidechain: side,
      sessionId: session,
      requestId: `req_${session}_${turn}`,
      timestamp: new Date(START_MS + turn * 30_000).toISOString(),
      uuid: `${session}-${turn}`,
      version: '2.0.14',
      message: {
        id: `msg_${session}_${turn}`,
        role: 'assistant',
        model: side ? 'claude-haiku-4-5-20251001' : 'claude-opus-4-5-20251101',
        content: [{ type: 'text' }],
        stop_reason: 'end_turn',
        usage: {
          input_tokens: 4,
          cache_read_input_tokens: turn === 0 ? 0 : 12_000 + turn * 2000,
          cache_creation_input_tokens: turn === 0 ? 14_000 : 2000,
          cache_creation: { ephemeral_5m_input_tokens: turn === 0 ? 14_000 : 2000, ephemeral_1h_input_tokens: 0 },
          output_tokens: 300,
        },
      },
    })
  })

const data = join(folder, 'data')
const ask = async (...words: string[]): Promise<string> => {
  const { out, err, code } = await weir(
    ['advise', '--since', '2026-11-09', '--until', '2026-11-10', '--data', data, ...words],
    { env: { COLUMNS: '110', NO_COLOR: '1' } },
  )
  expect(code, err).toBe(0)
  return out
}
const advice = async (...words: string[]) => JSON.parse(await ask('--json', ...words)) as Advice

beforeAll(async () => {
  const logs = join(folder, 'projects', '-home-somebody-app')
  mkdirSync(logs, { recursive: true })
  for (const name of ['one', 'two', 'three'])
    writeFileSync(join(logs, `${name}.jsonl`), `${sessionLines(name).join('\n')}\n`)
  const { code, err } = await weir(['import', 'claude-code', join(folder, 'projects'), '--data', data])
  expect(code, err).toBe(0)
})

describe('weir advise over logs without prompts', () => {
  test('says that levers cannot be judged on them, and not that none would pay', async () => {
    const { calls, together, notes } = await advice()
    expect([calls, together.mid_usd]).toEqual([3 * TURNS, '0'])
    expect(notes[0]).toMatch(/cannot be told from these receipts/)
    expect(notes.join(' ')).toContain('cannot be replayed for 36 of 36 calls')
    expect(await ask()).not.toContain('Nothing pays')
  })

  test('says what the client’s own marks have saved, and whether an hour would have paid', async () => {
    const { notes } = await advice()
    const said = notes.find((note) => note.includes('of the client’s own'))
    expect(said).toMatch(/^Provider caching: 36 calls have cache marks of the client’s own, of 36; they saved \$/)
    // Every turn came within half a minute of the one before it.
    expect(said).toMatch(/dearer, and none of them needless: so an hour would not have paid\.$/)
    expect(notes.join(' ')).toContain('Compaction cannot be replayed for 36 of 36 calls')
  })

  test('knows main agent and subagents apart, and what another model would cost', async () => {
    const { by, findings, together, cost_usd } = await advice('--what-if', 'model=claude-haiku-4-5')
    expect(by.rows.map(({ name, calls }) => [name, calls])).toEqual([
      ['main · claude-opus-4-5-20251101', 27],
      ['sidechain · claude-haiku-4-5-20251001', 9],
    ])
    // Haiku 4.5 costs a fifth of Opus 4.5 in every class, and the subagents' calls are its own already.
    const [main, side] = by.rows
    expect(Number(main?.saving_usd) / Number(main?.cost_usd)).toBeCloseTo(0.8, 6)
    expect(Number(side?.saving_usd)).toBe(0)
    expect(Number(together.mid_usd)).toBeLessThan(Number(cost_usd))
    // One lever alone is in as much doubt as all together.
    const [swap] = findings
    expect(together).toMatchObject(swap?.saving ?? {})
  })
})

test('an import says what its source never says', async () => {
  const trace = join(folder, 'trace.jsonl')
  const request = { t: 0, model: 'claude-opus-4-5', in: 9000, out: 10, parent: null, shared: 0 }
  writeFileSync(trace, `${JSON.stringify({ session: 's', requests: [request] })}\n`)
  const bring = (format: string, path: string) => weir(['import', format, path, '--data', join(folder, 'said')])
  const unsaid = 'The trace does not say what a cache served: all input is priced as fresh'
  expect((await bring('agent-trace', trace)).out).toContain(unsaid)
  expect((await bring('claude-code', join(folder, 'projects'))).out).not.toContain(unsaid)
})
