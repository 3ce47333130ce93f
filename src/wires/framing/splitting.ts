import { join } from './json.ts'
import type { Splitter } from './sse.ts'

const NOTHING = new Uint8Array(0)

/** How a stream is cut whose frames end with a byte of their own. */
export type Cuts = Readonly<{
  limit_bytes: number
  /** Where in the chunk, from there on, the last byte of a frame lies; -1 where none does. Asked of each byte once. */
  endIn(chunk: Uint8Array, from: number): number
  /** The frame in these bytes; undefined for bytes that are none. */
  frameOf(bytes: Uint8Array): string | undefined
  /** The same of what is left when the stream is over. */
  lastOf(bytes: Uint8Array): string | undefined
}>

/** Cuts a stream behind the bytes that end its frames, and holds what is not yet one, up to a limit. */
export const splitBehind = ({ limit_bytes, endIn, frameOf, lastOf }: Cuts): Splitter<string> => {
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
      for (let end = endIn(chunk, from); end >= 0 && !splitter.broken; end = endIn(chunk, from)) {
        const bytes = take(chunk.subarray(from, end + 1))
        from = end + 1
        emit(frameOf(bytes), bytes)
      }
      if (from === chunk.length) return
      pieces.push(from === 0 ? chunk : chunk.subarray(from))
      splitter.held_bytes += chunk.length - from
      if (splitter.held_bytes > limit_bytes) splitter.broken = true
    },
    end(emit) {
      if (splitter.held_bytes === 0 || splitter.broken) return
      const bytes = take(NOTHING)
      emit(lastOf(bytes), bytes)
    },
    held: () => (splitter.held_bytes === 0 ? NOTHING : join(pieces)),
  }
  return splitter
}
