/** Runs the command line: in this process where that will do, in one of its own where it must. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { vi } from 'vitest'
import { runProgram } from '../../src/cli/dispatch.ts'
import { commands } from '../../src/cli/index.ts'

export type Ran = Readonly<{ out: string; err: string; code: number | null }>
export type Circumstances = Readonly<{ cwd?: string; env?: Record<string, string> }>

const main = join(process.cwd(), 'src/main.ts')

/** An environment without anything of this machine's that a command would read. */
const bare = (over: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv => ({
  PATH: process.env['PATH'],
  HOME: process.env['HOME'],
  TZ: 'Pacific/Auckland',
  ...over,
})

/** Starts `weir WORDS` in a process of its own. */
export const start = (words: readonly string[], { cwd = process.cwd(), env = {} }: Circumstances = {}) =>
  spawn(process.execPath, [main, ...words], { cwd, env: bare(env) })

/** Starts `weir serve` on a folder with a weir.yaml; resolves when it listens. */
export const serve = async (cwd: string): Promise<Readonly<{ url: string; stop(): Promise<void> }>> => {
  const serving = start(['serve', '--json'], { cwd })
  const [line] = (await once(serving.stdout, 'data')) as [Buffer]
  const stop = async (): Promise<void> => {
    serving.kill()
    await once(serving, 'exit')
  }
  return { url: (JSON.parse(line.toString()) as { url: string }).url, stop }
}

/** Runs `weir WORDS` in a process of its own with `input` on standard input. */
export const weirProcess = async (words: readonly string[], input = '', options: Circumstances = {}): Promise<Ran> => {
  const child = start(words, options)
  const text = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', (piece: string) => {
    text.out += piece
  })
  child.stderr.setEncoding('utf8').on('data', (piece: string) => {
    text.err += piece
  })
  child.stdin.end(input)
  const [code] = (await once(child, 'close')) as [number | null]
  return { ...text, code }
}

/** Runs `weir WORDS` in this process and gives what it printed and how it ended. Not for two at a time. */
export const weir = async (words: readonly string[], { cwd, env = {} }: Circumstances = {}): Promise<Ran> => {
  const before = { cwd: process.cwd(), env: process.env }
  const text = { out: '', err: '' }
  const into = (stream: 'out' | 'err') => (piece: unknown) => {
    text[stream] += String(piece)
    return true
  }
  const spies = [
    vi.spyOn(process.stdout, 'write').mockImplementation(into('out') as never),
    vi.spyOn(process.stderr, 'write').mockImplementation(into('err') as never),
  ]
  process.env = bare(env)
  if (cwd !== undefined) process.chdir(cwd)
  try {
    const program = { name: 'weir', version: '0', about: 'about', commands: async () => commands }
    return { code: await runProgram(program, words), ...text }
  } finally {
    for (const spy of spies) spy.mockRestore()
    process.env = before.env
    process.chdir(before.cwd)
  }
}
