/** Load on one server: a closed loop of some connections, or a fixed rate, over undici's lowest layer. */
import { type Dispatcher, Pool } from 'undici'

export type Shot = Readonly<{ path: string; body: Buffer }>

const headers = ['content-type', 'application/json', 'authorization', 'Bearer sk-bench']

/** One call, read to its end. Resolves to the number of pieces that came; rejects on any status but 200. */
export const shoot = (pool: Dispatcher, { path, body }: Shot): Promise<number> =>
  new Promise((resolve, reject) => {
    let pieces = 0
    let status = 0
    pool.dispatch(
      { path, method: 'POST', headers, body },
      {
        onConnect: () => {},
        onHeaders: (code) => {
          status = code
          return true
        },
        onData: () => {
          pieces += 1
          return true
        },
        onComplete: () => (status === 200 ? resolve(pieces) : reject(new Error(`status ${status}`))),
        onError: reject,
      },
    )
  })

export const openPool = (port: number, connections: number): Pool =>
  new Pool(`http://127.0.0.1:${port}`, { connections })

/** `calls` calls, `at_once` at a time. */
export const closedLoop = async (pool: Dispatcher, shot: Shot, calls: number, at_once: number): Promise<void> => {
  let left = calls
  const lane = async (): Promise<void> => {
    while (left > 0) {
      left -= 1
      await shoot(pool, shot)
    }
  }
  await Promise.all(Array.from({ length: at_once }, lane))
}

/** Calls at a fixed rate whatever the server does; resolves to each one's time in ms from when it was due. */
export const fixedRate = async (
  pool: Dispatcher,
  shot: Shot,
  per_second: number,
  seconds: number,
): Promise<number[]> => {
  const times: number[] = []
  const pending: Promise<void>[] = []
  const start = performance.now()
  for (let i = 0; i < per_second * seconds; i++) {
    const due = start + (i * 1000) / per_second
    while (performance.now() < due) await new Promise((resolve) => setImmediate(resolve))
    pending.push(shoot(pool, shot).then(() => void times.push(performance.now() - due)))
  }
  await Promise.all(pending)
  return times.sort((a, b) => a - b)
}

export const quantile = (sorted: readonly number[], share: number): number =>
  sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN
