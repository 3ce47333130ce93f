#!/usr/bin/env node
import { existsSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import { dirname, extname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

// What was compiled once is kept, in a temporary folder by default: it halves the time to start. Everything else is loaded after it.
enableCompileCache()
const { runProgram } = await import('./cli/dispatch.ts')
const { packageVersion } = await import('./config/version.ts')

const here = fileURLToPath(import.meta.url)

type Commands = Readonly<Record<string, unknown>>

/** The command of this name alone, so that it starts quickly; undefined where there is none. */
const oneCommand = async (name: string): Promise<Commands | undefined> => {
  const file = join(dirname(here), 'cli', name + extname(here))
  if (!/^[a-z][a-z-]*$/.test(name) || !existsSync(file)) return undefined
  const { command } = (await import(pathToFileURL(file).href)) as Readonly<{ command?: unknown }>
  return command === undefined ? undefined : { [name]: command }
}

/** Help lists commands in this order, that of use; one that is not named here comes last. */
const order = [
  ['serve', 'reload', 'init', 'status', 'checklist'],
  ['report', 'owners', 'calls', 'leaks', 'prices', 'tokens', 'import', 'outcomes'],
  ['advise', 'levers', 'cache'],
  ['keys', 'budgets', 'alerts', 'tags', 'splits', 'statement', 'close', 'focus', 'reconcile'],
  ['console', 'simulate'],
].flat()
const rank = (name: string) => (order.includes(name) ? order.indexOf(name) : order.length)

/** Every command, in the order of use, for help and to say what a mistyped name may have meant. */
const allCommands = async (): Promise<Commands> => {
  const { commands } = await import('./cli/index.ts')
  return Object.fromEntries(Object.entries(commands).toSorted(([one], [other]) => rank(one) - rank(other)))
}

// A reader that closes early (`weir calls | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0)
  throw error
})

const argv = process.argv.slice(2)
process.exitCode = await runProgram(
  {
    name: 'weir',
    version: packageVersion(),
    about: 'Weir measures and controls what an organisation spends on large language models.',
    examples: [
      ['weir serve', 'the gateway on 127.0.0.1:4141; it says where to point clients'],
      ['weir report', 'where the money went'],
      ['weir report --help', 'the flags of a command, with examples'],
    ],
    commands: async () => (await oneCommand(argv.find((word) => word !== '--debug') ?? '')) ?? (await allCommands()),
  },
  argv,
)
