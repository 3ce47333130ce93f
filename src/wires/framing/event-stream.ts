/** AWS's binary event stream: `application/vnd.amazon.eventstream`, both checksums verified. */
import { crc32 } from 'node:zlib'
import { decode, encode, join } from './json.ts'
import { type Emit, LARGEST_FRAME_BYTES, type Splitter } from './sse.ts'

/** One message. Headers that are not text (numbers, times) are left out: no Bedrock event has one that matters. */
export type EventMessage = Readonly<{ headers: Readonly<Record<string, string>>; payload: Uint8Array }>

/** Message type of a frame whose checksum or lengths are wrong; it is the last one emitted. */
export const CORRUPT = 'corrupt'

const PRELUDE_BYTES = 12
const CHECKSUM_BYTES = 4
const NOTHING = new Uint8Array(0)
const TEXT = 7

/** Bytes of a header's value by its type; text and byte arrays (6 and 7) carry their own length. */
const sizes: Readonly<Record<number, number>> = { 0: 0, 1: 0, 2: 1, 3: 2, 4: 4, 5: 8, 8: 8, 9: 16 }

const view = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** Reads the headers of a message; what is malformed ends the reading, because the checksum has vouched for the bytes. */
const readHeaders = (bytes: Uint8Array): Record<string, string> => {
  // Without a prototype, so that a header named `__proto__` is a header.
  const headers: Record<string, string> = Object.create(null)
  const numbers = view(bytes)
  let at = 0
  while (at < bytes.length) {
    const name_end = at + 1 + numbers.getUint8(at)
    const name = decode(bytes.subarray(at + 1, name_end))
    if (name_end >= bytes.length) break
    const type = numbers.getUint8(name_end)
    let value = name_end + 1
    let size = sizes[type]
    if (size === undefined) {
      if (value + 2 > bytes.length) break
      size = numbers.getUint16(value)
      value += 2
    }
    if (type === TEXT) headers[name] = decode(bytes.subarray(value, value + size))
    at = value + size
  }
  return headers
}

/** The message in a whole frame, or why it is none. */
const readFrame = (frame: Uint8Array): EventMessage => {
  const numbers = view(frame)
  const headers_end = PRELUDE_BYTES + numbers.getUint32(4)
  const body_end = frame.length - CHECKSUM_BYTES
  if (headers_end > body_end || crc32(frame.subarray(0, body_end)) !== numbers.getUint32(body_end)) return corrupt
  return {
    headers: readHeaders(frame.subarray(PRELUDE_BYTES, headers_end)),
    payload: frame.subarray(headers_end, body_end),
  }
}

const corrupt: EventMessage = { headers: { ':message-type': CORRUPT }, payload: NOTHING }

/** Length of the frame that begins here, or 0 when its prelude is wrong. Needs twelve bytes. */
const lengthOf = (bytes: Uint8Array): number => {
  const numbers = view(bytes)
  const length = numbers.getUint32(0)
  const sound = crc32(bytes.subarray(0, 8)) === numbers.getUint32(8)
  return sound && length >= PRELUDE_BYTES + CHECKSUM_BYTES ? length : 0
}

/**
 * Cuts an event stream into messages, however its bytes are split. A frame with a wrong checksum ends the reading: one
 * message of type `CORRUPT` is emitted, and the rest passes unread.
 */
export const splitEventStream = (limit_bytes = LARGEST_FRAME_BYTES): Splitter<EventMessage> => {
  let pieces: Uint8Array[] = []
  /** Length of the frame being gathered; 0 until its prelude is whole. */
  let wanted = 0

  const hold = (bytes: Uint8Array): void => {
    if (bytes.length === 0) return
    pieces.push(bytes)
    splitter.held_bytes += bytes.length
  }
  const gathered = (): Uint8Array => {
    const bytes = join(pieces)
    pieces = [bytes]
    return bytes
  }
  const giveUp = (emit: Emit<EventMessage>): void => {
    splitter.broken = true
    emit(corrupt, NOTHING)
  }
  const emitFrame = (emit: Emit<EventMessage>): void => {
    const frame = gathered()
    const message = readFrame(frame)
    pieces = []
    splitter.held_bytes = 0
    wanted = 0
    splitter.broken = message === corrupt
    emit(message, frame)
  }
  /** Takes bytes up to `until` held ones and returns how far it came. */
  const fill = (chunk: Uint8Array, from: number, until: number): number => {
    const end = Math.min(chunk.length, from + until - splitter.held_bytes)
    hold(from === 0 && end === chunk.length ? chunk : chunk.subarray(from, end))
    return end
  }
  /** Acts on what is held: a whole prelude says how long the frame is, a whole frame is a message. */
  const advance = (emit: Emit<EventMessage>): void => {
    if (wanted > 0) {
      if (splitter.held_bytes === wanted) emitFrame(emit)
      return
    }
    if (splitter.held_bytes < PRELUDE_BYTES) return
    wanted = lengthOf(gathered())
    if (wanted === 0 || wanted > limit_bytes) giveUp(emit)
  }
  const splitter: { -readonly [Name in keyof Splitter<EventMessage>]: Splitter<EventMessage>[Name] } = {
    held_bytes: 0,
    broken: false,
    push(chunk, emit) {
      let from = 0
      while (from < chunk.length && !splitter.broken) {
        from = fill(chunk, from, wanted || PRELUDE_BYTES)
        advance(emit)
      }
      if (splitter.broken) hold(chunk.subarray(from))
    },
    end() {},
    held: () => (splitter.held_bytes === 0 ? NOTHING : join(pieces)),
  }
  return splitter
}

const uint32 = (value: number): Uint8Array => {
  const bytes = new Uint8Array(4)
  view(bytes).setUint32(0, value)
  return bytes
}

const textHeader = ([name, value]: readonly [string, string]): Uint8Array => {
  const name_bytes = encode(name)
  const value_bytes = encode(value)
  const head = Uint8Array.of(name_bytes.length)
  return join([head, name_bytes, Uint8Array.of(TEXT, value_bytes.length >> 8, value_bytes.length & 255), value_bytes])
}

/** Writes one message as a frame: for errors in an open stream. Header names up to 255 bytes, values up to 65,535. */
export const encodeEvent = (headers: Readonly<Record<string, string>>, payload: Uint8Array): Uint8Array => {
  const head = join([NOTHING, ...Object.entries(headers).map(textHeader)])
  const lengths = join([uint32(PRELUDE_BYTES + head.length + payload.length + CHECKSUM_BYTES), uint32(head.length)])
  const body = join([lengths, uint32(crc32(lengths)), head, payload])
  return join([body, uint32(crc32(body))])
}
