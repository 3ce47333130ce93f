import { spawn } from 'node:child_process'
import { once } from 'node:events'
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

test('a fault that does not exist is refused with the list of those that do', async () => {
  const child = spawn(process.execPath, ['src/main.ts', 'simulate', '--port', '0', '--fault', 'explode'])
  let said = ''
  child.stderr.on('data', (piece) => {
    said += String(piece)
  })
  const [code] = await once(child, 'close')
  expect([code, said]).toEqual([2, expect.stringMatching(/no fault is called "explode"; there are rate-limit, /)])
})
