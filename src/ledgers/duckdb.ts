import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { WeirError } from '../core/errors.ts'
import type { Answer, Ledger, Question, Segment } from '../core/ledger.ts'
import { append } from './duckdb/append.ts'
import { charged } from './duckdb/charged.ts'
import { receiptsIn, rollDays, worthRolling } from './duckdb/daily.ts'
import { type Engine, openEngine, type Session } from './duckdb/engine.ts'
import { extent, ratios } from './duckdb/extent.ts'
import { focus } from './duckdb/focus.ts'
import { history } from './duckdb/history.ts'
import { leaks } from './duckdb/leaks.ts'
import { owned } from './duckdb/owned.ts'
import { practice } from './duckdb/practice.ts'
import { call, calls } from './duckdb/receipts.ts'
import { metered } from './duckdb/reconcile.ts'
import { type Beside, spend } from './duckdb/spend.ts'
import { retag } from './duckdb/tagged.ts'

export type DuckdbOptions = Readonly<{
  /** The database file; made if it is absent, its folder is not. */
  path: string
  /** Opens without the right to write: beside other readers, never beside a writer. */
  read_only?: boolean
  /** What the engine may hold in memory; beyond, it spills to files beside the database. 512 MB by default; for appends alone 256 MB at most. */
  memory_limit?: string
  /** Whole past days are rolled up once a question reads at least so many receipts (200,000 by default); answers are the same. */
  roll_up_from?: number
  /** Threads for loading and asking; 2 by default, because a gateway runs beside it. */
  threads?: number
}>

/** Told of the days that would have made an answer faster, had they been rolled up. */
type Roll = (missing: readonly number[]) => void

const answer = async (session: Session, beside: Beside, question: Question, roll: Roll) => {
  switch (question.ask) {
    case 'spend': {
      const { answer: spent, missing } = await spend(session, beside, question)
      roll(missing)
      return spent
    }
    case 'calls':
      return calls(session, question)
    case 'call':
      return call(session, question)
    case 'leaks':
      return leaks(session, question)
    case 'charged':
      return charged(session, question)
    case 'extent':
      return extent(session, question)
    case 'practice':
      return practice(session, question)
    case 'ratios':
      return ratios(session)
    case 'owned':
      return owned(session, question)
    case 'metered':
      return metered(session, question)
    case 'focus':
      return focus(session, question)
    case 'history':
      return history(session, question)
  }
}

/** Runs on a connection, and with it a snapshot, of its own: it is not held up by an append, nor holds it up. */
const beside =
  (engine: Engine, question: Question): Beside =>
  async (act) => {
    const session = await engine.connect()
    try {
      await session.run({ text: 'BEGIN', values: [] })
      await retag(session, question)
      return await act(session)
    } finally {
      session.close()
    }
  }

const ask = (engine: Engine, question: Question, roll: Roll) => {
  const connected = beside(engine, question)
  return connected((session) => answer(session, connected, question, roll))
}

/** About so many receipts are rolled up in one go. */
const ROLL_RECEIPTS = 500_000

/** What is written is written in turn, on one connection. */
const openWriter = (session: Session, engine: Engine, awake: <T>(act: () => Promise<T>) => Promise<T>) => {
  let last: Promise<unknown> = Promise.resolve()
  let closing = false
  /** Days that are being rolled up, or that were not worth it before the next append. */
  const looked_at = new Set<number>()
  const inTurn = <T>(act: () => Promise<T>): Promise<T> => {
    const done = last.catch(() => {}).then(() => awake(act))
    last = done
    return done
  }
  /** Segments that are larger than the memory for appends have all that there is. */
  const appendOnce = (segments: readonly Segment[]) =>
    append(session, segments).catch(async (error: Error) => {
      if (!/out of memory/i.test(error.message)) throw error
      await engine.spread()
      return append(session, segments)
    })
  /** Their days may be worth rolling up by now, and have lost what was rolled up. */
  const appendAll = async (segments: readonly Segment[]) => {
    const appended = await appendOnce(segments)
    looked_at.clear()
    return appended
  }
  const rollOnce = async (days: readonly number[]): Promise<void> => {
    try {
      if (!closing) await rollDays(session, days)
    } catch {
      // They are not rolled up: answers are right, and slower.
    }
    for (const day of days) looked_at.delete(day)
  }
  const rollWorthy = async (missing: readonly number[], roll_up_from: number): Promise<void> => {
    const days = await worthRolling(session, missing)
    const receipts = days.length > 0 ? await receiptsIn(session, days) : 0
    if (days.length === 0 || receipts < roll_up_from) return
    const at_once = Math.max(1, Math.floor((ROLL_RECEIPTS * days.length) / Math.max(receipts, 1)))
    for (let at = 0; at < days.length; at += at_once) void inTurn(() => rollOnce(days.slice(at, at + at_once)))
  }
  return {
    append: (segments: readonly Segment[]) => inTurn(() => appendAll(segments)),
    /**
     * Rolls up which of these days are worth it, if they have so many receipts together: behind the back of whoever asked, and some in
     * one go, so that appends come in between.
     */
    roll(missing: readonly number[], roll_up_from: number): void {
      const days = missing.filter((day) => !looked_at.has(day))
      for (const day of days) looked_at.add(day)
      if (days.length > 0 && !closing) inTurn(() => rollWorthy(days, roll_up_from)).catch(() => {})
    },
    async close(): Promise<void> {
      closing = true
      await last.catch(() => {})
      session.close()
    },
  }
}

/** So long after the last question or append the engine's cache is given back, ms. */
const REST_MS = 2000

/** Runs what needs the engine, and lets it rest when nothing has for a while. What comes while it lies down waits a moment. */
const openRest = (engine: Engine) => {
  let active = 0
  let lying: Promise<void> | undefined
  let timer: NodeJS.Timeout | undefined
  const lieDown = (): void => {
    lying = engine
      .rest()
      .catch(() => {})
      .finally(() => {
        lying = undefined
      })
  }
  return {
    async awake<T>(act: () => Promise<T>): Promise<T> {
      clearTimeout(timer)
      active += 1
      try {
        await lying
        return await act()
      } finally {
        active -= 1
        clearTimeout(timer)
        if (active === 0) timer = setTimeout(lieDown, REST_MS).unref()
      }
    },
    async stop(): Promise<void> {
      clearTimeout(timer)
      await lying
    },
  }
}

/** Files that this process may write: the engine's lock keeps other processes out, and not a second engine in this one. */
const writing = new Set<string>()

/** Takes a file for one ledger of this process; the function that is returned gives it back. Throws `overloaded`. */
const take = (path: string, read_only: boolean): (() => void) => {
  const file = resolve(path)
  if (writing.has(file))
    throw new WeirError(
      'overloaded',
      `The ledger ${file} is already open in this process. Use that one, or close it first.`,
    )
  if (read_only) return () => {}
  writing.add(file)
  return () => void writing.delete(file)
}

/** Which file lies there; undefined where none does. */
const inodeOf = (path: string): bigint | undefined => statSync(path, { bigint: true, throwIfNoEntry: false })?.ino

/** What is appended to a file that was removed or replaced while it is open would be gone with it. Throws `overloaded`. */
const sameFile = (path: string) => {
  const opened = inodeOf(path)
  return (): void => {
    if (inodeOf(path) === opened) return
    throw new WeirError(
      'overloaded',
      `The ledger ${path} was removed or replaced while it was open. Stop the gateway, put the file in its place that is meant, and start it again: the journal keeps what came since.`,
    )
  }
}

const openFile = async (options: DuckdbOptions): Promise<Ledger> => {
  const { path, read_only = false, memory_limit = '512MB', threads = 2, roll_up_from = 200_000 } = options
  const engine = await openEngine({ path, read_only, memory_limit, threads })
  const { awake, stop } = openRest(engine)
  const check = sameFile(path)
  const writer = openWriter(await engine.connect(), engine, awake)
  const roll: Roll = (missing) => {
    if (!read_only) writer.roll(missing, roll_up_from)
  }
  const appendAll = async (segments: readonly Segment[]) => {
    check()
    return writer.append(segments)
  }
  return {
    append: (segment) => appendAll([segment]),
    appendAll,
    query: <Q extends Question>(question: Q) =>
      awake(async () => {
        await engine.spread()
        return ask(engine, question, roll)
      }) as Promise<Answer<Q>>,
    async close() {
      await writer.close()
      await stop()
      engine.close()
    },
  }
}

/**
 * Opens the embedded ledger: one DuckDB file. Throws `overloaded` when this process has it open to write, and what DuckDB
 * says when another one has it, or the file is none.
 */
export const open = async (options: DuckdbOptions): Promise<Ledger> => {
  const give_back = take(options.path, options.read_only ?? false)
  try {
    const ledger = await openFile(options)
    return { ...ledger, close: () => ledger.close().finally(give_back) }
  } catch (error) {
    give_back()
    throw error
  }
}
