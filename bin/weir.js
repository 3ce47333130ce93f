#!/usr/bin/env node
/**
 * Starts Weir on the Node that it was built for. Any Node from 20 on can run this file: where it is older than 24, the
 * Node that comes with the `node` package takes over.
 */
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const root = dirname(dirname(fileURLToPath(import.meta.url)))
const source = join(root, 'src', 'main.ts')
// The package ships only what was built; in a checkout the source is what one means, not an older build of it.
const main = existsSync(source) ? source : join(root, 'dist', 'src', 'main.js')

/** Path of the Node binary that the `node` package installed. */
const bundledNode = () => {
  const folder = dirname(createRequire(import.meta.url).resolve('node/package.json'))
  const binary = join(folder, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  if (!existsSync(binary)) {
    process.stderr.write(
      `weir needs Node 24, this is ${process.version}, and the bundled one is missing at ${binary}: ` +
        'reinstall with install scripts allowed for the package "node", or run weir with Node 24 or newer.\n',
    )
    process.exit(1)
  }
  return binary
}

if (Number(process.versions.node.split('.')[0]) >= 24) {
  await import(pathToFileURL(main).href)
} else {
  const child = spawn(bundledNode(), [main, ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('exit', (code, signal) => (signal ? process.kill(process.pid, signal) : process.exit(code ?? 1)))
}
