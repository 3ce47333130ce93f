/** A recorded day: the same traffic through a real gateway and a fresh simulator, with a lever off, watching or on. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { SimulatedCall } from '../../simulator/types.ts'
import { chance } from '../../src/core/chance.ts'
import { encodeLine } from '../../src/core/journal-line.ts'
import type { Chosen, Lever, LeverMode } from '../../src/core/lever.ts'
import { parseUsd, sum } from '../../src/core/money.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { converts } from '../../src/gateway/levers/kit.ts'
import { digest } from '../../src/gateway/prompt.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import type { Advice } from '../../src/playbook/advise/advice.ts'
import { advise } from '../../src/playbook/advise/advise.ts'
import { rateSheet } from '../../src/playbook/advise/rates.ts'
import { cacheRule } from '../../src/playbook/cache/rules.ts'
import { ratios } from '../../src/playbook/measure/ratios.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { startHouse } from '../gateway/harness.ts'
import { prices } from '../gateway/prices.ts'

/** A call of the day; `at_s` is seconds after its beginning. */
export type Step = Readonly<{ at_s: number; path: string; body: string; headers?: Readonly<Record<string, string>> }>

export type Day = Readonly<{
  receipts: readonly Receipt[]
  calls: readonly SimulatedCall[]
  answers: readonly string[]
}>

export const BEGIN_US = Date.parse('2026-11-20T08:00:00Z') * 1000

/** What a lever is told, e.g. settings that throw when they are read. */
export type Said = Readonly<{
  name: string
  mode: LeverMode
  settings: Chosen
  started?: () => void
  /** Knows the right answers (`SimulatorOptions.says`). */
  says?: ((latest: string) => string | undefined) | undefined
}>

const policyOf = ({ name, mode, settings }: Said) => ({
  match: {},
  levers: { [name]: { mode, settings } },
  holdout: 0,
  experiment: 'levers',
})

/** Sends the steps one after the other at their own times; the clock stands still while a call is under way. */
export const runDay = async (steps: readonly Step[], said: Said): Promise<Day> => {
  let now = BEGIN_US
  const house = await startHouse({
    simulator: { seed: 7, now_us: () => now, ...(said.says ? { says: said.says } : {}) },
    settings: { policies: [policyOf(said)] },
    overrides: { now_us: () => now, random: chance(11) },
  })
  said.started?.()
  try {
    const answers: string[] = []
    for (const [at, step] of steps.entries()) {
      now = BEGIN_US + step.at_s * 1_000_000
      const response = await fetch(`${house.gateway.url}${step.path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', 'x-step': String(at), ...step.headers },
        body: step.body,
      })
      const text = await response.text()
      if (!response.ok) throw new Error(`step ${at} was answered ${response.status}: ${text}`)
      answers.push(text)
    }
    return { receipts: await house.receipts(), calls: [...house.simulator.calls], answers }
  } finally {
    await house.close()
  }
}

export const costOf = (receipts: readonly Receipt[]): bigint =>
  sum(receipts.map(({ cost_usd = '0' }) => parseUsd(cost_usd)))

/** What advice says of these receipts in a real ledger, with these levers. */
export const adviceOn = async (
  receipts: readonly Receipt[],
  levers: Readonly<Record<string, Lever>>,
  settings: Readonly<Record<string, Chosen>> = {},
  size: Readonly<{ expected?: number; page?: number }> = {},
): Promise<Advice> => {
  const folder = mkdtempSync(join(tmpdir(), 'weir-day-'))
  const ledger = await open({ path: join(folder, 'ledger.duckdb') })
  try {
    const path = join(folder, 'day.ndjson')
    writeFileSync(path, receipts.map((receipt) => encodeLine('receipt', receipt)).join(''))
    await ledger.append({ name: 'day', path })
    return await advise({
      ledger,
      window: { from_us: BEGIN_US, to_us: BEGIN_US + 86_400_000_000 },
      filters: [],
      by: 'route',
      levers,
      settings,
      sheet: rateSheet(compileBook(prices)),
      ratios: ratios(),
      kit: { hash: digest, cache_rule: cacheRule, converts, seed: 1 },
      expected: size.expected ?? receipts.length,
      page: size.page ?? 25,
    })
  } finally {
    await ledger.close()
    rmSync(folder, { recursive: true })
  }
}

/**
 * A body's bytes by the path that they belong to: values, the names and commas before them, and blanks. Where two bodies have
 * the same pieces outside of some paths, nothing outside of those paths was touched.
 */
export const piecesOf = (raw: string): readonly (readonly [path: string, text: string])[] => {
  const tokens = raw.match(/"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+|\s+/g) ?? []
  const found: [string, string][] = []
  let at = 0
  const take = (path: string): string => {
    const text = tokens[at++] ?? ''
    found.push([path, text])
    return text
  }
  const blanks = (path: string): void => {
    while (/^\s/.test(tokens[at] ?? '')) take(path)
  }
  /** What stands before the next member belongs to it: its comma, its name, its colon. */
  const ahead = (): string => tokens.slice(at).find((text) => text !== ',' && !/^\s/.test(text)) ?? ''
  const member = (path: string, isNamed: boolean): void => {
    blanks(path)
    if (tokens[at] === ',') take(path)
    blanks(path)
    for (let word = 0; isNamed && word < 2; word += 1) {
      take(path)
      blanks(path)
    }
    value(path)
  }
  const value = (path: string): void => {
    blanks(path)
    const opened = take(path)
    if (opened !== '{' && opened !== '[') return
    const isNamed = opened === '{'
    for (let index = 0; ahead() !== (isNamed ? '}' : ']'); index += 1)
      member(`${path}.${isNamed ? (JSON.parse(ahead()) as string) : index}`, isNamed)
    blanks(path)
    take(path)
  }
  value('$')
  return found
}
