import { decode, join } from './json.ts'

/** Cuts a stream of bytes into frames. Frames come in order and together cover every byte. */
export type Splitter<Frame> = {
  /** Feeds bytes; `emit` is called for each frame that they complete. A frame without content (a comment) is undefined. */
  push(chunk: Uint8Array, emit: Emit<Frame>): void
  /** The stream is at its end: emits a last frame that lacks its terminator. */
  end(emit: Emit<Frame>): void
  /** Bytes that belong to no emitted frame yet. */
  held(): Uint8Array
  /** How many bytes `held` would return. */
  readonly held_bytes: number
  /** True when it has given up (a frame beyond the bound): nothing more is emitted. */
  readonly broken: boolean
}

export type Emit<Frame> = (frame: Frame | undefined, bytes: Uint8Array) => void

/** One event larger than this is not looked at: its bytes pass, its usage is lost. */
export const LARGEST_FRAME_BYTES = 16 * 1024 * 1024

const LINE_FEED = 10
const CARRIAGE_RETURN = 13
const NOTHING = new Uint8Array(0)

/** A string of one event without the line ends that close it. */
const trimEnd = (text: string): string => {
  let end = text.length
  while (end > 0 && (text.charCodeAt(end - 1) === LINE_FEED || text.charCodeAt(end - 1) === CARRIAGE_RETURN)) end--
  return end === text.length ? text : text.slice(0, end)
}

const fieldValue = (line: string): string => {
  const colon = line.indexOf(':')
  if (colon < 0) return ''
  return line.slice(line.charCodeAt(colon + 1) === 32 ? colon + 2 : colon + 1)
}

/** Nearly every event is `data: …` or `event: …` and `data: …`; these need no cutting into lines. */
const quickData = (text: string): string | undefined => {
  const named = text.startsWith('event:')
  const from = named ? text.indexOf('\n') + 1 : 0
  if ((named && from === 0) || !text.startsWith('data:', from)) return undefined
  const line = text.slice(from)
  return line.includes('\n') || line.includes('\r') ? undefined : fieldValue(line)
}

/** The data of one raw event: its `data` lines joined by line feeds; undefined when it has none (a comment). */
export const dataOf = (raw: string): string | undefined => {
  const text = trimEnd(raw)
  const quick = quickData(text)
  if (quick !== undefined) return quick
  const lines = text
    .replace(/^\uFEFF/, '')
    .split(/\r\n|\n|\r/)
    .filter((line) => line === 'data' || line.startsWith('data:'))
  return lines.length === 0 ? undefined : lines.map(fieldValue).join('\n')
}

/** Finds where events end: at a blank line, whatever its line ends are. Keeps its place between chunks. */
const boundaries = () => {
  let line_empty = true
  let after_return = false
  /** A blank line ended in a carriage return at the end of a chunk; its line feed may be the next byte. */
  let pending = false

  const onReturn = (chunk: Uint8Array, i: number): number => {
    if (!line_empty) {
      line_empty = true
      after_return = true
      return -1
    }
    after_return = false
    if (i + 1 === chunk.length) {
      pending = true
      return -1
    }
    return chunk[i + 1] === LINE_FEED ? i + 2 : i + 1
  }
  const onFeed = (i: number): number => {
    if (after_return) {
      after_return = false
      return -1
    }
    if (line_empty) return i + 1
    line_empty = true
    return -1
  }
  const onByte = (chunk: Uint8Array, i: number): number => (chunk[i] === LINE_FEED ? onFeed(i) : onReturn(chunk, i))

  /** The line up to `line` has bytes in it. */
  const onText = (): void => {
    line_empty = false
    after_return = false
  }
  const onPending = (chunk: Uint8Array, from: number): number => {
    pending = false
    return chunk[from] === LINE_FEED ? from + 1 : from
  }

  /** Index just after the next event's end, or -1. */
  const next = (chunk: Uint8Array, from: number, returns: boolean): number => {
    if (pending && from < chunk.length) return onPending(chunk, from)
    let i = from
    while (i < chunk.length) {
      const line = lineEnd(chunk, i, returns)
      if (line > i) onText()
      if (line === chunk.length) return -1
      const end = onByte(chunk, line)
      if (end >= 0) return end
      i = line + 1
    }
    return -1
  }
  return { next }
}

/** Index of the next line feed or carriage return at or after `from`; the chunk's length when there is none. */
const lineEnd = (chunk: Uint8Array, from: number, returns: boolean): number => {
  const feed = chunk.indexOf(LINE_FEED, from)
  const end = feed < 0 ? chunk.length : feed
  if (!returns) return end
  const carriage = chunk.indexOf(CARRIAGE_RETURN, from)
  return carriage >= 0 && carriage < end ? carriage : end
}

/**
 * Cuts server-sent events. Line ends may be LF, CRLF or CR; events may be split anywhere, also inside a UTF-8 character;
 * a frame is the event's data, undefined for comments. An event's bytes include the blank line that ends it.
 */
export const splitSse = (limit_bytes = LARGEST_FRAME_BYTES): Splitter<string> => {
  const find = boundaries()
  let pieces: Uint8Array[] = []

  const take = (last: Uint8Array): Uint8Array => {
    if (splitter.held_bytes === 0) return last
    const bytes = join([...pieces, last])
    pieces = []
    splitter.held_bytes = 0
    return bytes
  }
  const hold = (rest: Uint8Array): void => {
    if (rest.length === 0) return
    pieces.push(rest)
    splitter.held_bytes += rest.length
    if (splitter.held_bytes > limit_bytes) splitter.broken = true
  }
  const splitter: { -readonly [Name in keyof Splitter<string>]: Splitter<string>[Name] } = {
    held_bytes: 0,
    broken: false,
    push(chunk, emit) {
      const returns = chunk.includes(CARRIAGE_RETURN)
      let from = 0
      while (from <= chunk.length && !splitter.broken) {
        const end = find.next(chunk, from, returns)
        if (end < 0) break
        const bytes = take(from === 0 && end === chunk.length ? chunk : chunk.subarray(from, end))
        emit(dataOf(decode(bytes)), bytes)
        from = end
      }
      hold(from === 0 ? chunk : chunk.subarray(from))
    },
    end(emit) {
      if (splitter.held_bytes === 0 || splitter.broken) return
      const bytes = take(NOTHING)
      emit(dataOf(decode(bytes)), bytes)
    },
    held: () => (splitter.held_bytes === 0 ? NOTHING : join(pieces)),
  }
  return splitter
}

/** The data of every event of a stream that is whole; undefined where one of them is beyond the bound. */
export const eventData = (body: Uint8Array): readonly string[] | undefined => {
  const found: string[] = []
  const splitter = splitSse()
  const add = (data: string | undefined): void => {
    if (data !== undefined) found.push(data)
  }
  splitter.push(body, add)
  splitter.end(add)
  return splitter.broken ? undefined : found
}
