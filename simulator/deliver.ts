import type { ServerResponse } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Fault } from './faults.ts'
import type { Answer, Chunk, Ending } from './types.ts'

/** How an answer leaves: its pace, and what goes wrong with it. */
export type Pace = Readonly<{ latency_ms: number; pace_ms: number; fault: Fault | undefined }>

/** How far a stream came. */
export type Delivered = Readonly<{ ending: Ending; last?: Chunk }>

const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === 'string' ? Buffer.from(content) : content

const gone = (response: ServerResponse): boolean => response.destroyed || response.socket?.destroyed === true

/** Resolves to false when the client has gone. */
const send = async (response: ServerResponse, bytes: string | Uint8Array): Promise<boolean> => {
  if (gone(response)) return false
  if (response.write(bytes)) return true
  await new Promise<void>((resolve) => {
    const done = (): void => {
      response.off('drain', done)
      response.off('close', done)
      resolve()
    }
    response.on('drain', done)
    response.on('close', done)
  })
  return !gone(response)
}

const chopped = (chunks: readonly Chunk[], size: number): Chunk[] => {
  const whole = Buffer.concat(chunks.map((chunk) => bytesOf(chunk.bytes)))
  const last = chunks.findLast((chunk) => chunk.visible !== undefined)
  const count = Math.ceil(whole.length / size)
  return Array.from({ length: count }, (_, i) => ({ ...last, bytes: whole.subarray(i * size, (i + 1) * size) }))
}

/** The chunks as a fault changes them. */
const spoiled = (chunks: readonly Chunk[], answer: Answer, fault: Fault | undefined): readonly Chunk[] => {
  if (!fault) return chunks
  const after = Math.min(fault.after ?? Math.ceil(chunks.length / 2), chunks.length)
  if (fault.kind === 'cut') return chunks.slice(0, after)
  if (fault.kind === 'chop') return chopped(chunks, Math.max(1, fault.bytes ?? 7))
  if (fault.kind === 'stream-error') return [...chunks.slice(0, after), { bytes: answer.stream_error ?? '' }]
  if (fault.kind !== 'malformed') return chunks
  const broken = chunks[after - 1]
  const half = broken && bytesOf(broken.bytes).subarray(0, Math.floor(bytesOf(broken.bytes).length / 2))
  return [
    ...chunks.slice(0, after - 1),
    { ...broken, bytes: Buffer.concat([half ?? Buffer.alloc(0), Buffer.from('\n\n')]) },
  ]
}

/** Stops until the bytes written so far have left, so that a cut is seen in the middle of an answer. */
const flushed = async (response: ServerResponse): Promise<void> => {
  while (!gone(response) && (response.socket?.writableLength ?? 0) > 0) await sleep(1)
  await sleep(5)
}

const early = (ending: Ending, last: Chunk | undefined): Delivered => ({ ending, ...(last && { last }) })

const streamed = async (response: ServerResponse, answer: Answer, pace: Pace): Promise<Delivered> => {
  const kind = pace.fault?.kind
  const wait_ms = kind === 'slow-chunks' ? (pace.fault?.ms ?? 20) : pace.pace_ms
  let last: Chunk | undefined
  response.flushHeaders()
  for (const chunk of spoiled(answer.chunks ?? [], answer, pace.fault)) {
    if (wait_ms > 0) await sleep(wait_ms)
    if (!(await send(response, chunk.bytes))) return early('client-gone', last)
    if (chunk.visible !== undefined) last = chunk
  }
  if (kind === 'cut') {
    await flushed(response)
    response.socket?.destroy()
    return early('cut', last)
  }
  response.end()
  return kind === 'stream-error' ? early('cut', last) : { ending: 'complete' }
}

const whole = async (response: ServerResponse, answer: Answer, fault: Fault | undefined): Promise<Delivered> => {
  const body = bytesOf(answer.body ?? '')
  if (fault?.kind === 'cut') {
    response.setHeader('content-length', body.length)
    response.write(body.subarray(0, Math.floor(body.length / 2)))
    await flushed(response)
    response.socket?.destroy()
    return { ending: 'cut' }
  }
  if (fault?.kind === 'chop') {
    for (const piece of chopped([{ bytes: body }], Math.max(1, fault.bytes ?? 7))) await send(response, piece.bytes)
    response.end()
    return { ending: 'complete' }
  }
  const sent = fault?.kind === 'malformed' ? body.subarray(0, Math.floor(body.length / 2)) : body
  response.setHeader('content-length', sent.length)
  response.end(sent)
  return { ending: 'complete' }
}

/** Sends an answer at its pace, with its fault. Resolves when the last byte was handed over, or the client has gone. */
export const deliver = async (response: ServerResponse, answer: Answer, pace: Pace): Promise<Delivered> => {
  const fault = pace.fault
  const wait_ms = pace.latency_ms + (fault?.kind === 'slow-head' ? (fault.ms ?? 200) : 0)
  if (wait_ms > 0) await sleep(wait_ms)
  if (gone(response)) return { ending: 'client-gone', last: { bytes: '', visible: 0, reasoning: 0 } }
  answer.on_start?.()
  response.statusCode = answer.status
  for (const [name, value] of Object.entries(answer.headers)) response.setHeader(name, value)
  return answer.chunks ? streamed(response, answer, pace) : whole(response, answer, fault)
}
