import { crc32 } from 'node:zlib'

/** One header of AWS's binary event stream: name, type 7 (string), value. */
const header = (name: string, value: string): Buffer => {
  const key = Buffer.from(name)
  const text = Buffer.from(value)
  const out = Buffer.alloc(1 + key.length + 3 + text.length)
  out.writeUInt8(key.length, 0)
  key.copy(out, 1)
  out.writeUInt8(7, 1 + key.length)
  out.writeUInt16BE(text.length, 2 + key.length)
  text.copy(out, 4 + key.length)
  return out
}

/**
 * A frame of `application/vnd.amazon.eventstream`: total length, header length, CRC of those, headers, payload, CRC of
 * everything before it; big-endian.
 */
const frame = (headers: readonly (readonly [string, string])[], payload: unknown): Buffer => {
  const head = Buffer.concat(headers.map(([name, value]) => header(name, value)))
  const body = Buffer.from(JSON.stringify(payload))
  const out = Buffer.alloc(16 + head.length + body.length)
  out.writeUInt32BE(out.length, 0)
  out.writeUInt32BE(head.length, 4)
  out.writeUInt32BE(crc32(out.subarray(0, 8)), 8)
  head.copy(out, 12)
  body.copy(out, 12 + head.length)
  out.writeUInt32BE(crc32(out.subarray(0, out.length - 4)), out.length - 4)
  return out
}

export const eventFrame = (type: string, payload: unknown): Buffer =>
  frame(
    [
      [':event-type', type],
      [':content-type', 'application/json'],
      [':message-type', 'event'],
    ],
    payload,
  )

export const exceptionFrame = (type: string, message: string): Buffer =>
  frame(
    [
      [':exception-type', type],
      [':content-type', 'application/json'],
      [':message-type', 'exception'],
    ],
    { message },
  )
