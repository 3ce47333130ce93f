/** What only reads makes nothing: a mistyped `--data` is said, and leaves no folder and no file behind. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { ledgerFolder } from './fixture.ts'
import { weir } from './run.ts'

const home = mkdtempSync(join(tmpdir(), 'weir-nowhere-'))
const nothing = join(home, 'empty')
mkdirSync(nothing)
writeFileSync(join(home, 'rules.yaml'), '[]\n')
afterAll(() => rmSync(home, { recursive: true }))

/** Every command that asks, or changes only what is there. */
const asking = [
  'status',
  'checklist',
  'report',
  'report --per ticket',
  'owners',
  'calls',
  'calls 0199',
  'leaks',
  'advise',
  'cache why 0199',
  'cache list',
  'cache stats',
  'cache purge --all',
  'statement',
  'close 2026-10',
  'close list',
  'close verify',
  'outcomes list',
  'outcomes remove ticket-1',
  'focus export x.csv',
  'keys list',
  'keys change search --models all',
  'keys rotate search',
  'keys revoke search',
  'keys provider list',
  'keys provider remove openai',
  'alerts',
  'alerts show 0199',
  'alerts feedback 0199 no',
  'alerts release 0199',
  'budgets list',
  'budgets show search',
  'budgets remove search',
  'tags list',
  'tags preview rules.yaml',
  'splits list',
  'console token list',
  'console token revoke search',
]

describe.each(asking)('weir %s', (line) => {
  test.each(['mistyped', 'empty'])('says that no data lies in a folder that is %s, and makes none', async (name) => {
    const folder = join(home, name)
    const { code, out, err } = await weir([...line.split(' '), '--data', folder], { cwd: home })
    expect({ code, out }).toEqual({ code: 1, out: '' })
    expect(err).toMatch(`weir: no Weir data lies in ${folder}. Start the gateway (weir serve)`)
    expect(existsSync(join(home, 'mistyped'))).toBe(false)
    expect(readdirSync(nothing)).toEqual([])
  })

  test('makes no store beside a ledger', async () => {
    const folder = await ledgerFolder()
    await weir([...line.split(' '), '--data', folder.data], { cwd: home })
    if (!line.startsWith('close 2')) expect(readdirSync(folder.data)).not.toContain('store.db')
    folder.clear()
  })
})

test('a folder that cannot be looked into is not taken for one without data', async () => {
  const folder = join(home, 'loop')
  symlinkSync(folder, folder)
  for (const line of ['report', 'keys list', 'levers', 'budgets set b --usd 5 --per day']) {
    const { code, err } = await weir([...line.split(' '), '--data', folder])
    expect(code).toBe(2)
    expect(err).toMatch(
      /^weir: The data folder \S+loop cannot be used \(E[A-Z]+: .*\)\. Make it a folder .* --data\.\n$/,
    )
  }
})

test('nobody waits for calls where no data lies', async () => {
  const { code, err } = await weir(['calls', '--follow', '--data', join(home, 'mistyped')])
  expect(code).toBe(1)
  expect(err).toMatch(/^weir: no Weir data lies in /)
})

test('a ledger is not made where there are only keys', async () => {
  const folder = join(home, 'keys-only')
  expect((await weir(['keys', 'create', '--name', 'search', '--team', 'search', '--data', folder])).code).toBe(0)
  const { code, err } = await weir(['report', '--data', folder])
  expect(code).toBe(1)
  expect(err).toMatch(`weir: there is no ledger in ${folder} yet. Start the gateway (weir serve)`)
  expect(readdirSync(folder).filter((name) => /ledger|journal/.test(name))).toEqual([])
  expect((await weir(['keys', 'list', '--data', folder])).out).toContain('search')
})
