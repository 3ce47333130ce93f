import { type MessagePort, Worker, type WorkerOptions } from 'node:worker_threads'

/** Functions of another thread: arguments and results are plain data. */
export type Remote = (method: string, ...args: readonly unknown[]) => Promise<unknown>
export type Methods = Readonly<Record<string, (...args: never[]) => unknown>>

type Message =
  | Readonly<{ kind: 'call'; id: number; method: string; args: readonly unknown[] }>
  | Readonly<{ kind: 'done'; id: number; result: unknown }>
  | Readonly<{ kind: 'failed'; id: number; error: unknown }>

type Waiting = Readonly<{ resolve: (result: unknown) => void; reject: (error: unknown) => void }>

/** Starts a worker of `src/FILE`; in the package, whose shared code lies in one folder beside, of what was built of it. */
export const openWorker = (file: string, options: WorkerOptions = {}): Worker => {
  const ending = import.meta.url.endsWith('.ts') ? 'ts' : 'js'
  return new Worker(new URL(`../${file}.${ending}`, import.meta.url), options)
}

/**
 * Calls functions of the thread at the other end of `port`, and lets it call `methods` here. An error arrives as an
 * Error with the same message and `code`. Once the other end is gone `drop` rejects the calls that wait, and those that
 * still come.
 */
export const connect = (
  port: MessagePort | Worker,
  methods: Methods,
): Readonly<{ call: Remote; drop(error: Error): void }> => {
  const waiting = new Map<number, Waiting>()
  let last = 0
  let gone: Error | undefined

  /** Whoever waits hears of a failure in any case: of one with fields that cannot cross to another thread, its message. */
  const refuse = (id: number, error: Error): void => {
    const { message } = error
    try {
      port.postMessage({ kind: 'failed', id, error: { ...error, message } } satisfies Message)
    } catch {
      port.postMessage({ kind: 'failed', id, error: { message } } satisfies Message)
    }
  }
  const perform = async ({ id, method, args }: Extract<Message, { kind: 'call' }>): Promise<void> => {
    try {
      const result = await methods[method]?.(...(args as never[]))
      port.postMessage({ kind: 'done', id, result } satisfies Message)
    } catch (error) {
      refuse(id, error as Error)
    }
  }
  port.on('message', (message: Message) => {
    if (message.kind === 'call') {
      perform(message).catch(() => {})
      return
    }
    const found = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.kind === 'done') found?.resolve(message.result)
    else found?.reject(Object.assign(new Error(), message.error))
  })
  return {
    call: (method, ...args) =>
      new Promise((resolve, reject) => {
        if (gone) {
          reject(gone)
          return
        }
        last += 1
        waiting.set(last, { resolve, reject })
        port.postMessage({ kind: 'call', id: last, method, args } satisfies Message)
      }),
    drop(error) {
      gone = error
      for (const { reject } of waiting.values()) reject(error)
      waiting.clear()
    },
  }
}
