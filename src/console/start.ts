import { once as happened } from 'node:events'
import { rmSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { WeirError } from '../core/errors.ts'
import { ledgerAt, once, type Surroundings, storeAt } from '../verbs/context.ts'
import { sharedLedger } from './shared.ts'

export type ConsoleOptions = Surroundings &
  Readonly<{
    /** 0 takes a free one. */
    port: number
    version: string
    /** What to do where the port is taken. */
    elsewhere: string
    /** Told of faults of ours. */
    fault(error: Error, where: string): void
  }>

export type RunningConsole = Readonly<{ url: string; port: number; close(): Promise<void> }>

type Listener = (request: IncomingMessage, response: ServerResponse) => unknown

const listen = async (listener: Listener, port: number, elsewhere: string) => {
  const server = createServer({ requestTimeout: 600_000, headersTimeout: 20_000 }, listener)
  server.listen(port, '127.0.0.1')
  try {
    await happened(server, 'listening')
  } catch (cause) {
    throw new WeirError(
      'bad-config',
      `the console cannot listen on 127.0.0.1:${port} (${(cause as NodeJS.ErrnoException).code ?? 'no reason given'}): ${elsewhere}`,
      { cause },
    )
  }
  return server
}

/**
 * Starts the console on loopback. It listens at once; what it is made of is loaded for the first request, so that the
 * gateway beside it starts quickly. Throws WeirError `bad-config` where the port is taken.
 */
export const startConsole = async (options: ConsoleOptions): Promise<RunningConsole> => {
  const { data, now_us, port: asked } = options
  const ledger = sharedLedger(() => ledgerAt(data, { now_us, role: 'weir console' }))
  const store = once(() => storeAt(data))
  const listener = once<Listener>(async () => {
    const [{ getRequestListener }, { consoleApp }] = await Promise.all([
      import('@hono/node-server'),
      import('./app.ts'),
    ])
    const app = consoleApp({ ...options, lease: ledger.lease, store: store.get })
    return getRequestListener(app.fetch)
  })
  const server = await listen(
    (request, response) => {
      listener.get().then(
        (listens) => listens(request, response),
        (error: Error) => {
          options.fault(error, 'start')
          response.writeHead(500).end()
        },
      )
    },
    asked,
    options.elsewhere,
  )
  // What a console that was killed left half-sent. Where another has the port, what lies there is its own.
  rmSync(join(data, 'console'), { recursive: true, force: true })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async close() {
      server.close()
      server.closeAllConnections()
      if (server.listening) await happened(server, 'close')
      await ledger.close()
      await (await store.ifOpen()?.catch(() => undefined))?.close()
    },
  }
}
