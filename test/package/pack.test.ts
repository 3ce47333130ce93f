import { execFile, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { Worker } from 'node:worker_threads'
import { encode } from 'gpt-tokenizer/encoding/o200k_base'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { freePort } from '../house/gateway-process.ts'

const run = promisify(execFile)
const folder = mkdtempSync(join(tmpdir(), 'weir-package-'))

/** The environment of somebody who installs the package: without this checkout's own Node on the path. */
const env = {
  ...process.env,
  PATH: (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter((entry) => !entry.includes('node_modules'))
    .join(delimiter),
}
const npm = (words: readonly string[], cwd: string) => run('npm', [...words], { cwd, env, maxBuffer: 1 << 26 })
const weir = (words: readonly string[]) => run('npx', ['--no-install', 'weir', ...words], { cwd: folder, env })

beforeAll(async () => {
  await npm(['run', 'build'], process.cwd())
  await npm(['pack', '--pack-destination', folder], process.cwd())
  const tarball = readdirSync(folder).find((name) => name.endsWith('.tgz')) ?? ''
  writeFileSync(join(folder, 'package.json'), '{ "name": "somebody", "private": true }')
  await npm(['install', '--no-audit', '--no-fund', '--prefer-offline', join(folder, tarball)], folder)
}, 240_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('the package holds what was built and the pages that messages name, and neither tests nor sources', () => {
  const installed = join(folder, 'node_modules', 'weir')
  const held = ['CHANGELOG.md', 'LICENSE', 'README.md', 'bin', 'dist', 'docs', 'package.json']
  expect(readdirSync(installed).sort()).toEqual(held)
  expect(existsSync(join(installed, 'docs', 'configuration.md'))).toBe(true)
  expect(existsSync(join(installed, 'dist', 'prices', 'openai.yaml'))).toBe(true)
  for (const worker of ['gateway/worker.js', 'gateway/counting.js', 'cli/advise/worker.js'])
    expect(existsSync(join(installed, 'dist', 'src', worker))).toBe(true)
})

test('its threads find what they need: one counts tokens', async () => {
  const worker = new Worker(join(folder, 'node_modules', 'weir', 'dist', 'src', 'gateway', 'counting.js'))
  worker.postMessage({ kind: 'call', id: 1, method: 'count', args: [['A weir is a low dam.']] })
  const [told] = await once(worker, 'message')
  await worker.terminate()
  expect(told).toEqual({ kind: 'done', id: 1, result: [encode('A weir is a low dam.').length] })
}, 60_000)

test('npx weir answers from the packed tarball on whatever Node installed it', async () => {
  expect((await weir(['--version'])).stdout.trim()).toMatch(/^\d+\.\d+\.\d+$/)
  const { stdout } = await weir(['prices', 'show', 'claude-opus-5-5', '--json'])
  expect(stdout).toContain('anthropic/claude-opus-5-5')
}, 60_000)

test('npx weir serve is ready, and stops when it is asked to', async () => {
  const port = await freePort()
  const words = ['serve', '--port', String(port), '--data', join(folder, 'data')]
  const child = spawn(process.execPath, [join(folder, 'node_modules', 'weir', 'bin', 'weir.js'), ...words], { env })
  let ready = false
  for (let tries = 0; tries < 400 && !ready; tries += 1) {
    await sleep(25)
    ready = await fetch(`http://127.0.0.1:${port}/readyz`).then(
      ({ ok }) => ok,
      () => false,
    )
  }
  child.kill('SIGTERM')
  await once(child, 'exit')
  expect(ready).toBe(true)
  expect(child.exitCode).toBe(0)
}, 60_000)
