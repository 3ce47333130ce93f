/** Tokens are counted in a thread of their own: what it counts, and what happens when it ends. */
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

test('counts that wait when the thread ends are told by length, and the next ones begin a new thread', async () => {
  const waiting = tokens.count(texts)
  await tokens.close()
  expect(await waiting).toEqual(byLength)
  expect(await tokens.count(texts)).toEqual(exact)
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

test('a thread that ends by itself is told of, one that is closed is not', async () => {
  const told: string[] = []
  let thread: Worker | undefined
  const start = () => {
    thread = openWorker('gateway/counting')
    return thread
  }
  const heard = openTokens(({ message }) => told.push(message), start)
  const waiting = heard.count(texts)
  await thread?.terminate()
  expect(await waiting).toEqual(byLength)
  expect(told).toEqual(['the thread that counts tokens has ended'])
  const again = heard.count(texts)
  await heard.close()
  expect(await again).toEqual(byLength)
  expect(told).toHaveLength(1)
})
