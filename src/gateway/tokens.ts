import type { Worker } from 'node:worker_threads'
import type { TokenRatio } from '../core/ledger.ts'
import { O200K_BYTES_PER_TOKEN, type Ratios, ratios } from '../playbook/measure/ratios.ts'
import { connect, openWorker } from './remote.ts'

/** Counts tokens where no provider did. */
export type Tokens = {
  /**
   * Tokens of each text in o200k. They are counted in a thread of their own, which has the tokenizer (70 MB) and is started
   * with the first text, so that no call waits for another's count; where that thread ends, by length.
   */
  count: Counts
  /** How a model's tokenizer compares with o200k. */
  ratios: Ratios
  /** Takes what the ledger has learnt of models. */
  learn(learnt: readonly TokenRatio[]): void
  /** Ends the thread; what is or will be asked is counted by length. */
  close(): Promise<void>
}

const byLength = (text: string): number => Math.ceil(Buffer.byteLength(text) / O200K_BYTES_PER_TOKEN)

/** Counts of a thread. They reject when it has ended; it holds the process up while one waits, and no longer. */
const countsOf = (worker: Worker, ended: () => void) => {
  const { call, drop } = connect(worker, {})
  worker.on('error', drop)
  worker.on('exit', () => {
    drop(new Error('the thread that counts tokens has ended'))
    ended()
  })
  let waiting = 0
  return {
    async count(texts: readonly string[]): Promise<readonly number[]> {
      worker.ref()
      waiting += 1
      try {
        return (await call('count', texts)) as readonly number[]
      } finally {
        waiting -= 1
        if (waiting === 0) worker.unref()
      }
    },
    close: async () => void (await worker.terminate()),
  }
}

type Counts = (texts: readonly string[]) => Promise<readonly number[]>

/** Counts the texts of one turn of the event loop together: a message to another thread costs more than a short count. */
const together = (count: Counts): Counts => {
  let asked: Readonly<{ texts: readonly string[]; resolve: (counts: readonly number[]) => void }>[] = []
  const flush = async (): Promise<void> => {
    const now = asked
    asked = []
    const counts = await count(now.flatMap(({ texts }) => texts))
    let from = 0
    for (const { texts, resolve } of now) {
      resolve(counts.slice(from, from + texts.length))
      from += texts.length
    }
  }
  return (texts) =>
    new Promise((resolve) => {
      if (asked.push({ texts, resolve }) === 1) setImmediate(flush)
    })
}

const startThread = (): Worker => openWorker('gateway/counting')

/** `onTrouble` is told why texts are counted by length, but for the end that `close` makes. */
export const openTokens = (onTrouble: (why: Error) => void = () => {}, start = startThread): Tokens => {
  let counter: ReturnType<typeof countsOf> | undefined
  let closed = false
  const count: Counts = async (texts) => {
    if (closed) return texts.map(byLength)
    counter ??= countsOf(start(), () => {
      counter = undefined
    })
    try {
      return await counter.count(texts)
    } catch (error) {
      if (!closed) onTrouble(error as Error)
      return texts.map(byLength)
    }
  }
  return {
    count: together(count),
    ratios: ratios(),
    learn(learnt) {
      this.ratios = ratios(learnt)
    },
    async close() {
      closed = true
      await counter?.close()
    },
  }
}
