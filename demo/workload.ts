import { type Endpoints, openKit, type Scene, type Session } from './kit.ts'
import { agent } from './scenes/agent.ts'
import { answers } from './scenes/answers.ts'
import { chat } from './scenes/chat.ts'
import { nightly } from './scenes/nightly.ts'
import { others } from './scenes/others.ts'
import { retries } from './scenes/retries.ts'

export type Workload = Readonly<{ scenes: readonly Scene[]; calls: number }>

/** A day of an organisation, squeezed: about 1,050 calls at size 1. */
export const planWorkload = (size = 1): Workload => {
  const of = (count: number): number => Math.max(1, Math.round(count * size))
  const scenes = [chat(of(40)), answers(of(90)), agent(of(14)), nightly(of(9)), retries(of(8)), ...others(of(40))]
  const calls = scenes.flatMap((scene) => scene.sessions).reduce((n, session) => n + session.calls, 0)
  return { scenes, calls }
}

export type RunOptions = Readonly<{
  workload: Workload
  endpoints: Endpoints
  /** Sessions under way at a time. */
  concurrency: number
  /** Told after every call. */
  progress(done: number, doing: string): void
}>

export type Ran = Readonly<{ calls: number; failed: number; elapsed_ms: number }>

/** Scenes take turns, so that at every moment of a run everything is going on. */
const interleaved = (scenes: readonly Scene[]): Session[] => {
  const placed = scenes.flatMap(({ sessions }) =>
    sessions.map((session, i) => ({ session, at: (i + 0.5) / sessions.length })),
  )
  return placed.sort((one, other) => one.at - other.at).map(({ session }) => session)
}

/** Sends a workload with the official SDKs. A call that fails is counted, not thrown. */
export const runWorkload = async ({ workload, endpoints, concurrency, progress }: RunOptions): Promise<Ran> => {
  const begun = performance.now()
  let calls = 0
  let failed = 0
  const kit = openKit(endpoints, (doing, wrong) => {
    calls++
    if (wrong) failed++
    progress(calls, doing)
  })
  const queue = interleaved(workload.scenes)
  const work = async (): Promise<void> => {
    for (let session = queue.shift(); session; session = queue.shift()) await session.run(kit)
  }
  await Promise.all(Array.from({ length: concurrency }, work))
  return { calls, failed, elapsed_ms: performance.now() - begun }
}
