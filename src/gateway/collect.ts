import { readdirSync, statSync } from 'node:fs'
import { unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Ledger } from '../core/ledger.ts'
import { bySequence, parseSegment, type SegmentFile } from './segment.ts'
import { sift } from './sift.ts'

/** What is logged: allow-listed fields and a sentence. A pino logger is one. */
export type Log = Readonly<{
  info(fields: Readonly<Record<string, unknown>>, message: string): void
  warn(fields: Readonly<Record<string, unknown>>, message: string): void
  error(fields: Readonly<Record<string, unknown>>, message: string): void
}>

export type CollectorOptions = Readonly<{
  /** `<data>/journal` */
  folder: string
  ledger: Ledger
  log: Log
  /** What becomes of a segment that the ledger has: it is removed, unless this takes it away. */
  taken?: (path: string) => void
  /** How often the folder is looked at when nobody calls `notice` (500 ms by default). */
  every_ms?: number
}>

/** How far the ledger is behind the journal. */
export type Lag = Readonly<{ segments: number; bytes: number; failed: boolean }>

export type Collector = Readonly<{
  /** A segment was closed: collect soon. */
  notice(): void
  /** Collects every segment that is closed by now. Resolves to the number of receipts that the ledger gained. */
  collect(): Promise<number>
  lag(): Lag
  /** Collects a last time and stops. The ledger stays open. */
  stop(): Promise<void>
}>

const closedSegments = (folder: string): readonly SegmentFile[] => {
  try {
    const found = readdirSync(folder).map(parseSegment)
    return found
      .filter((segment) => segment !== undefined)
      .filter(({ open }) => !open)
      .sort(bySequence)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return []
    throw error
  }
}

const STUCK = 'The ledger does not take a segment; it stays in the journal and is tried again'

const sizeOf = (path: string): number => statSync(path, { throwIfNoEntry: false })?.size ?? 0

/** After the commit a segment's file goes on to the watch, or away; killed in between, the ledger knows its name the next time. */
const letGo = async ({ folder, taken }: CollectorOptions, name: string): Promise<void> => {
  const path = join(folder, name)
  if (taken) taken(path)
  else await unlink(path)
}

const appendSegment = async (options: CollectorOptions, name: string): Promise<number> => {
  const { receipts } = await options.ledger.append({ name, path: join(options.folder, name) })
  await letGo(options, name)
  return receipts
}

/** Appends a segment that the ledger refused, without the lines that nobody can read. */
const appendSifted = async (options: CollectorOptions, name: string, refusal: unknown): Promise<number> => {
  const { good, bad } = await sift(options.folder, name)
  if (bad === 0) throw refusal
  options.log.error(
    { segment: name, bad_lines: bad, good_lines: good },
    'A journal segment has lines that cannot be read. It is kept in journal/quarantine; its good lines go to the ledger',
  )
  return appendSegment(options, name)
}

/** Segments that are appended in one go: at 32 MiB each, half a gigabyte of lines. */
const MOST_TOGETHER = 16

/** Appends several segments in one go where the ledger can. Resolves to undefined where they must be appended one by one. */
const appendTogether = async (options: CollectorOptions, files: readonly string[]): Promise<number | undefined> => {
  const { folder, ledger } = options
  if (files.length < 2 || ledger.appendAll === undefined) return undefined
  try {
    const { receipts } = await ledger.appendAll(files.map((name) => ({ name, path: join(folder, name) })))
    for (const file of files) await letGo(options, file)
    return receipts
  } catch {
    // One of them is to blame, and is found out one by one.
    return undefined
  }
}

const inGroups = <T>(items: readonly T[], size: number): readonly (readonly T[])[] =>
  Array.from({ length: Math.ceil(items.length / size) }, (_, at) => items.slice(at * size, (at + 1) * size))

/** Appends closed journal segments to the ledger: exactly once, and in order within each run. */
export const startCollector = (options: CollectorOptions): Collector => {
  const { folder, log, every_ms = 500 } = options
  const sifted = new Set<string>()
  let failed = false
  let stopped = false
  let last: Promise<number> = Promise.resolve(0)
  let scheduled: NodeJS.Timeout | undefined

  /** A ledger that has no room refuses good segments again and again: one look at the lines is enough. */
  const siftOnce = (file: string, refusal: unknown): Promise<number> => {
    if (sifted.has(file)) throw refusal
    sifted.add(file)
    return appendSifted(options, file, refusal)
  }
  /** A run whose segment cannot be appended waits as a whole, for a later segment must not overtake an earlier one. */
  const oneByOne = async (segments: readonly SegmentFile[], stuck: Set<string>): Promise<number> => {
    let receipts = 0
    for (const { file, run } of segments) {
      if (stuck.has(run)) continue
      try {
        receipts += await appendSegment(options, file).catch((refusal) => siftOnce(file, refusal))
      } catch (error) {
        stuck.add(run)
        if (!failed) log.error({ segment: file, error: (error as Error).message }, STUCK)
      }
    }
    return receipts
  }
  const pass = async (): Promise<number> => {
    const stuck = new Set<string>()
    let receipts = 0
    for (const group of inGroups(closedSegments(folder), MOST_TOGETHER)) {
      const going = group.filter(({ run }) => !stuck.has(run))
      const files = going.map(({ file }) => file)
      receipts += (await appendTogether(options, files)) ?? (await oneByOne(going, stuck))
    }
    if (failed && stuck.size === 0) log.info({}, 'The ledger takes segments again')
    failed = stuck.size > 0
    return receipts
  }
  const collect = (): Promise<number> => {
    last = last.catch(() => 0).then(pass)
    return last
  }
  const tick = (): void => {
    scheduled = undefined
    if (stopped) return
    void collect().finally(() => plan(every_ms))
  }
  const plan = (after_ms: number): void => {
    if (stopped || scheduled) return
    scheduled = setTimeout(tick, after_ms)
    scheduled.unref()
  }
  plan(every_ms)

  return {
    notice() {
      if (scheduled) clearTimeout(scheduled)
      scheduled = undefined
      plan(5)
    },
    collect,
    lag() {
      const segments = closedSegments(folder)
      const bytes = segments.reduce((total, { file }) => total + sizeOf(join(folder, file)), 0)
      return { segments: segments.length, bytes, failed }
    },
    async stop() {
      stopped = true
      clearTimeout(scheduled)
      await collect()
    },
  }
}
