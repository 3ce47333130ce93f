import { basename, dirname, resolve } from 'node:path'
import { packageVersion } from '../config/version.ts'
import { codes, type ErrorCode, WeirError } from '../core/errors.ts'
import type { Answer, Appended, Ledger, Question, Segment } from '../core/ledger.ts'
import { startCollector } from './collect.ts'
import { type AppendRequest, type ControlFile, importFolder, readControl } from './control.ts'
import { type Held, holdLedger } from './hold.ts'
import type { Reloaded } from './reload.ts'
import { openQueue } from './watch/queue.ts'

export type ReachOptions = Readonly<{
  now_us: () => number
  /** Who asks, for the message to others who wait, e.g. `weir report`. */
  role?: string
  /** How long to wait while another process has the ledger (5 s by default). */
  wait_ms?: number
  /** What the ledger's engine may hold where this process opens it, e.g. `192MB`. */
  memory_limit?: string
}>

const STATUS_MS = 5000

type Refusal = Readonly<{ error?: Readonly<{ code?: string; message?: string }> }>

/** A gateway that runs, and its data folder. */
type Running = ControlFile & Readonly<{ data: string }>

/** Asks the control port; throws what it answers in place of an answer, and `shutting-down` where the gateway ends before it has. */
const ask = async <T>({ port, token, data }: Running, path: string, more: RequestInit = {}): Promise<T> => {
  const asked = async () => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
      ...more,
    })
    return { response, answer: (await response.json()) as unknown }
  }
  const { response, answer } = await asked().catch((cause: unknown) => {
    const message = `the gateway that ran on ${data} ended before it answered: give the command again`
    throw new WeirError('shutting-down', message, { cause })
  })
  if (response.ok) return answer as T
  const { code = 'internal', message = `The gateway answered ${response.status}` } = (answer as Refusal).error ?? {}
  throw new WeirError(code in codes ? (code as ErrorCode) : 'internal', message)
}

const post = <T>(control: Running, path: string, body: unknown): Promise<T> =>
  ask(control, path, { method: 'POST', body: JSON.stringify(body) })

/** Is it Weir that listens there, and the one that wrote the file? */
const isAlive = async ({ port, token, pid }: ControlFile): Promise<boolean> => {
  try {
    const response = await fetch(`http://127.0.0.1:${port}/status`, {
      headers: { authorization: `Bearer ${token}` },
      redirect: 'error',
      signal: AbortSignal.timeout(STATUS_MS),
    })
    const status = (await response.json()) as Readonly<{ pid?: number }>
    return response.ok && status.pid === pid
  } catch {
    return false
  }
}

/** Questions and answers are those of one version: another one would answer with what the command does not know. Throws `conflict`. */
const checkVersion = ({ version }: Partial<ControlFile>, data: string): void => {
  const own = packageVersion()
  if (version === own) return
  const running = version === undefined ? 'an older version of Weir' : `Weir ${version}`
  throw new WeirError(
    'conflict',
    `the gateway that runs on ${data} is ${running}, and this command is Weir ${own}: stop the gateway and start it again (weir serve)`,
  )
}

/** The gateway that runs on a data folder; undefined where none does. Throws `conflict` for one of another version. */
const runningOn = async (data: string): Promise<Running | undefined> => {
  const control = readControl(data)
  if (!control || !(await isAlive(control))) return undefined
  checkVersion(control, data)
  return { ...control, data }
}

const remoteLedger = (control: Running): Ledger => ({
  append: ({ name, path, deduplicate }: Segment): Promise<Appended> => {
    if (resolve(dirname(path)) !== resolve(importFolder(control.data)))
      throw new WeirError(
        'bad-input',
        `An import for a running gateway lies in ${importFolder(control.data)}, not in ${dirname(path)}`,
      )
    const request: AppendRequest = { name, file: basename(path), ...(deduplicate ? { deduplicate } : {}) }
    return post(control, '/append', request)
  },
  query: <Q extends Question>(question: Q): Promise<Answer<Q>> => post(control, '/query', question),
  close: async () => {},
})

/** What the gateway that runs on a data folder answers to a question of its control port; undefined where none does. */
export const askControl = async (data: string, path: '/budgets'): Promise<unknown> => {
  const control = await runningOn(data)
  return control && ask(control, path)
}

/** Lets the gateway that runs on a data folder read its settings anew; undefined where none does. Throws `bad-config`, as its start would. */
export const reloadAt = async (data: string): Promise<Reloaded | undefined> => {
  const control = await runningOn(data)
  return control && post(control, '/reload', {})
}

const LOOK_MS = 2000

/** Lets the gateway that runs on a data folder take the keys and budgets of the store at once. One that does not answer finds them by itself. */
export const lookAt = async (data: string): Promise<void> => {
  const control = readControl(data)
  if (!control) return
  await ask({ ...control, data }, '/look', { method: 'POST', signal: AbortSignal.timeout(LOOK_MS) }).catch(() => {})
}

const silent = { info() {}, warn() {}, error() {} }

/** The ledger in this process's own hands, with everything in it that the journal still held. The next gateway watches what that was. */
const ownLedger = async ({ ledger, journal, close }: Held, data: string): Promise<Ledger> => {
  const collector = startCollector({ folder: journal, ledger, log: silent, taken: openQueue(data).take })
  await collector.stop()
  return { ...ledger, close }
}

const tryHold = async (data: string, role: string, memory_limit: string | undefined): Promise<Held | WeirError> => {
  try {
    return await holdLedger(data, { role, wait_ms: 200, memory_limit })
  } catch (error) {
    if (error instanceof WeirError && error.code === 'overloaded') return error
    throw error
  }
}

/**
 * Reaches the ledger of a data folder: through the gateway that runs on it, or else by opening it, after recovering and
 * appending what the journal still holds. Throws `overloaded` naming the holder when another command keeps it, `conflict`
 * where the gateway is of another version.
 */
export const reachLedger = async (data: string, options: ReachOptions): Promise<Ledger> => {
  const { now_us, role = 'weir', wait_ms = 5000 } = options
  const until_us = now_us() + wait_ms * 1000
  for (;;) {
    const control = await runningOn(data)
    if (control) return remoteLedger(control)
    const held = await tryHold(data, role, options.memory_limit)
    if (!(held instanceof WeirError)) return ownLedger(held, data)
    if (now_us() >= until_us) throw held
  }
}
