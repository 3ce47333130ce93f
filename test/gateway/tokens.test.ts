/** Tokens are counted in a thread of their own: what it counts, and what happens when it ends. */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { Worker } from 'node:worker_threads'
import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { afterEach, expect, test } from 'vitest'
import { openWorker } from '../../src/gateway/remote.ts'
import { openTokens } from '../../src/gateway/tokens.ts'
import { O200K_BYTES_PER_TOKEN } from '../../src/playbook/measure/ratios.ts'

const texts = ['A weir is a low dam.', '', 'Wehr, 堰, 🙂', 'as text: <|endoftext|>', 'x '.repeat(3000)]
const exact = texts.map((text) => encode(text, { disallowedSpecial: new Set() }).length)
const byLength = texts.map((text) => Math.ceil(Buffer.byteLength(text) / O200K_BYTES_PER_TOKEN))

let tokens = openTokens()
afterEach(async () => {
  await tokens.close()
  tokens = openTokens()
})

test('each text has the tokens that the tokenizer counts, special ones as the text that they are', async () => {
  expect(exact).not.toEqual(byLength)
  expect(await tokens.count(texts)).toEqual(exact)
  expect(await Promise.all(texts.map((text) => tokens.count([text])))).toEqual(exact.map((count) => [count]))
  expect(await tokens.count([])).toEqual([])
})

test('what is asked when it is closed, or was asked before, is counted by length', async () => {
  await tokens.count(['begin'])
  const waiting = tokens.count(texts)
  await tokens.close()
  expect(await waiting).toEqual(byLength)
  expect(await tokens.count(texts)).toEqual(byLength)
})

test('this thread goes on while the other loads the tokenizer and counts', async () => {
  let turns = 0
  let counting = true
  const counted = tokens.count(['long text '.repeat(400_000)]).finally(() => {
    counting = false
  })
  while (counting) {
    turns += 1
    await new Promise(setImmediate)
  }
  expect(await counted).toHaveLength(1)
  // As long as it loads and counts (a second or more), turns of the event loop pass here; in one thread there is one or two.
  expect(turns).toBeGreaterThan(1000)
})

test('counts that wait when the thread ends are told by length, with why; the next ones begin a new thread', async () => {
  const told: string[] = []
  const threads: Worker[] = []
  const start = () => {
    const thread = openWorker('gateway/counting')
    threads.push(thread)
    return thread
  }
  const heard = openTokens(({ message }) => told.push(message), start)
  const waiting = heard.count(texts)
  await new Promise(setImmediate)
  await threads[0]?.terminate()
  expect(await waiting).toEqual(byLength)
  expect(told).toEqual(['the thread that counts tokens has ended'])
  expect(await heard.count(texts)).toEqual(exact)
  await heard.close()
  expect(told).toHaveLength(1)
  expect(threads).toHaveLength(2)
})

test('a process that waits for a count has it, and ends when it has nothing else to do', async () => {
  const script = `
    import { openTokens } from ${JSON.stringify(import.meta.resolve('../../src/gateway/tokens.ts'))}
    console.log((await openTokens().count(['A weir is a low dam.']))[0])`
  const folder = mkdtempSync(join(tmpdir(), 'weir-tokens-'))
  const file = join(folder, 'count.mjs')
  writeFileSync(file, script)
  const { stdout } = await promisify(execFile)(process.execPath, [file], { timeout: 60_000 })
  rmSync(folder, { recursive: true })
  expect(stdout).toBe(`${exact[0]}\n`)
})
