/** What a command changes in the store holds for a running `weir serve` when the command has ended: scripts need not wait. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type Simulator, startSimulator } from '../../simulator/start.ts'
import { serve, weir } from './run.ts'

const cwd = mkdtempSync(join(tmpdir(), 'weir-at-once-'))
let simulator: Simulator
let gateway: Awaited<ReturnType<typeof serve>>
const run = async (...words: string[]) => JSON.parse((await weir([...words, '--json'], { cwd })).out)

const ask = async (token: string): Promise<number> => {
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'gpt-4o-mini', messages: [{ role: 'user', content: 'What is a weir?' }] }),
  })
  await response.arrayBuffer()
  return response.status
}

beforeAll(async () => {
  simulator = await startSimulator()
  const openai = `{ base_url: "${simulator.base_urls.openai}", api_key: sk-ours }`
  writeFileSync(
    join(cwd, 'weir.yaml'),
    `port: 0\nmode: keys\nthreads: 2\nconsole: off\nproviders:\n  openai: ${openai}\n`,
  )
  gateway = await serve(cwd)
})
afterAll(async () => {
  await gateway.stop()
  await simulator.close()
  rmSync(cwd, { recursive: true })
})

test('a key is good when it is shown, refused when it is revoked, and a budget in force when it is set', async () => {
  for (let time = 0; time < 5; time++) {
    const { id, token } = await run('keys', 'create', '--name', `app-${time}`, '--team', 'search')
    expect(await ask(token)).toBe(200)
    await run('budgets', 'set', 'none-left', '--scope', 'team=search', '--calls', '1', '--per', 'lifetime')
    expect(await ask(token)).toBe(429)
    await run('budgets', 'remove', 'none-left')
    expect(await ask(token)).toBe(200)
    const rotated = await run('keys', 'rotate', id, '--grace', '0')
    expect([await ask(token), await ask(rotated.token)]).toEqual([401, 200])
    await run('keys', 'revoke', id)
    expect(await ask(rotated.token)).toBe(401)
  }
})
