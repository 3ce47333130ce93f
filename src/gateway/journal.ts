import { closeSync, mkdirSync, unlinkSync } from 'node:fs'
import { join } from 'node:path'
import { WeirError } from '../core/errors.ts'
import type { Receipt } from '../core/receipt.ts'
import { type Disk, type LineWriter, openLineWriter } from './disk.ts'
import { closer, makeSegment, restore, type SegmentInHand, syncer } from './platter.ts'
import { segmentName } from './segment.ts'
import { type Entry, openSheets, whole } from './sheets.ts'

export type JournalOptions = Readonly<{
  /** `<data>/journal`; made if it is absent. */
  folder: string
  /** Name of the gateway thread, part of every segment's name. */
  thread: string
  now_us: () => number
  /** A segment is closed when it is longer … (32 MiB by default) */
  segment_bytes?: number
  /**
   * … or older than this and not empty (10 s by default): how far the ledger lags behind where nobody asks it. Each segment
   * costs the ledger about as much as a thousand receipts, whatever it holds.
   */
  segment_ms?: number
  /** Lines reach the platter at most this long after they were written (50 ms by default); `kill -9` loses none anyway. */
  fsync_ms?: number
  /** Told the name of each segment that was closed, in order. */
  onSegment?: (name: string) => void
  /** Told, within `fsync_ms`, that the disk refuses lines and why, and that it takes them again. */
  onHealth?: (healthy: boolean, why: string) => void
  /** The disk; a test passes one that fills up. */
  disk?: Disk
}>

/** The journal of one gateway thread. `open` and `receipt` are synchronous: when they return, the line outlives this process. */
export type Journal = Readonly<{
  /** Writes what an `unknown` receipt would say, before the attempt is dispatched. Throws `journal-unwritable`: then do not dispatch. */
  open(receipt: Receipt): void
  /**
   * Writes the receipt. Throws `journal-unwritable` when the disk refuses it: the client must not see its call complete.
   * The line is then kept in memory and written as soon as the disk has room, so never give it a second time.
   */
  receipt(receipt: Receipt): void
  /**
   * The same as `open` and `receipt`, for calls that can wait a moment: lines of one turn of the event loop are written
   * together. They resolve when the line outlives this process, and reject where `open` and `receipt` throw. `late` is called
   * when a receipt that was refused is written after all.
   */
  openSoon(receipt: Receipt): Promise<void>
  receiptSoon(receipt: Receipt, late?: () => void): Promise<void>
  /** Closes the current segment now, if it holds a receipt, so that the ledger can have it. */
  rotate(): void
  /** Receipt ids of the attempts that are open, also those whose line is about to be written. */
  openIds(): readonly string[]
  /** False while the disk refuses lines. The journal tries again by itself, so this becomes true again by itself. */
  healthy(): boolean
  /** Receipts that wait for room on the disk. */
  waiting(): number
  /** Closes the journal. Attempts that are still open become `unknown` at the next start. */
  close(): void
}>

/** Beyond this many waiting lines a receipt is let go: its attempt is open in the journal and becomes `unknown`. */
const MOST_WAITING = 20_000

type File = SegmentInHand & { readonly started_us: number; receipts: number }
type Run = Readonly<{ folder: string; run: string }>

const createFile = ({ folder, run }: Run, sequence: number, started_us: number): File => {
  const name = segmentName(run, sequence)
  return { fd: makeSegment(folder, name), name, started_us, bytes: 0, receipts: 0 }
}

/** `which` is all that clients are told: of the system's words only those before the call and the path. */
const unwritable = (which: string, cause: unknown): WeirError => {
  const [why = ''] = (cause as Error).message.split(', ', 1)
  return new WeirError(
    'journal-unwritable',
    `The journal ${which} cannot be written (${why}). Calls are refused until it can: make room or repair the disk.`,
    { cause, retry_after_s: 5 },
  )
}

/** Starts a run. Two runs never share a name, even if the clock stands still or was set back. */
const createRun = (folder: string, thread: string, now_us: number): { run: Run; file: File } => {
  for (let start = now_us; ; start += 1) {
    const run = { folder, run: `${thread}-${start}` }
    try {
      mkdirSync(folder, { recursive: true })
      return { run, file: createFile(run, 1, now_us) }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw unwritable(`in ${folder}`, error)
    }
  }
}

/** The lines of one run: which segment they go to, what is open, what waits for room. */
const openLines = (run: Run, first: File, writer: LineWriter) => {
  /** Lines of the attempts that are open, by receipt id: they go along into every new segment. */
  const open = new Map<string, Uint8Array>()
  const waiting: Entry[] = []
  const state = { file: first, sequence: 1, carried: 0, failed: false, why: '' }

  const note = ({ k, id, line }: Entry): void => {
    if (k === 'open') open.set(id, line)
    else {
      open.delete(id)
      state.file.receipts += 1
    }
  }
  const put = (entries: readonly Entry[]): void => {
    writer.append(state.file, whole(entries))
    for (const entry of entries) note(entry)
  }
  const putWaiting = (): void => {
    for (let entry = waiting[0]; entry; entry = waiting[0]) {
      put([entry])
      waiting.shift()
      entry.late?.()
    }
  }
  const guarded = (act: () => void): void => {
    try {
      if (state.failed) restore(run.folder, state.file)
      if (waiting.length > 0) putWaiting()
      act()
      state.failed = false
    } catch (error) {
      state.failed = true
      state.why = (error as Error).message
      throw unwritable('of this gateway', error)
    }
  }

  return {
    state,
    open,
    waiting,
    /** Writes lines, all of them or none. Receipts that the disk refuses wait for room. */
    write(entries: readonly Entry[]): void {
      try {
        guarded(() => put(entries))
      } catch (error) {
        for (const entry of entries) if (entry.k === 'receipt' && waiting.length < MOST_WAITING) waiting.push(entry)
        throw error
      }
    },
    /** Sees to it that the segment is still there, and tries the disk again after a failure. */
    look(): void {
      try {
        guarded(() => (state.failed ? writer.probe(state.file) : restore(run.folder, state.file)))
      } catch {
        // `failed` says so, and the timer comes back.
      }
    },
    /**
     * Starts the next segment and gives back the old one. The open attempts are in the new one before the old one is
     * let go, so that one of the two always has them. Undefined when there is no room for it: the old one goes on.
     */
    turn(now_us: number): File | undefined {
      let file: File | undefined
      try {
        writer.repair()
        state.sequence += 1
        file = createFile(run, state.sequence, now_us)
        for (const line of open.values()) writer.append(file, line)
      } catch {
        if (file) discard(run.folder, file)
        return undefined
      }
      const old = state.file
      state.file = file
      state.carried = file.bytes
      return old
    },
  }
}

/** Removes a segment that holds nothing of its own. One that cannot be removed is harmless: recovery finds only repetitions in it. */
const discard = (folder: string, file: File): void => {
  closeSync(file.fd)
  try {
    unlinkSync(join(folder, `${file.name}.open`))
  } catch {
    // See above.
  }
}

/** Gathers the lines of calls that go on side by side (`turn.ts`) and writes them at once: a write costs more than the line itself. */
const gatherer = (write: (entries: readonly Entry[]) => void) => {
  let entries: Entry[] = []
  let written = Promise.withResolvers<void>()
  const flush = (): void => {
    if (entries.length === 0) return
    const batch = entries
    const { resolve, reject } = written
    entries = []
    written = Promise.withResolvers()
    try {
      write(batch)
      resolve()
    } catch (error) {
      reject(error)
    }
  }
  return {
    flush,
    opening: () => entries.filter(({ k }) => k === 'open').map(({ id }) => id),
    add(entry: Entry): Promise<void> {
      // After all that is ready now: Node comes to its next tick when no promise is left to go on.
      if (entries.length === 0) process.nextTick(flush)
      entries.push(entry)
      return written.promise
    },
  }
}

/** Tells when something is no longer as it was at the last look. */
const telling = (look: () => boolean, tell: () => void): (() => void) => {
  let last = look()
  return () => {
    if (look() === last) return
    last = !last
    tell()
  }
}

/** Opens a journal of its own run in `folder`. Throws `journal-unwritable` when that is impossible. */
export const openJournal = (options: JournalOptions): Journal => {
  const { folder, now_us, segment_bytes = 32 * 1024 * 1024, segment_ms = 10_000 } = options
  const { run, file } = createRun(folder, options.thread, now_us())
  const lines = openLines(run, file, openLineWriter(options.disk))
  const closing = closer(folder, options.onSegment ?? (() => {}))
  const syncing = syncer()
  const { state } = lines

  const rotate = (): void => {
    if (state.file.receipts === 0) return
    const old = lines.turn(now_us())
    if (old) closing.add(old)
  }
  const healthy = (): boolean => !(state.failed || syncing.state.failed)
  const noticeHealth = telling(healthy, () => options.onHealth?.(healthy(), state.why))
  const timer = setInterval(() => {
    noticeHealth()
    lines.look()
    if (now_us() - state.file.started_us >= segment_ms * 1000) rotate()
    syncing.sync(state.file)
  }, options.fsync_ms ?? 50)
  timer.unref()

  const write = (entries: readonly Entry[]): void => {
    lines.write(entries)
    if (state.file.receipts > 0 && state.file.bytes - state.carried >= segment_bytes) rotate()
  }
  const soon = gatherer(write)
  const entryOf = openSheets()

  return {
    open: (receipt) => write([entryOf('open', receipt)]),
    receipt: (receipt) => write([entryOf('receipt', receipt)]),
    openSoon: (receipt) => soon.add(entryOf('open', receipt)),
    receiptSoon: (receipt, late) => soon.add(entryOf('receipt', receipt, late)),
    rotate() {
      soon.flush()
      rotate()
    },
    openIds: () => [...lines.open.keys(), ...soon.opening()],
    healthy,
    waiting: () => lines.waiting.length,
    close() {
      clearInterval(timer)
      soon.flush()
      lines.look()
      rotate()
      closing.drain()
      // What is still open stays in a segment that is not closed, where the next start looks for it.
      if (lines.open.size === 0 && state.file.receipts === 0) discard(folder, state.file)
      else closeSync(state.file.fd)
    },
  }
}
