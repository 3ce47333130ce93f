import type { IncomingMessage, ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'

/** Answers that are repeated byte for byte. */
type Can = Readonly<{
  status: number
  headers: Readonly<Record<string, string>>
  pieces: readonly Uint8Array[]
  stream: boolean
}>

export type Cans = Map<string, Can>

export const openCans = (): Cans => new Map()

type Pace = Readonly<{ latency_ms: number; pace_ms: number }>

/** Watches a response as it is made for the first time, and keeps it. */
const keep = (cans: Cans, name: string, response: ServerResponse): void => {
  const pieces: Uint8Array[] = []
  const take = (piece: unknown): void => {
    if (typeof piece === 'string' || piece instanceof Uint8Array) pieces.push(Buffer.from(piece))
  }
  const write = response.write.bind(response)
  const end = response.end.bind(response)
  response.write = ((piece: unknown, ...rest: []) => {
    take(piece)
    return write(piece, ...rest)
  }) as typeof response.write
  response.end = ((piece: unknown, ...rest: []) => {
    take(piece)
    if (response.statusCode === 200) {
      const headers = Object.fromEntries(
        Object.entries(response.getHeaders()).map(([key, value]) => [key, String(value)]),
      )
      cans.set(name, { status: 200, headers, pieces, stream: headers['content-length'] === undefined })
    }
    return end(piece, ...rest)
  }) as typeof response.end
}

const pour = async (response: ServerResponse, can: Can, pace: Pace): Promise<void> => {
  if (pace.latency_ms > 0) await sleep(pace.latency_ms)
  response.writeHead(can.status, can.headers)
  if (!can.stream) {
    response.end(can.pieces[0])
    return
  }
  for (const piece of can.pieces) {
    if (pace.pace_ms > 0) await sleep(pace.pace_ms)
    if (response.destroyed) return
    response.write(piece)
  }
  response.end()
}

/** Answers from the can of this path and body length; the first such request is answered by `make` and kept. */
export const answerCanned = (
  cans: Cans,
  pace: Pace,
  request: IncomingMessage,
  response: ServerResponse,
  make: (request: IncomingMessage, response: ServerResponse) => void,
): void => {
  const name = `${request.method} ${request.url} ${request.headers['content-length'] ?? '-'}`
  const can = cans.get(name)
  if (!can) {
    keep(cans, name, response)
    make(request, response)
    return
  }
  request.resume()
  request.on('end', () => {
    pour(response, can, pace).catch(() => response.destroy())
  })
}
