import { setFlagsFromString } from 'node:v8'
import type { Worker } from 'node:worker_threads'
import { connect, openWorker } from './remote.ts'
import type { GatewayThread, Snapshot } from './thread.ts'
import type { ThreadData } from './thread-data.ts'

/** What the main thread answers to its workers. */
export type MainSide = Readonly<{
  scrape: () => Promise<string>
  segment: () => void
  billed_before: (provider: string, response_id: string) => Promise<boolean>
  /** The worker is no more, and nobody had asked it to end. */
  died: (error: Error) => void
}>

/**
 * A gateway's objects die with their call. In little room many of them are still alive when it is full, and are kept with
 * what lives long; that room is full soon too, and marking what is alive in it slows every call that goes on meanwhile
 * (three times the 32 MiB that one half of the young room has).
 */
const YOUNG_MB = 96

/** How far what lives long may grow before it is marked again, %. Left alone, V8 marks once a second under load. */
const GROWTH_PERCENT = 200

const newWorker = (): Worker => {
  setFlagsFromString(`--heap-growing-percent=${GROWTH_PERCENT}`)
  return openWorker('gateway/worker', { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } })
}

let spare: Worker | undefined

/**
 * Starts the worker of the first gateway thread before it is known what it will serve: it loads its code while the main
 * thread reads the settings. It holds no process up.
 */
export const warmUp = (): void => {
  spare ??= newWorker()
  spare.unref()
}

const takeWorker = (): Worker => {
  const worker = spare ?? newWorker()
  spare = undefined
  worker.ref()
  return worker
}

/** Starts a gateway thread in a worker. Its methods reject when the worker has died, or cannot be what `data` says. */
export const startWorker = (data: ThreadData, main: MainSide): Readonly<{ thread: GatewayThread; worker: Worker }> => {
  const worker = takeWorker()
  const { scrape, segment, billed_before, died } = main
  const { call, drop } = connect(worker, { scrape, segment, billed_before })
  let closing = false
  let failure = new Error('a gateway thread has ended')
  worker.on('error', (error: Error) => {
    failure = error
    drop(error)
  })
  worker.on('exit', () => {
    drop(failure)
    if (!closing) died(failure)
  })
  call('open', data).catch((error: Error) => {
    failure = error
    drop(error)
    return worker.terminate()
  })
  const thread: GatewayThread = {
    listen: async (at) => Number(await call('listen', at)),
    snapshot: async () => (await call('snapshot')) as Snapshot,
    setKeys: async (keys) => void (await call('setKeys', keys)),
    renew: async (renewal) => void (await call('renew', renewal)),
    learn: async (ratios) => void (await call('learn', ratios)),
    contain: async (containments) => void (await call('contain', containments)),
    setBudgets: async (inForce) => (await call('setBudgets', inForce)) as readonly string[],
    rotate: async () => void (await call('rotate')),
    async close() {
      closing = true
      await call('close')
      await worker.terminate()
    },
  }
  return { thread, worker }
}
