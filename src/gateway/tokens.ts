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
  count(texts: readonly string[]): Promise<readonly number[]>
  /** How a model's tokenizer compares with o200k. */
  ratios: Ratios
  /** Takes what the ledger has learnt of models. */
  learn(learnt: readonly TokenRatio[]): void
  close(): Promise<void>
}

const byLength = (text: string): number => Math.ceil(Buffer.byteLength(text) / O200K_BYTES_PER_TOKEN)

/** Counts of a thread. They reject when it has ended; it holds no process up. */
const countsOf = (worker: Worker, ended: () => void) => {
  const { call, drop } = connect(worker, {})
  worker.on('error', drop)
  worker.on('exit', () => {
    drop(new Error('the thread that counts tokens has ended'))
    ended()
  })
  worker.unref()
  return {
    count: async (texts: readonly string[]) => (await call('count', texts)) as readonly number[],
    close: async () => void (await worker.terminate()),
  }
}

const startThread = (): Worker => openWorker('gateway/counting')

/** `onTrouble` is told why texts are counted by length, but for the end that `close` makes. */
export const openTokens = (onTrouble: (why: Error) => void = () => {}, start = startThread): Tokens => {
  let counter: ReturnType<typeof countsOf> | undefined
  let closing = false
  const count = (texts: readonly string[]): Promise<readonly number[]> => {
    counter ??= countsOf(start(), () => {
      counter = undefined
    })
    return counter.count(texts)
  }
  return {
    async count(texts) {
      try {
        return await count(texts)
      } catch (error) {
        if (!closing) onTrouble(error as Error)
        return texts.map(byLength)
      }
    },
    ratios: ratios(),
    learn(learnt) {
      this.ratios = ratios(learnt)
    },
    async close() {
      closing = true
      await counter?.close()
      closing = false
    },
  }
}
