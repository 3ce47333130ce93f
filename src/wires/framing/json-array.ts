import { decode, join } from './json.ts'
import { LARGEST_FRAME_BYTES, type Splitter } from './sse.ts'

const NOTHING = new Uint8Array(0)

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
  let pieces: Uint8Array[] = []

  const take = (last: Uint8Array): Uint8Array => {
    const bytes = join([...pieces, last])
    pieces = []
    splitter.held_bytes = 0
    return bytes
  }
  const splitter: { -readonly [Name in keyof Splitter<string>]: Splitter<string>[Name] } = {
    held_bytes: 0,
    broken: false,
    push(chunk, emit) {
      let from = 0
      for (let i = 0; i < chunk.length && !splitter.broken; i++) {
        if (!closes(chunk[i] ?? 0)) continue
        const bytes = take(chunk.subarray(from, i + 1))
        const text = decode(bytes)
        emit(text.slice(Math.max(0, text.indexOf('{'))), bytes)
        from = i + 1
      }
      if (from === chunk.length) return
      pieces.push(from === 0 ? chunk : chunk.subarray(from))
      splitter.held_bytes += chunk.length - from
      if (splitter.held_bytes > limit_bytes) splitter.broken = true
    },
    end(emit) {
      if (splitter.held_bytes > 0 && !splitter.broken) emit(undefined, take(NOTHING))
    },
    held: () => (splitter.held_bytes === 0 ? NOTHING : join(pieces)),
  }
  return splitter
}
