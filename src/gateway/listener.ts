import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Active } from './budgets/active.ts'
import { serve } from './serve.ts'
import { asWeirError } from './shape.ts'
import type { World } from './world.ts'

export type ListenAt = Readonly<{
  host: string
  /** 0 takes a free one. */
  port: number
  /** Several threads listen on one port, and the kernel deals the connections out. */
  reuse_port: boolean
}>

export type Listener = Readonly<{
  /** Resolves to the port. Rejects with the system's error when the address is taken or not ours. */
  listen(at: ListenAt): Promise<number>
  /** Takes no more calls, waits for those in flight up to `limit_ms`, then drops what is left. */
  drain(limit_ms: number): Promise<void>
}>

/** Connections of clients are kept for a little longer than the load balancers and SDKs in front keep theirs. */
const KEEP_ALIVE_MS = 75_000
const HEAD_BYTES = 64 * 1024
const LOOK_EVERY_MS = 20
/** How long the receipts of calls that were dropped may take: an estimate may have to load the tokenizer first. */
const RECEIPTS_MS = 5000

const answerText = (
  response: ServerResponse,
  status: number,
  text: string,
  type = 'text/plain; charset=utf-8',
): void => {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) })
  response.end(text)
}

/** A hard budget that all calls are under, and that cannot be counted, lets none of them through. */
const refusesAll = ({ counter, state }: Active): boolean =>
  state === 'failed' && counter.hard && counter.conditions.length === 0

/** Is this thread able to serve a paid call now? */
const readiness = ({ journal, load, budgets }: World): readonly [status: number, text: string] => {
  if (load.leaving || load.shutting_down) return [503, 'stopping\n']
  if (budgets.active().some(({ state }) => state === 'counting')) return [503, 'budgets are being counted\n']
  if (budgets.active().some(refusesAll))
    return [503, 'budgets cannot be counted, for the ledger cannot be read: weir status and the log say why\n']
  return journal.healthy() ? [200, 'ready\n'] : [503, 'the journal cannot be written: make room or repair the disk\n']
}

/** Liveness, readiness and metrics, which are no calls and leave no receipts. */
const operations = (world: () => World, scrape: () => Promise<string>) => ({
  '/healthz': (response: ServerResponse) => answerText(response, 200, 'ok\n'),
  '/readyz': (response: ServerResponse) => answerText(response, ...readiness(world())),
  '/metrics': (response: ServerResponse) => {
    scrape().then(
      (text) => answerText(response, 200, text, 'text/plain; version=0.0.4; charset=utf-8'),
      () => answerText(response, 503, 'the metrics of all threads could not be had\n'),
    )
  },
})

/** Waits while calls are in flight, at most so long. */
const quiet = async (server: Server, busy: () => boolean, limit_ms: number): Promise<void> => {
  for (let waited = 0; busy() && waited < limit_ms; waited += LOOK_EVERY_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS))
    server.closeIdleConnections()
  }
}

const drainServer = async (server: Server, busy: () => boolean, limit_ms: number): Promise<void> => {
  const closed = server.listening ? once(server, 'close') : Promise.resolve()
  server.close()
  await quiet(server, busy, limit_ms)
  server.closeAllConnections()
  await closed
  await quiet(server, busy, RECEIPTS_MS)
}

/** Where a host and port are reached, e.g. `http://[::1]:4141`. */
export const urlOf = (host: string, port: number): string => `http://${host.includes(':') ? `[${host}]` : host}:${port}`

/** The HTTP server of one gateway thread. A call has the world that there is when it comes. */
export const openListener = (world: () => World, scrape: () => Promise<string>): Listener => {
  let working = 0
  const done = (): void => {
    working -= 1
  }
  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    working += 1
    const current = world()
    serve(request, response, current)
      .catch((error: unknown) => {
        current.log.failure('', asWeirError(error))
        response.destroy()
      })
      .finally(done)
  }
  const paths = operations(world, scrape)
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const [path = '/'] = (request.url ?? '/').split('?', 1)
    // So that clients with kept connections go elsewhere before the port is closed.
    if (world().load.leaving) response.shouldKeepAlive = false
    const asks = request.method === 'GET' || request.method === 'HEAD'
    if (asks && Object.hasOwn(paths, path)) paths[path as keyof typeof paths](response)
    else begin(request, response)
  }
  const server = createServer({ keepAliveTimeout: KEEP_ALIVE_MS, maxHeaderSize: HEAD_BYTES, noDelay: true }, handle)
  // `Expect: 100-continue`: the body is asked for when it is read (`body.ts`), not before who calls is known.
  server.on('checkContinue', handle)
  return {
    async listen({ host, port, reuse_port }) {
      server.listen({ host, port, reusePort: reuse_port })
      await once(server, 'listening')
      return (server.address() as AddressInfo).port
    },
    drain: (limit_ms) => drainServer(server, () => working > 0 || world().load.in_flight > 0, limit_ms),
  }
}
