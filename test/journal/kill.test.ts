/** Real processes, killed with SIGKILL at random moments. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, unlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { chance } from '../../src/core/chance.ts'
import { startCollector } from '../../src/gateway/collect.ts'
import { holdLedger } from '../../src/gateway/hold.ts'
import { recover } from '../../src/gateway/recover.ts'
import { receiptsOf } from './read.ts'

const KILLS = 24
const writer = join(import.meta.dirname, 'writer.ts')
const silent = { info() {}, warn() {}, error() {} }

let data = ''
let journal = ''
beforeEach(() => {
  data = mkdtempSync(join(tmpdir(), 'weir-kill-'))
  journal = join(data, 'journal')
})
afterEach(() => rmSync(data, { recursive: true }))

/** What a process said before it died: each word is about a line that was written before it was said. */
const saidBy = (text: string) => {
  const ids = (word: string) =>
    text
      .split('\n')
      .filter((line) => line.startsWith(`${word} `))
      .map((line) => line.slice(word.length + 1))
  return { open: ids('open'), done: ids('done') }
}

const killAfter = (run: string, lines: number): Promise<string> =>
  new Promise((resolve) => {
    const child: ChildProcess = spawn(process.execPath, [writer, journal, run], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    let said = ''
    let seen = 0
    child.stdout?.on('data', (chunk: Buffer) => {
      const text = chunk.toString()
      said += text
      seen += text.split('\n').length - 1
      if (seen >= lines) child.kill('SIGKILL')
    })
    child.on('close', () => resolve(said.slice(0, said.lastIndexOf('\n') + 1)))
  })

test(`${KILLS} kills at full speed lose no receipt, double none, and account for every attempt`, {
  timeout: 120_000,
}, async () => {
  const next = chance(2026)
  const open = new Set<string>()
  const done = new Set<string>()
  for (let kill = 0; kill < KILLS; kill += 2) {
    const said = await Promise.all([0, 1].map((twin) => killAfter(`k${kill + twin}`, Math.floor(next() * 1500))))
    for (const text of said) {
      for (const id of saidBy(text).open) open.add(id)
      for (const id of saidBy(text).done) done.add(id)
    }
    // Now and then the next start collects before the one after is killed, as in life.
    if (next() < 0.6) continue
    const { ledger, close } = await holdLedger(data, { role: 'test' })
    if (next() < 0.8) await startCollector({ folder: journal, ledger, log: silent }).stop()
    await close()
  }
  const { ledger, close } = await holdLedger(data, { role: 'test' })
  await startCollector({ folder: journal, ledger, log: silent }).stop()
  const window = { from_us: 0, to_us: 4e15 }
  const { receipts } = await ledger.query({ ask: 'calls', window, limit: 1_000_000 })
  await close()

  const outcomes = new Map(receipts.map((one) => [one.receipt_id, one.outcome]))
  expect(outcomes.size).toBe(receipts.length)
  expect([...done].filter((id) => outcomes.get(id) !== 'ok')).toEqual([])
  expect([...open].filter((id) => !outcomes.has(id))).toEqual([])
  expect(done.size).toBeGreaterThan(1000)
  // At most eleven attempts are under way in a process at any moment.
  const unknown = receipts.filter((one) => one.outcome === 'unknown')
  expect(unknown.length).toBeGreaterThan(0)
  expect(unknown.length).toBeLessThanOrEqual(KILLS * 11)
  expect(new Set(unknown.map((one) => one.cost_usd))).toEqual(new Set(['0.5']))
  expect(readdirSync(journal)).toEqual([])
})

test('recovery that is itself killed anywhere, any number of times, ends the same', { timeout: 60_000 }, async () => {
  await killAfter('r', 900)
  const before = join(data, 'before')
  cpSync(journal, before, { recursive: true })
  recover(journal)
  const ids = (folder: string) =>
    receiptsOf(folder)
      .map((one) => `${one.receipt_id} ${one.outcome}`)
      .sort()
  const expected = ids(journal)
  const ends = readdirSync(journal).sort()
  const last = ends.at(-1) ?? ''
  expect(expected.length).toBe(new Set(expected).size)

  fc.assert(
    fc.property(fc.integer({ min: 0, max: 4 }), fc.nat(), (stage, cut) => {
      const folder = join(data, 'again')
      rmSync(folder, { recursive: true, force: true })
      cpSync(before, folder, { recursive: true })
      // The steps of recovery in order: tails cut, unknowns written aside, renamed, segments closed one by one.
      if (stage >= 1) cpSync(join(journal, last), join(folder, `${last}.tmp`))
      if (stage === 1) truncateSync(join(folder, `${last}.tmp`), cut % 500)
      if (stage >= 2) cpSync(join(journal, last), join(folder, last))
      if (stage >= 3)
        for (const file of readdirSync(folder)
          .filter((one) => one.endsWith('.open'))
          .slice(0, stage - 2)) {
          const name = file.slice(0, -'.open'.length)
          if (ends.includes(name)) cpSync(join(journal, name), join(folder, name))
          unlinkSync(join(folder, file))
        }
      recover(folder)
      recover(folder)
      expect(ids(folder)).toEqual(expected)
      expect(readdirSync(folder).filter((file) => file.endsWith('.open'))).toEqual([])
    }),
    { seed: 5, numRuns: 40 },
  )
})

test('a file that the kernel will not let grow refuses lines, and all that was taken is there', {
  timeout: 30_000,
}, () => {
  // The shell's limit is in blocks of 1,024 bytes; beyond it the kernel answers EFBIG.
  const script = `trap '' XFSZ; ulimit -f 32; exec "${process.execPath}" "${writer}" "${journal}" f until-full`
  const said = execFileSync('bash', ['-c', script], { encoding: 'utf8' })
  expect(said).toMatch(/refused journal-unwritable/)
  const before = saidBy(said)
  expect(before.done.length).toBeGreaterThan(5)
  expect(recover(journal)).toMatchObject({ bad: 0 })
  const outcomes = new Map(receiptsOf(journal).map((one) => [one.receipt_id, one.outcome]))
  expect(before.done.filter((id) => outcomes.get(id) !== 'ok')).toEqual([])
  expect(before.open.filter((id) => !outcomes.has(id))).toEqual([])
  for (const file of readdirSync(journal)) expect(readFileSync(join(journal, file), 'utf8').endsWith('\n')).toBe(true)
})

test('the process that has the ledger gives it up when it dies, however it dies', { timeout: 30_000 }, async () => {
  const script = `
    import { holdLedger } from ${JSON.stringify(join(import.meta.dirname, '../../src/gateway/hold.ts'))}
    await holdLedger(${JSON.stringify(data)}, { role: 'weir serve' })
    process.stdout.write('held')
    setInterval(() => {}, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  await expect(holdLedger(data, { role: 'test', wait_ms: 100 })).rejects.toMatchObject({
    code: 'overloaded',
    message: expect.stringContaining(`weir serve, process ${child.pid}`),
  })
  child.kill('SIGKILL')
  await sleep(50)
  const held = await holdLedger(data, { role: 'test', wait_ms: 2000 })
  await held.close()
})
