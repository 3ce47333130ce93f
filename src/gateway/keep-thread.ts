import type { Worker } from 'node:worker_threads'
import { brief, type Told } from './crew.ts'
import type { ListenAt } from './listener.ts'
import type { Log } from './log.ts'
import { type Counts, mergeCounts, NO_COUNTS } from './metrics.ts'
import type { GatewayThread } from './thread.ts'
import type { ThreadData } from './thread-data.ts'
import { type MainSide, startWorker } from './threads.ts'

export type KeepOptions = Readonly<{
  data: ThreadData
  main: Omit<MainSide, 'died'>
  log: Log
  now_us: () => number
  /** What a thread that is started again has to know. */
  told: Readonly<Told>
  /** Makes whole what a thread of this name left in the journal; called when it is dead. */
  bury: (name: string) => void
  /** For tests: told each worker. */
  on_worker?: (worker: Worker) => void
}>

/** A thread that dies is started again after this long, and twice as long for each further death of the last minute … */
const FIRST_WAIT_MS = 100
/** … up to this. */
const LONGEST_WAIT_MS = 10_000
const FORGOTTEN_AFTER_US = 60_000_000

/** How long to wait before the next start, from the moments of the deaths so far. */
export const waitAfter = (deaths_us: readonly number[], now_us: number): number => {
  const recent = deaths_us.filter((death_us) => now_us - death_us < FORGOTTEN_AFTER_US).length
  return Math.min(FIRST_WAIT_MS * 2 ** Math.max(0, recent - 1), LONGEST_WAIT_MS)
}

/** What is the same for every worker of a kept thread, and which one it is now. */
type State = {
  current: GatewayThread | undefined
  /** Where it listens, once it has: only then is it started again. */
  at: ListenAt | undefined
  /** Counts of the workers that died, as last seen; and those of the one that lives. */
  buried: Counts
  seen: Counts
  deaths_us: number[]
  timer: NodeJS.Timeout | undefined
  closing: boolean
}

const starter = (options: KeepOptions, state: State) => {
  const { data, log, now_us } = options

  const start = (): GatewayThread => {
    const died = (error: Error): void => {
      if (state.current === thread) onDeath(error)
    }
    const { thread, worker } = startWorker(data, { ...options.main, died })
    state.current = thread
    options.on_worker?.(worker)
    return thread
  }
  const onDeath = (error: Error): void => {
    state.current = undefined
    state.buried = mergeCounts([state.buried, state.seen])
    state.seen = NO_COUNTS
    if (state.closing || !state.at) return
    state.deaths_us = [...state.deaths_us, now_us()].slice(-16)
    const wait_ms = waitAfter(state.deaths_us, now_us())
    log.trouble('a gateway thread died; the others go on, and it is started again', {
      thread: data.name,
      error: error.name,
      wait_ms,
    })
    options.bury(data.name)
    state.timer = setTimeout(() => restart(), wait_ms)
  }
  const restart = async (): Promise<void> => {
    const thread = start()
    try {
      await brief(thread, options.told)
      if (state.at) await thread.listen(state.at)
      log.event('a gateway thread was started again', { thread: data.name })
    } catch (error) {
      // It lives but cannot listen: that is no thread either.
      if (state.current !== thread) return
      state.current = undefined
      await thread.close().catch(() => {})
      onDeath(error as Error)
    }
  }
  return start
}

/**
 * A gateway thread in a worker that is started again when it dies: on the same port, and told what the
 * others know. Attempts that were open in it become `unknown` receipts. A thread that never listened is not started again: its
 * `listen` rejects.
 */
export const keepThread = (options: KeepOptions): GatewayThread => {
  const state: State = {
    current: undefined,
    at: undefined,
    buried: NO_COUNTS,
    seen: NO_COUNTS,
    deaths_us: [],
    timer: undefined,
    closing: false,
  }
  const first = starter(options, state)()
  /** Tells the worker, if there is one; one that dies of it, or meanwhile, is told anew when it is started again. */
  const tell = async (act: (thread: GatewayThread) => Promise<void>): Promise<void> => {
    if (state.current) await act(state.current).catch(() => {})
  }
  return {
    async listen(at) {
      const port = await first.listen(at)
      state.at = { ...at, port }
      return port
    },
    async snapshot() {
      const snapshot = await state.current?.snapshot().catch(() => undefined)
      if (snapshot) state.seen = snapshot.counts
      return { counts: mergeCounts([state.buried, state.seen]), gauges: snapshot?.gauges ?? {} }
    },
    setKeys: (keys) => tell((thread) => thread.setKeys(keys)),
    learn: (ratios) => tell((thread) => thread.learn(ratios)),
    contain: (containments) => tell((thread) => thread.contain(containments)),
    async renew(renewal) {
      const { current } = state
      await current?.renew(renewal).catch((error: Error) => {
        // One that has died is started again with what it was told.
        if (state.current === current) throw error
      })
    },
    setBudgets: async (inForce) => (await state.current?.setBudgets(inForce).catch(() => undefined)) ?? [],
    rotate: () => tell((thread) => thread.rotate()),
    async close() {
      state.closing = true
      clearTimeout(state.timer)
      await tell((thread) => thread.close())
    },
  }
}
