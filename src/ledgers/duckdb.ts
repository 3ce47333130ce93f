import type { Answer, Ledger, Question } from '../core/ledger.ts'
import { append } from './duckdb/append.ts'
import { type Engine, openEngine, type Session } from './duckdb/engine.ts'
import { extent, ratios } from './duckdb/extent.ts'
import { leaks } from './duckdb/leaks.ts'
import { call, calls } from './duckdb/receipts.ts'
import { spend } from './duckdb/spend.ts'

export type DuckdbOptions = Readonly<{
  /** The database file; made if it is absent, its folder is not. */
  path: string
  /** Opens without the right to write: beside other readers, never beside a writer. */
  read_only?: boolean
  /** What the engine may hold in memory; beyond, it spills to files beside the database. 512 MB by default. */
  memory_limit?: string
  /** Threads for loading and asking; 2 by default, because a gateway runs beside it. */
  threads?: number
}>

const answer = async (session: Session, question: Question) => {
  switch (question.ask) {
    case 'spend':
      return spend(session, question)
    case 'calls':
      return calls(session, question)
    case 'call':
      return call(session, question.id)
    case 'leaks':
      return leaks(session, question)
    case 'extent':
      return extent(session)
    case 'ratios':
      return ratios(session)
  }
}

/** Each question has a connection, and with it a snapshot, of its own: it is not held up by an append, nor holds it up. */
const ask = async (engine: Engine, question: Question) => {
  const session = await engine.connect()
  try {
    await session.run({ text: 'BEGIN', values: [] })
    return await answer(session, question)
  } finally {
    session.close()
  }
}

/** Opens the embedded ledger: one DuckDB file. Throws what DuckDB says when another process has it, or the file is none. */
export const open = async (options: DuckdbOptions): Promise<Ledger> => {
  const engine = await openEngine({ read_only: false, memory_limit: '512MB', threads: 2, ...options })
  const writing = await engine.connect()
  let last: Promise<unknown> = Promise.resolve()
  return {
    append(segment) {
      const appended = last.catch(() => {}).then(() => append(writing, segment))
      last = appended
      return appended
    },
    query: <Q extends Question>(question: Q) => ask(engine, question) as Promise<Answer<Q>>,
    async close() {
      await last.catch(() => {})
      writing.close()
      engine.close()
    },
  }
}
