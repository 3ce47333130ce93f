/** Requests to a gateway as a client without an SDK sends them. */
import { type IncomingHttpHeaders, request } from 'node:http'
import type { House } from './harness.ts'

export const chatBody = (more: Readonly<Record<string, unknown>> = {}) => ({
  model: 'gpt-4o-mini',
  max_tokens: 60,
  messages: [
    { role: 'system', content: 'Answer briefly.' },
    { role: 'user', content: 'What is a weir?' },
  ],
  ...more,
})

export type Ask = Readonly<{ path?: string; body?: unknown; headers?: Record<string, string>; signal?: AbortSignal }>

export const post = (
  house: House,
  { path = '/v1/chat/completions', body = chatBody(), headers = {}, signal }: Ask = {},
) =>
  fetch(`${house.gateway.url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: 'Bearer sk-client', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? (body as BodyInit) : JSON.stringify(body),
    ...(signal ? { signal } : {}),
  })

export type OpenAiError = Readonly<{ error: { message: string; type: string; code: string } }>

/** A request by `node:http`: the answer's bytes as they came, still encoded. Rejects when the connection breaks. */
export const rawPost = (
  port: number,
  path: string,
  body: string | Uint8Array,
  headers: Record<string, string> = {},
): Promise<Readonly<{ status: number; headers: IncomingHttpHeaders; body: Buffer }>> =>
  new Promise((resolve, reject) => {
    const sent = request(
      { host: '127.0.0.1', port, path, method: 'POST', headers: { 'content-type': 'application/json', ...headers } },
      (response) => {
        const pieces: Buffer[] = []
        response.on('data', (piece: Buffer) => pieces.push(piece))
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(pieces) }),
        )
        response.on('error', reject)
      },
    )
    sent.on('error', reject)
    sent.end(body)
  })
