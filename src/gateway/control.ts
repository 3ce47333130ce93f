import { randomBytes, timingSafeEqual } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { basename, join } from 'node:path'
import { packageVersion } from '../config/version.ts'
import type { BudgetStates } from '../core/budget.ts'
import { WeirError } from '../core/errors.ts'
import type { Ledger, Question, Segment } from '../core/ledger.ts'

/** How a command finds the running gateway: the content of `<data>/control.json`, readable by its owner only. */
export type ControlFile = Readonly<{ port: number; token: string; pid: number; version: string; folder: string }>

/** An import for the gateway's ledger: a file in `<data>/import/`. */
export type AppendRequest = Readonly<{ name: string; file: string; deduplicate?: Segment['deduplicate'] }>

export type ControlOptions = Readonly<{
  data: string
  ledger: Ledger
  /** Awaited before each question, so that the answer holds every receipt written so far: rotate the journals, then collect. */
  refresh?: () => Promise<unknown>
  /** What `GET /budgets` tells. */
  budgets?: BudgetStates
  /** Wraps an import, so that budgets are charged what it brings. */
  importing?: <T>(act: () => Promise<T>) => Promise<T>
  /** What `POST /look` does: keys and budgets of the store hold as they are by now. */
  look?: () => Promise<unknown>
  /** What `POST /reload` does. */
  reload?: () => Promise<unknown>
  /** What `GET /status` tells besides the pid. */
  status?: () => Promise<Readonly<Record<string, unknown>>>
}>

export type Control = Readonly<{ port: number; close(): Promise<void> }>

const MOST_BYTES = 1024 * 1024
const asks = new Set<string>([
  'spend',
  'calls',
  'call',
  'leaks',
  'extent',
  'ratios',
  'practice',
  'focus',
  'metered',
  'owned',
  'charged',
  'history',
] satisfies Question['ask'][])

export const controlPath = (data: string): string => join(data, 'control.json')

const folderId = (data: string): string => {
  const { dev, ino } = statSync(data, { bigint: true })
  return `${dev}:${ino}`
}

/** How to find the gateway that runs on a data folder; undefined where none is named, and in a copy of a folder that has one. */
export const readControl = (data: string): ControlFile | undefined => {
  try {
    const file = JSON.parse(readFileSync(controlPath(data), 'utf8')) as ControlFile
    return (file.folder ?? folderId(data)) === folderId(data) ? file : undefined
  } catch {
    return undefined
  }
}
export const importFolder = (data: string): string => join(data, 'import')

const readBody = async (request: IncomingMessage): Promise<unknown> => {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    // What is too long is read to its end, so that its sender gets to read the answer.
    if (bytes <= MOST_BYTES) chunks.push(chunk)
  }
  if (bytes > MOST_BYTES) throw new WeirError('body-too-large', `A question has at most ${MOST_BYTES} bytes`)
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'))
  } catch (cause) {
    throw new WeirError('malformed-json', 'The body is not JSON', { cause })
  }
}

const query = async ({ ledger, refresh }: ControlOptions, body: unknown): Promise<unknown> => {
  const question = body as Question
  if (!asks.has(question?.ask)) throw new WeirError('bad-request', `A question asks one of: ${[...asks].join(', ')}`)
  await refresh?.()
  return ledger.query(question)
}

/** Only files of the import folder, by their bare name: a token does not make every file of the machine readable. */
const append = async (options: ControlOptions, body: unknown): Promise<unknown> => {
  const { data, ledger, refresh, importing = (act) => act() } = options
  const { name, file, deduplicate } = (body ?? {}) as AppendRequest
  const bare = typeof file === 'string' && file !== '' && basename(file) === file && !file.startsWith('.')
  if (typeof name !== 'string' || !bare)
    throw new WeirError('bad-request', 'An import is named, and is a file of the import folder')
  const path = join(importFolder(data), file)
  // What is told again is known only by what the journal has given to the ledger.
  if (deduplicate) await refresh?.()
  return importing(() => ledger.append({ name, path, ...(deduplicate ? { deduplicate } : {}) }))
}

const route = async (options: ControlOptions, request: IncomingMessage): Promise<unknown> => {
  switch (`${request.method} ${request.url}`) {
    case 'GET /status':
      return { pid: process.pid, ...(await options.status?.()) }
    case 'GET /budgets':
      // Which scopes a budget with a counter for each has, only the ledger knows: it takes what the journal still holds first.
      await options.refresh?.()
      return (await options.budgets?.()) ?? []
    case 'POST /query':
      return query(options, await readBody(request))
    case 'POST /append':
      return append(options, await readBody(request))
    case 'POST /look':
      await options.look?.()
      return {}
    case 'POST /reload':
      return (await options.reload?.()) ?? {}
    default:
      throw new WeirError(
        'unknown-path',
        'The control port knows POST /query, POST /append, POST /look, POST /reload, GET /budgets and GET /status',
      )
  }
}

const permitted = (request: IncomingMessage, token: Buffer): boolean => {
  const given = Buffer.from(request.headers.authorization ?? '')
  return given.length === token.length && timingSafeEqual(given, token)
}

const answer = async (options: ControlOptions, token: Buffer, request: IncomingMessage, response: ServerResponse) => {
  const send = (status: number, body: unknown): void => {
    const text = JSON.stringify(body)
    response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) })
    response.end(text)
  }
  try {
    if (!permitted(request, token))
      throw new WeirError('unknown-key', 'The control port needs the token of control.json')
    send(200, await route(options, request))
  } catch (error) {
    const known = error instanceof WeirError ? error : new WeirError('internal', (error as Error).message)
    send(known.status, { error: { code: known.code, message: known.message } })
  }
}

/** Lets commands ask the ledger of the running gateway: HTTP on loopback, on a port of its own, with a token in a file that only the owner reads. */
export const startControl = async (options: ControlOptions): Promise<Control> => {
  const token = randomBytes(32).toString('base64url')
  const expected = Buffer.from(`Bearer ${token}`)
  const server = createServer((request, response) => void answer(options, expected, request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  server.unref()
  const { port } = server.address() as AddressInfo
  const path = controlPath(options.data)
  const folder = folderId(options.data)
  const file: ControlFile = { port, token, pid: process.pid, version: packageVersion(), folder }
  writeFileSync(`${path}.tmp`, JSON.stringify(file), { mode: 0o600 })
  renameSync(`${path}.tmp`, path)
  return {
    port,
    async close() {
      rmSync(path, { force: true })
      server.close()
      server.closeAllConnections()
      if (server.listening) await once(server, 'close')
    },
  }
}
