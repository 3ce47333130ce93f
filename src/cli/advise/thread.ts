import { availableParallelism } from 'node:os'
import { WeirError } from '../../core/errors.ts'
import { connect, openWorker } from '../../gateway/remote.ts'
import type { Advice } from '../../playbook/advise/advice.ts'
import type { Replaying } from '../../playbook/advise/advise.ts'
import { type ReplaySetup, replayingOf } from './replaying.ts'

/** Fewer calls are replayed before a worker has begun. */
const WORTH_A_THREAD = 50_000

/**
 * What a replay makes of a call dies with it, but for a little. With more room to die in, less of it is taken for what stays.
 * (Three times the 32 MiB that one half of that room has.)
 */
const YOUNG_MB = 96

export type OpenReplaying = Replaying & Readonly<{ close(): Promise<void> }>

/** Replays in a worker, beside the reading. What it throws, and its end, is what the next call of it rejects with. */
export const replayThere = (setup: ReplaySetup): OpenReplaying => {
  const worker = openWorker('cli/advise/worker', { resourceLimits: { maxYoungGenerationSizeMb: YOUNG_MB } })
  const { call, drop } = connect(worker, {})
  const fail = (why: string) => drop(new WeirError('internal', `The replay has ended: ${why}`))
  worker.on('error', ({ message }: Error) => fail(message))
  worker.on('exit', () => fail('its thread was stopped'))
  const opened = call('open', setup)
  opened.catch(() => {})
  return {
    async take(page) {
      await opened
      await call('take', page)
    },
    async result() {
      await opened
      return (await call('result')) as Advice
    },
    close: async () => void (await worker.terminate()),
  }
}

/** A replay in a worker where it has enough to do and a core to do it on, else in this thread. */
export const startReplaying = (setup: ReplaySetup): OpenReplaying =>
  setup.expected >= WORTH_A_THREAD && availableParallelism() > 1
    ? replayThere(setup)
    : { ...replayingOf(setup), close: async () => {} }
