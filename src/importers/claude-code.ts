import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { MINUTE_US } from '../core/date.ts'
import { WeirError } from '../core/errors.ts'
import type { Imported, Importer, ImportOptions } from '../core/importer.ts'
import { labelOf } from '../core/label.ts'
import { type LoggedMessage, messageReceipt } from './claude-code/message.ts'
import { readRecords } from './source.ts'

/** Session logs below a folder (or the one file itself), oldest name first so that the order is always the same. */
const logFiles = async (path: string): Promise<readonly string[]> => {
  const found = await stat(path).catch((cause: unknown) => {
    throw new WeirError(
      'bad-input',
      `${path} cannot be read: name a session log or a folder such as ~/.claude/projects.`,
      {
        cause,
      },
    )
  })
  if (found.isFile()) return [path]
  const names = await readdir(path, { recursive: true })
  return names
    .filter((name) => name.endsWith('.jsonl'))
    .sort()
    .map((name) => join(path, name))
}

const text = (value: unknown): string | undefined => (typeof value === 'string' ? labelOf(value) : undefined)

/** The last part of the working folder. */
const projectOf = (cwd: unknown): string | undefined => (typeof cwd === 'string' ? labelOf(basename(cwd)) : undefined)

type Line = Readonly<{ record: Readonly<Record<string, unknown>>; line: number }>

/** The assistant message on a log line; undefined for lines of other kinds, a sentence for a broken one. */
const messageOn = ({ record, line }: Line, file: string): LoggedMessage | string | undefined => {
  if (record['type'] !== 'assistant' || record['isApiErrorMessage'] === true) return undefined
  const message = record['message'] as Readonly<Record<string, unknown>> | undefined
  const usage = message?.['usage']
  const model = text(message?.['model'])
  if (typeof message !== 'object' || typeof usage !== 'object' || usage === null)
    return 'an assistant line without usage'
  if (model === undefined) return 'an assistant line without a model'
  if (model === '<synthetic>') return undefined
  const at = Date.parse(text(record['timestamp']) ?? '')
  if (Number.isNaN(at)) return 'an assistant line without a timestamp'
  const id = text(message['id']) ?? text(record['uuid'])
  if (id === undefined) return 'an assistant line without a message id'
  return {
    id,
    request: text(record['requestId']),
    session: text(record['sessionId']) ?? basename(file, '.jsonl'),
    agent: text(record['agentId']) ?? (record['isSidechain'] === true ? 'sidechain' : 'main'),
    project: projectOf(record['cwd']),
    branch: text(record['gitBranch']),
    version: text(record['version']),
    model,
    usage: usage as Readonly<Record<string, unknown>>,
    stop: text(message['stop_reason']),
    first_us: at * 1000,
    last_us: at * 1000,
    line,
  }
}

/** Claude Code waits so long for an answer to go on. */
const LONGEST_PAUSE_US = 10 * MINUTE_US

/** May more lines of the message come? The counts so far are then not its last ones. */
const isUnfinished = ({ stop, last_us }: LoggedMessage, { now_us }: ImportOptions): boolean =>
  stop === undefined && now_us - last_us < LONGEST_PAUSE_US

/**
 * Messages of one log. Claude Code writes a line for every content block, each with the message's usage so far: the last
 * line of a message carries the final counts, so lines are folded by message and request id.
 */
async function* readLog(
  file: string,
  options: ImportOptions,
  progress: (bytes: number) => void,
): AsyncGenerator<Imported> {
  const messages = new Map<string, LoggedMessage>()
  for await (const row of readRecords(file, progress)) {
    const message = 'bad' in row ? row.bad : messageOn(row, file)
    if (message === undefined) continue
    if (typeof message === 'string') {
      yield { bad: `${basename(file)}: ${message}`, line: row.line }
      continue
    }
    const key = `${message.id}/${message.request ?? ''}`
    const earlier = messages.get(key)
    messages.set(
      key,
      earlier ? { ...message, first_us: earlier.first_us, stop: message.stop ?? earlier.stop } : message,
    )
  }
  let step = 0
  for (const message of messages.values()) {
    yield isUnfinished(message, options)
      ? { bad: `${basename(file)}: an answer that is still being written: import again later`, line: message.line }
      : { receipt: messageReceipt(message, step, options) }
    step += 1
  }
}

/** The same, but a log that cannot be read (it was cleared away, or is another user's) is named like a row that cannot. */
async function* readOneOfMany(...[file, options, progress]: Parameters<typeof readLog>): AsyncGenerator<Imported> {
  try {
    yield* readLog(file, options, progress)
  } catch (error) {
    if (!(error instanceof WeirError)) throw error
    yield { bad: error.message, line: 0 }
  }
}

/** The session logs that Claude Code keeps in `~/.claude/projects`: a file, or a folder with all below it. */
export const importer: Importer = {
  name: 'claude-code',
  describes: 'session logs of Claude Code: a .jsonl file, or a folder such as ~/.claude/projects with all below it',
  async *read(path, options, progress) {
    let before = 0
    const files = await logFiles(path)
    const read = files[0] === path ? readLog : readOneOfMany
    for (const file of files) {
      let inFile = 0
      yield* read(file, options, (bytes) => {
        inFile = bytes
        progress(before + bytes)
      })
      before += inFile
    }
  },
}
