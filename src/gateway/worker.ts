/** A gateway thread in a worker. The main thread calls its functions and answers `scrape` and `segment`. */
import { parentPort, workerData } from 'node:worker_threads'
import { connect, type Methods } from './remote.ts'
import { newId, now_us, random } from './system.ts'
import { openThread, type ThreadData } from './thread.ts'

const begin = (): void => {
  if (!parentPort) return
  const methods: Record<string, Methods[string]> = {}
  const main = connect(parentPort, methods)
  const thread = openThread(workerData as ThreadData, {
    now_us,
    random,
    new_id: newId,
    scrape: async () => String(await main.call('scrape')),
    billed_before: async (provider, response_id) => (await main.call('billed_before', provider, response_id)) === true,
    onSegment: () => {
      main.call('segment').catch(() => {})
    },
  })
  Object.assign(methods, thread)
  main.call('up').catch(() => {})
}

begin()
