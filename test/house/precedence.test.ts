/** What is behind an answer does not hold up the next one: the system's own word on the threads of a real gateway. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { getPriority, tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { freePort, type GatewayProcess, startProcess } from './gateway-process.ts'

let gateway: GatewayProcess | undefined
const folder = mkdtempSync(join(tmpdir(), 'weir-precedence-'))
afterEach(async () => {
  await gateway?.kill()
  rmSync(folder, { recursive: true, force: true })
})

/** The niceness of a process's threads, by what Linux calls them. */
const nicenessOf = (pid: number): ReadonlyMap<string, ReadonlySet<number>> => {
  const found = new Map<string, Set<number>>()
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const name = readFileSync(`/proc/${pid}/task/${thread}/comm`, 'utf8').trim()
    found.set(name, (found.get(name) ?? new Set()).add(getPriority(Number(thread))))
  }
  return found
}

test.skipIf(process.platform !== 'linux')('threads that serve go before those of the ledger', async () => {
  const base_urls = { openai: 'http://127.0.0.1:9/v1', anthropic: 'http://127.0.0.1:9' }
  gateway = await startProcess({ folder, port: await freePort(), base_urls })
  const { pid } = gateway
  const own = getPriority()
  // One thread after the other gets its priority when the engine has begun.
  await vi.waitFor(() => expect(nicenessOf(pid).get('libuv-worker')).toEqual(new Set([own + 10])), 10_000)
  const niceness = nicenessOf(pid)
  expect(niceness.get('WorkerThread')).toEqual(new Set([own]))
  expect(niceness.get('MainThread')).toEqual(new Set([own]))
})
