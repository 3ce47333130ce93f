/** A replay in a worker. It loads what a replay is made of, and becomes one when the main thread says which. */
import { enableCompileCache } from 'node:module'
import { parentPort } from 'node:worker_threads'

// Like the main thread's (src/main.ts), which a worker does not inherit.
enableCompileCache()
const { connect } = await import('../../gateway/remote.ts')
const { replayingOf } = await import('./replaying.ts')

/** Texts that came from another thread are their own already. */
const asIs = (text: string): string => text

const methods: Record<string, (...args: never[]) => unknown> = {
  open: (setup: Parameters<typeof replayingOf>[0]) => {
    Object.assign(methods, replayingOf(setup, asIs))
  },
}
if (parentPort) connect(parentPort, methods)
