/** `weir levers` over a real ledger: what is in force, and what came of it. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { formatUsd, multiply } from '../../src/core/money.ts'
import type { LeverTrace, Receipt } from '../../src/core/receipt.ts'
import { ledgerFolder, receipts, since, until } from './fixture.ts'
import { weir } from './run.ts'

let cwd: string
beforeEach(() => {
  cwd = mkdtempSync(join(tmpdir(), 'weir-levers-'))
  writeFileSync(
    join(cwd, 'weir.yaml'),
    'policies:\n  - match: { team: search }\n    levers: { cache/exact: on, compact/minify: observe }\n',
  )
})
afterEach(() => rmSync(cwd, { recursive: true }))

const dollars = (amount: number) => formatUsd(multiply(amount * 1_000_000, '1'))
const trace = (name: string, action: LeverTrace['action'], saved: number): LeverTrace => ({
  name,
  action,
  ...(saved === 0 ? {} : { saving_usd: dollars(saved) }),
  why: 'because',
})
const traced: readonly Receipt[] = receipts.map((receipt) =>
  receipt.team === 'search'
    ? { ...receipt, levers: [trace('cache/exact', 'acted', 0.25), trace('compact/minify', 'observed', 0.5)] }
    : { ...receipt, levers: [trace('cache/exact', 'skipped', 0)] },
)

test('levers say what they saved, and what they would have saved where they only observe, in the window that is asked', async () => {
  const folder = await ledgerFolder(traced)
  const ask = async (...words: string[]) => {
    const ran = await weir(['levers', ...words, '--data', folder.data], { cwd, env: { COLUMNS: '110' } })
    expect([ran.code, ran.err]).toEqual([0, ''])
    return ran.out
  }
  const out = await ask('--since', since, '--until', until)
  expect(out.split('\n').find((line) => line.startsWith('cache/exact'))).toMatchInlineSnapshot(
    `"cache/exact            on: team search       $1.75 on 7 calls"`,
  )
  expect(out.split('\n').find((line) => line.startsWith('compact/minify'))).toMatchInlineSnapshot(
    `"compact/minify         observe: team search  would have saved $3.50 on 7 calls"`,
  )
  expect(out.split('\n').find((line) => line.startsWith('compact/tools'))).toMatchInlineSnapshot(
    `"compact/tools          off                   –"`,
  )
  const all = JSON.parse(await ask('--since', 'all', '--json', '--where', 'team=search')) as unknown[]
  const calls = traced.filter(({ team }) => team === 'search').length
  expect(all).toContainEqual(
    expect.objectContaining({
      name: 'cache/exact',
      acted: { calls, saving_usd: dollars(calls / 4) },
      observed: { calls: 0, saving_usd: '0' },
    }),
  )
  const nobody = await ask('--since', 'all', '--where', 'team=nobody')
  expect(nobody).not.toContain('$')
  folder.clear()
})

test('the share that is held out, and a single call, are told as people say them', async () => {
  const folder = await ledgerFolder(traced.filter(({ team }) => team === 'search').slice(0, 1))
  writeFileSync(join(cwd, 'weir.yaml'), 'policies: [{ match: {}, holdout: 0.07, levers: { cache/exact: on } }]\n')
  const { out } = await weir(['levers', '--data', folder.data, '--since', 'all'], { cwd, env: { COLUMNS: '130' } })
  expect(out).toMatch(/^cache\/exact +on: every call, 7\.0 % held out +\$0\.25 on 1 call\b(?!s)/m)
  folder.clear()
})

test('levers are listed where there is no ledger yet', async () => {
  const { out, err, code } = await weir(['levers', '--data', join(cwd, 'nowhere')], { cwd })
  expect(code).toBe(0)
  expect(err).toBe(`There is no ledger in ${join(cwd, 'nowhere')} yet, so nothing is known of what they saved.\n`)
  expect(out).toContain('on: team search')
})
