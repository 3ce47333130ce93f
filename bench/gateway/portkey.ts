/** Portkey's open gateway, installed for this bench only and kept out of the project. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'

const VERSION = '1.15.2'
const folder = new URL('../.portkey/', import.meta.url)
const entry = new URL('node_modules/@portkey-ai/gateway/build/start-server.js', folder)

/** Installs it if it is not there. False, with a message, when the registry cannot be reached. */
export const installPortkey = (): boolean => {
  if (existsSync(entry)) return true
  const words = ['install', '--no-save', '--no-audit', '--no-fund', '--ignore-scripts', '--prefix']
  const { status } = spawnSync('npm', [...words, fileURLToPath(folder), `@portkey-ai/gateway@${VERSION}`], {
    stdio: 'ignore',
    shell: process.platform === 'win32',
    timeout: 180_000,
  })
  if (status === 0 && existsSync(entry)) return true
  console.log(`@portkey-ai/gateway ${VERSION} cannot be installed from the registry, so it is left out.`)
  return false
}

/** What it must be told with each call: the provider, and where it is. Loopback is trusted by default. */
export const portkeyHeaders = (origin: string): string[] => [
  'x-portkey-provider',
  'openai',
  'x-portkey-custom-host',
  `${origin}/v1`,
]

/** How it is started: its own command, without its page. */
export const portkeyCommand = (port: number) => ({
  file: fileURLToPath(entry),
  words: ['--headless', `--port=${port}`],
})

export const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer()
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo
      server.close(() => resolve(port))
    })
  })

/** Waits until a server answers anything at all. */
export const answers = async (port: number): Promise<void> => {
  for (let tries = 0; tries < 200; tries++) {
    try {
      await (await fetch(`http://127.0.0.1:${port}/`)).arrayBuffer()
      return
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }
  throw new Error(`nothing answers on port ${port}`)
}
