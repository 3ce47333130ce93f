/** A gateway thread in a worker. It loads what a thread is made of, and becomes one when the main thread says which. */
import { enableCompileCache } from 'node:module'
import { parentPort } from 'node:worker_threads'

// Like the main thread's (src/main.ts), which a worker does not inherit.
enableCompileCache()
const { connect } = await import('./remote.ts')
const { newId, now_us, random } = await import('./system.ts')
const { openThread } = await import('./thread.ts')

const methods: Record<string, (...args: never[]) => unknown> = {
  open: (data: Parameters<typeof openThread>[0]) => {
    Object.assign(
      methods,
      openThread(data, {
        now_us,
        random,
        new_id: newId,
        scrape: async () => String(await main?.call('scrape')),
        billed_before: async (provider, response_id) =>
          (await main?.call('billed_before', provider, response_id)) === true,
        onSegment: () => {
          main?.call('segment').catch(() => {})
        },
      }),
    )
  },
}
const main = parentPort ? connect(parentPort, methods) : undefined
