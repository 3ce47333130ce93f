/** Load on one server: a closed loop of some connections, or a fixed rate, over undici's lowest layer. */
import { type Dispatcher, Pool } from 'undici'

export type Shot = Readonly<{ path: string; body: Buffer }>
/** Who is shot at, and what it must be told besides. */
export type Target = Readonly<{ pool: Dispatcher; headers: readonly string[] }>

const HEADERS = ['content-type', 'application/json', 'authorization', 'Bearer sk-bench']
const LINE_FEED = 10

/** One call, read to its end. Resolves to the number of empty lines (of events, in a stream); rejects on any status but 200. */
export const shoot = ({ pool, headers: more }: Target, { path, body }: Shot, count = false): Promise<number> =>
  new Promise((resolve, reject) => {
    let events = 0
    let last = 0
    let status = 0
    pool.dispatch(
      { path, method: 'POST', headers: [...HEADERS, ...more], body },
      {
        onConnect: () => {},
        onHeaders: (code) => {
          status = code
          return true
        },
        onData: (piece) => {
          if (!count) return true
          for (const byte of piece) {
            if (byte === LINE_FEED && last === LINE_FEED) events += 1
            last = byte
          }
          return true
        },
        onComplete: () => (status === 200 ? resolve(events) : reject(new Error(`status ${status}`))),
        onError: reject,
      },
    )
  })

export const openPool = (port: number, connections: number): Pool =>
  new Pool(`http://127.0.0.1:${port}`, { connections, keepAliveTimeout: 1000, keepAliveMaxTimeout: 1000 })

/** `calls` calls, `at_once` at a time. */
export const closedLoop = async (target: Target, shot: Shot, calls: number, at_once: number): Promise<void> => {
  let left = calls
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await shoot(target, shot)
    }
  }
  await Promise.all(Array.from({ length: at_once }, lane))
}

/**
 * Calls at a fixed rate, however fast the server answers; resolves to each one's time in ms. Whoever shoots rests between
 * two calls, so that the servers have the processor.
 */
export const fixedRate = async (target: Target, shot: Shot, per_second: number, seconds: number): Promise<number[]> => {
  const times: number[] = []
  const pending: Promise<void>[] = []
  const start = performance.now()
  const fire = async (): Promise<void> => {
    const from = performance.now()
    await shoot(target, shot)
    times.push(performance.now() - from)
  }
  for (let fired = 0; fired < per_second * seconds; ) {
    const due = Math.min(per_second * seconds, ((performance.now() - start) / 1000) * per_second)
    for (; fired < due; fired++) pending.push(fire())
    await new Promise((resolve) => setTimeout(resolve, 1))
  }
  await Promise.all(pending)
  return times
}

export const ascending = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b)

export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
