#!/usr/bin/env node
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runProgram } from './cli/dispatch.ts'
import { commands } from './cli/index.ts'

/** The version in the nearest package.json upwards, which is the package's own from `src` and from `dist`. */
const version = (): string => {
  let folder = dirname(fileURLToPath(import.meta.url))
  while (!existsSync(join(folder, 'package.json')) && folder !== dirname(folder)) folder = dirname(folder)
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Readonly<{ version: string }>
  return version
}

/** The commands in the order of use; those that are not named here follow. */
const order = ['serve', 'init', 'status', 'report', 'calls', 'leaks', 'prices', 'tokens', 'import', 'keys', 'simulate']
const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)
const sorted = Object.entries(commands).toSorted(([one], [other]) => rank(one) - rank(other))

// A reader that closes early (`weir calls | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

process.exitCode = await runProgram(
  {
    name: 'weir',
    version: version(),
    about: 'Weir measures and controls what an organisation spends on large language models.',
    commands: Object.fromEntries(sorted),
  },
  process.argv.slice(2),
)
