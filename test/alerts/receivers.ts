/** Far sides on loopback: HTTP servers that answer as they are told, and a mail server. */
import { once } from 'node:events'
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { SMTPServer } from 'smtp-server'

export type Received = Readonly<{ path: string; headers: IncomingHttpHeaders; body: string; at_ms: number }>
type Answer = number | ((response: ServerResponse) => void)

const waiter = () => {
  let wake: (() => void)[] = []
  return {
    news: () => {
      for (const one of wake) one()
      wake = []
    },
    /** Resolves when `holds`; rejects after `limit_ms`. */
    until: async (holds: () => boolean, limit_ms: number, what: string) => {
      const end = Date.now() + limit_ms
      while (!holds()) {
        const left = end - Date.now()
        if (left <= 0) throw new Error(`waited ${limit_ms} ms in vain for ${what}`)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left)
          wake.push(() => {
            clearTimeout(timer)
            resolve()
          })
        })
      }
    },
  }
}

/** An HTTP server that keeps what it is sent, and answers with the given answers in turn; the last one goes on. */
export const httpReceiver = async (answers: readonly Answer[] = [200]) => {
  const received: Received[] = []
  const { news, until } = waiter()
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk)
    const answer = answers[Math.min(received.length, answers.length - 1)] ?? 200
    const { url = '/', headers } = request
    received.push({ path: url, headers, body: Buffer.concat(chunks).toString('utf8'), at_ms: Date.now() })
    if (typeof answer === 'function') answer(response)
    else response.writeHead(answer).end('ok')
    news()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    received,
    until: (count: number, limit_ms = 10_000) =>
      until(() => received.length >= count, limit_ms, `${count} messages, got ${received.length}`),
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

export type Mail = Readonly<{ from: string; to: readonly string[]; user: string | undefined; raw: string }>

/** A mail server that takes mail of one user, or of anybody. */
export const mailReceiver = async (login?: Readonly<{ user: string; password: string }>) => {
  const received: Mail[] = []
  const { news, until } = waiter()
  const server = new SMTPServer({
    authOptional: login === undefined,
    allowInsecureAuth: true,
    disabledCommands: ['STARTTLS'],
    onAuth: ({ username, password }, _session, done) =>
      username === login?.user && password === login?.password
        ? done(null, { user: username })
        : done(new Error('wrong password')),
    onData(stream, session, done) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const { mailFrom, rcptTo } = session.envelope
        received.push({
          from: mailFrom === false ? '' : mailFrom.address,
          to: rcptTo.map(({ address }) => address),
          user: typeof session.user === 'string' ? session.user : undefined,
          raw: Buffer.concat(chunks).toString('utf8'),
        })
        done()
        news()
      })
    },
  })
  server.listen(0, '127.0.0.1')
  await once(server.server, 'listening')
  const { port } = server.server.address() as AddressInfo
  return {
    port,
    received,
    until: (count: number, limit_ms = 10_000) => until(() => received.length >= count, limit_ms, `${count} mails`),
    close: () => new Promise<void>((resolve) => server.close(() => resolve())),
  }
}
