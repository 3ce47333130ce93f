/** A real `weir serve` in a process of its own, before a simulator in this one. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type GatewayProcess = Readonly<{
  url: string
  pid: number
  /** Ends it as a power cut would. Resolves when it is gone. */
  kill(): Promise<void>
  /** Ends it as an operator would. Resolves with its exit code. */
  stop(): Promise<number | null>
}>

export type ProcessOptions = Readonly<{
  /** Folder for weir.yaml and data. */
  folder: string
  port: number
  base_urls: Readonly<Record<string, string>>
  /** Further lines of weir.yaml. */
  config?: string
}>

const isFree = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const server = createServer()
      .on('error', () => resolve(false))
      .listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })

/**
 * A port that stays free until it is listened on: below those that a system gives to clients (from 32,768 on Linux), of
 * which one would be put through to itself when it asks for a server that is not up yet, and keep the port from it.
 */
export const freePort = async (): Promise<number> => {
  let port = 10_000 + (process.pid % 20_000)
  while (!(await isFree(port))) port += 1
  return port
}

const isReady = async (url: string): Promise<boolean> => {
  try {
    return (await fetch(`${url}/readyz`)).ok
  } catch {
    return false
  }
}

const ended = async (child: ChildProcess): Promise<number | null> => {
  if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
  return child.exitCode
}

/** Starts it and waits until it is ready. Throws with what it said when it ends before. */
export const startProcess = async (options: ProcessOptions): Promise<GatewayProcess> => {
  const { folder, port, base_urls } = options
  const providers = ['openai', 'anthropic'].map((name) => `  ${name}: { base_url: "${base_urls[name]}" }`)
  const file = join(folder, 'weir.yaml')
  writeFileSync(file, [`providers:`, ...providers, options.config ?? ''].join('\n'))
  const words = ['src/main.ts', 'serve', '--config', file, '--data', join(folder, 'data'), '--port', String(port)]
  const child = spawn(process.execPath, [...words, '--log-level', 'error'], { stdio: ['ignore', 'pipe', 'pipe'] })
  let said = ''
  child.stdout.on('data', (chunk) => {
    said += chunk
  })
  child.stderr.on('data', (chunk) => {
    said += chunk
  })
  const url = `http://127.0.0.1:${port}`
  while (!(await isReady(url))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(`weir serve ended: ${said}`)
    await sleep(10)
  }
  return {
    url,
    pid: child.pid ?? Number.NaN,
    async kill() {
      child.kill('SIGKILL')
      await ended(child)
    },
    async stop() {
      child.kill('SIGTERM')
      return await ended(child)
    },
  }
}
