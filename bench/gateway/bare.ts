/** The least a proxy can do in Node: `node:http` in, undici out, bytes piped. What Weir's cost is measured against. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Agent } from 'undici'

const latin1 = (bytes: Buffer | undefined): string => bytes?.toString('latin1') ?? ''

const forward = (
  agent: Agent,
  origin: string,
  request: IncomingMessage,
  response: ServerResponse,
  body: Buffer,
): void => {
  const headers: string[] = []
  for (let i = 0; i < request.rawHeaders.length; i += 2) {
    const name = request.rawHeaders[i] ?? ''
    if (!/^(host|connection|content-length|transfer-encoding)$/i.test(name))
      headers.push(name, request.rawHeaders[i + 1] ?? '')
  }
  agent.dispatch(
    { origin, path: request.url ?? '/', method: request.method ?? 'GET', headers, body },
    {
      onConnect: () => {},
      onHeaders: (status, raw) => {
        const head: string[] = []
        for (let i = 0; i < raw.length; i += 2) {
          const name = latin1(raw[i])
          if (!/^(connection|keep-alive|transfer-encoding)$/i.test(name)) head.push(name, latin1(raw[i + 1]))
        }
        response.writeHead(status, head)
        return true
      },
      onData: (chunk) => {
        response.write(chunk)
        return true
      },
      onComplete: () => void response.end(),
      onError: () => void response.destroy(),
    },
  )
}

/** Starts the bare pass-through before `origin`; resolves to its port. */
export const startBare = (origin: string): Promise<number> => {
  // No connection is used that its server may just be closing: a retry is what the least proxy does not have.
  const agent = new Agent({ keepAliveTimeout: 1000, keepAliveMaxTimeout: 1000 })
  const server = createServer((request, response) => {
    const pieces: Buffer[] = []
    request.on('data', (piece: Buffer) => pieces.push(piece))
    request.on('end', () =>
      forward(agent, origin, request, response, pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces)),
    )
  })
  server.keepAliveTimeout = 75_000
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve((server.address() as AddressInfo).port))
  })
}
