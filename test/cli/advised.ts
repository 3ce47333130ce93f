/** A seeded week of two teams, made so that levers have something to find in it: in a real ledger, told by itself. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { bitsOf, chance } from '../../src/core/chance.ts'
import { encodeLine } from '../../src/core/journal-line.ts'
import { formatUsd, multiply, sum } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { open } from '../../src/ledgers/duckdb.ts'

export const since = '2026-11-09'
export const until = '2026-11-16'

/** Prices of the test: those of a contract stand before the book, so that no later price changes the snapshot. */
const config = `prices:
  - provider: anthropic
    models: [claude-opus-4-5]
    rates:
      in.text.fresh: 5
      in.text.cache_read: 0.5
      in.text.cache_write_5m: 6.25
      in.text.cache_write_1h: 10
      out.text.visible: 25
    source: made for the test
  - provider: anthropic
    models: [claude-haiku-4-5]
    rates:
      in.text.fresh: 1
      in.text.cache_read: 0.1
      in.text.cache_write_5m: 1.25
      in.text.cache_write_1h: 2
      out.text.visible: 5
    source: made for the test
`

const hex = (text: string) => bitsOf(text).toString(16).padStart(8, '0').repeat(2)
const TOOLS = 3_000
const SYSTEM = 2_500
const BEGIN_US = Date.parse(`${since}T08:00:00Z`) * 1000

type Step = Readonly<{ at_us: number; number: number; session: string; turn: number; history: number }>

const receiptOf = (step: Step, over: Partial<Receipt>, next: () => number): Receipt => {
  const { at_us, number, session, turn, history } = step
  const ends = [TOOLS, TOOLS + SYSTEM, ...Array.from({ length: turn }, (_, at) => TOOLS + SYSTEM + history * (at + 1))]
  const input = ends.at(-1) ?? 0
  const output = turn % 9 === 8 ? 4_000 : 150 + Math.floor(next() * 250)
  const id = `${hex(`id ${number}`).slice(0, 8)}-0000-7000-8000-${number.toString(16).padStart(12, '0')}`
  return {
    receipt_id: id,
    call_id: id,
    attempt: 1,
    origin: 'live',
    tenant: 'f00dfeedf00dfeed',
    started_at_us: at_us,
    first_token_at_us: at_us + 700_000,
    ended_at_us: at_us + 700_000 + output * 9_000,
    wire: 'anthropic-messages',
    endpoint: 'messages',
    stream: true,
    provider: 'anthropic',
    model_asked: 'claude-opus-4-5',
    model_served: 'claude-opus-4-5',
    outcome: 'ok',
    http_status: 200,
    finish_reason: 'end_turn',
    session,
    step: turn,
    input_tokens: input,
    input_fresh_tokens: input,
    output_tokens: output,
    system_tokens: SYSTEM,
    tools_tokens: TOOLS,
    usage_source: 'provider',
    usage_quality: 'exact',
    price_state: 'priced',
    price_book: 'test',
    cost_usd: formatUsd(sum([multiply(input, '5'), multiply(output, '25')])),
    fingerprint_exact: hex(`${session} ${turn}`),
    fingerprint_template: hex(over.feature ?? ''),
    fingerprint_conversation: hex(session),
    prefix_hashes: ends.map((_, at) => hex(at < 2 ? `${over.feature} ${at}` : `${session} ${at}`)),
    prefix_tokens: ends,
    ...over,
  }
}

const agents = (next: () => number): Receipt[] =>
  Array.from({ length: 40 }, (_, session) => session).flatMap((session) =>
    Array.from({ length: 4 + Math.floor(next() * 8) }, (_, turn) => {
      const at_us = BEGIN_US + session * 3.5 * 3_600_000_000 + turn * 45_000_000
      const step = { at_us, number: session * 100 + turn, session: `agent-${session}`, turn: turn + 1, history: 900 }
      const removed = Array.from({ length: turn + 3 }, (_, at) => (at < 2 ? 0 : 40 * (at - 1)))
      const trace = { name: 'compact/minify', action: 'observed', why: 'blanks in tool results', removed } as const
      const over: Partial<Receipt> = {
        team: 'search',
        feature: 'agent',
        levers: [{ ...trace, tokens: removed.at(-1) ?? 0 }],
      }
      return receiptOf(step, over, next)
    }),
  )

/** Questions at temperature 0, of which one in two was asked before within the hour. */
const questions = (next: () => number): Receipt[] =>
  Array.from({ length: 240 }, (_, at) => {
    const asked = Math.floor(at / 24) * 12 + Math.floor(next() * 12)
    const step = {
      at_us: BEGIN_US + at * 150_000_000,
      number: 50_000 + at,
      session: `form-${at}`,
      turn: 1,
      history: 300,
    }
    const over = {
      team: 'support',
      feature: 'faq',
      temperature: 0,
      stream: false,
      fingerprint_exact: hex(`faq ${asked}`),
    }
    return receiptOf(step, { ...over, levers: [] }, next)
  })

export type Advised = Readonly<{ folder: string; data: string; config: string; clear(): void }>

/** Fills a data folder and writes a configuration with the test's prices. */
export const advisedFolder = async (): Promise<Advised> => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-advised-'))
  const next = chance(20_261_128)
  const receipts = [...agents(next), ...questions(next)]
  const path = join(folder, 'week.ndjson')
  writeFileSync(path, receipts.map((receipt) => encodeLine('receipt', receipt)).join(''))
  const ledger = await open({ path: join(folder, 'ledger.duckdb') })
  await ledger.append({ name: 'week', path })
  await ledger.close()
  const configured = join(folder, 'weir.yaml')
  writeFileSync(configured, config)
  return { folder, data: folder, config: configured, clear: () => rmSync(folder, { recursive: true, force: true }) }
}
