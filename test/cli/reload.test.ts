/** `weir reload`: a running `weir serve` takes what weir.yaml and the store say by now. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../simulator/start.ts'
import { serve, weir, weirProcess } from './run.ts'

const cwd = mkdtempSync(join(tmpdir(), 'weir-reload-'))
let simulator: Simulator
let gateway: Awaited<ReturnType<typeof serve>>

const configure = (more = ''): void =>
  writeFileSync(
    join(cwd, 'weir.yaml'),
    `port: 0\nmode: keys\nconsole: off\nproviders:\n  openai: { base_url: "${simulator.base_urls.openai}" }\n${more}`,
  )
const storeKey = (secret: string) => weirProcess(['keys', 'provider', 'set', 'openai'], secret, { cwd })
const reload = (...words: string[]) => weir(['reload', ...words], { cwd })

let token: string
const ask = async (model: string): Promise<number> => {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content: 'What is a weir?' }] }),
  })
  await response.arrayBuffer()
  return response.status
}

beforeAll(async () => {
  simulator = await startSimulator()
  configure()
  await storeKey('sk-first')
  const created = await weir(['keys', 'create', '--name', 'app', '--json'], { cwd })
  token = (JSON.parse(created.out) as { token: string }).token
  gateway = await serve(cwd)
})
afterAll(async () => {
  await gateway.stop()
  await simulator.close()
  rmSync(cwd, { recursive: true })
})

test('takes a changed file and a changed provider key, and says what waits', async () => {
  expect(await ask('house-model')).toBe(404)
  configure(
    'routes:\n  - { match: { model: house-model }, targets: [{ provider: openai, model: gpt-4o-mini }] }\nthreads: 2\n',
  )
  const stored = await storeKey('sk-second')
  expect(stored.out).toContain('weir reload')
  expect(await reload()).toMatchObject({
    code: 0,
    out:
      'In force for every call from now on: providers, routes.\n' +
      'From the next start of the gateway only: threads.\n',
  })
  expect(await ask('house-model')).toBe(200)
  expect(simulator.calls.map(({ headers }) => headers['authorization'])).toEqual([
    'Bearer sk-first',
    'Bearer sk-second',
  ])
  configure('routes:\n  - { match: { model: house-model }, targets: [{ provider: openai, model: gpt-4o-mini }] }\n')
  expect(JSON.parse((await reload('--json')).out)).toEqual({ in_force: [], next_start: [] })
})

test('a file that is wrong is refused with its line, and the gateway goes on', async () => {
  configure('routes:\n  - { match: { modle: x }, targets: [] }\n')
  const refused = await reload()
  expect(refused.code).toBe(2)
  expect(refused.err).toContain('line 7')
  expect(refused.err).toContain('modle')
  expect(await ask('house-model')).toBe(200)
})

test('without a gateway it says so', async () => {
  const nowhere = mkdtempSync(join(tmpdir(), 'weir-reload-none-'))
  const ran = await weir(['reload', '--data', nowhere], { cwd: nowhere })
  rmSync(nowhere, { recursive: true })
  expect(ran.code).toBe(1)
  expect(ran.err).toContain('no gateway runs on')
})
