import { decode } from './json.ts'
import { splitBehind } from './splitting.ts'
import { LARGEST_FRAME_BYTES, type Splitter } from './sse.ts'

/** Follows JSON byte by byte and says where the objects of the outer array end. */
const elements = () => {
  let depth = 0
  /** Depth at which an element begins: 1 inside an array, 0 when the body is one bare object. */
  let base = -1
  let in_string = false
  let escaped = false

  const inString = (byte: number): void => {
    if (escaped) escaped = false
    else if (byte === 92) escaped = true
    else if (byte === 34) in_string = false
  }
  const onOpen = (byte: number): void => {
    if (base < 0) base = byte === 91 ? 1 : 0
    depth++
  }
  /** True when this byte closes an element. */
  return (byte: number): boolean => {
    if (in_string) {
      inString(byte)
      return false
    }
    if (byte === 34) in_string = true
    else if (byte === 123 || byte === 91) onOpen(byte)
    else if (byte === 125 || byte === 93) return --depth === base && byte === 125
    return false
  }
}

/**
 * Cuts a stream that is one JSON array (Gemini without `alt=sse`) into its elements. A frame is the JSON text of an
 * element; its bytes include the separator before it. A body that is a bare object is one frame.
 */
export const splitJsonArray = (limit_bytes = LARGEST_FRAME_BYTES): Splitter<string> => {
  const closes = elements()
  return splitBehind({
    limit_bytes,
    endIn(chunk, from) {
      for (let at = from; at < chunk.length; at++) if (closes(chunk[at] ?? 0)) return at
      return -1
    },
    frameOf: (bytes) => {
      const text = decode(bytes)
      return text.slice(Math.max(0, text.indexOf('{')))
    },
    lastOf: () => undefined,
  })
}
