import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { expect, test } from 'vitest'

test('weir simulate prints where each provider is played, answers there, and ends at once when told', async () => {
  const args = [
    'src/main.ts',
    'simulate',
    '--port',
    '0',
    '--latency',
    '0',
    '--pace',
    '0',
    '--fault',
    'server-error@0',
    '--json',
  ]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const exit = once(child, 'exit')
  let printed = ''
  for await (const piece of child.stdout) {
    printed += String(piece)
    if (printed.trimEnd().endsWith('\n}')) break
  }
  const { base_urls } = JSON.parse(printed) as { base_urls: Record<string, string> }
  const response = await fetch(`${base_urls['openai']}/chat/completions`, {
    method: 'POST',
    headers: { authorization: 'Bearer any' },
    body: JSON.stringify({ model: 'gpt-4o', messages: [{ role: 'user', content: 'Rivers?' }] }),
  })
  expect(response.status).toBe(200)
  await response.text()
  child.kill('SIGINT')
  expect((await exit)[0]).toBe(0)
})

const refusal = async (...flags: string[]) => {
  const child = spawn(process.execPath, ['src/main.ts', 'simulate', ...flags])
  let said = ''
  child.stderr.on('data', (piece) => {
    said += String(piece)
  })
  const [code] = await once(child, 'close')
  return [code, said]
}

test('a fault or a setting of one that does not exist is refused with the list of those that do', async () => {
  expect(await refusal('--port', '0', '--fault', 'explode')).toEqual([
    2,
    expect.stringMatching(/no fault is called "explode"; there are rate-limit, /),
  ])
  expect(await refusal('--port', '0', '--fault', 'cut;after=x')).toEqual([
    2,
    expect.stringMatching(/"after=x" sets nothing; write ms, after, status, /),
  ])
})

test('a port that is taken is told as such', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  await once(taken, 'listening')
  const { port } = taken.address() as AddressInfo
  expect(await refusal('--port', String(port))).toEqual([
    2,
    `weir: --port ${port} cannot be listened on (EADDRINUSE): choose another; 0 takes a free one\n`,
  ])
  taken.close()
})
