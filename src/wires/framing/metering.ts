import type { MeterContext, Metered, Metering } from '../../core/wire.ts'
import { cutText } from './cut-text.ts'
import { decode, join, parseJson } from './json.ts'
import { splitJsonArray } from './json-array.ts'
import { type Splitter, splitSse } from './sse.ts'

/**
 * What a wire knows of its stream: how one frame changes what is known, and what is known at the end. Each wire owns its
 * fold, because every API combines the usage fields of its events in its own way.
 */
export type Fold<Frame> = {
  /** True once content was seen. */
  readonly started: boolean
  /** True once the terminal event was seen. */
  readonly done: boolean
  /**
   * Reads a frame. What it returns goes to the client in the frame's place (`HIDDEN` for nothing) when the metering
   * hides usage; undefined leaves the frame as it is.
   */
  read(frame: Frame, bytes: Uint8Array): Uint8Array | undefined
  /** `ended` is false when the stream was cut. May be called more than once. */
  finish(ended: boolean): Metered
}

/** Returned by a fold for a frame that the client must not see. */
export const HIDDEN: Uint8Array = new Uint8Array(0)

const NOTHING = new Uint8Array(0)

/** A whole body larger than this is not read for usage; its bytes pass. */
const LARGEST_BODY_BYTES = 64 * 1024 * 1024

const withWarning = (metered: Metered, warning: string): Metered =>
  metered.usage ? { ...metered, usage: { ...metered.usage, warnings: [...metered.usage.warnings, warning] } } : metered

/** Runs a fold over frames. A fold that throws is a fault of ours: the stream goes on and the usage says so. */
const reader = <Frame>(fold: Fold<Frame>) => {
  let faults = 0
  const read = (frame: Frame | undefined, bytes: Uint8Array): Uint8Array | undefined => {
    if (frame === undefined) return undefined
    try {
      return fold.read(frame, bytes)
    } catch {
      faults++
      return undefined
    }
  }
  const finish = (ended: boolean, broken: boolean): Metered => {
    const metered = fold.finish(ended)
    const checked = faults > 0 ? withWarning(metered, `${faults} events could not be read`) : metered
    return broken ? { ...withWarning(checked, 'an event was too large to be read'), complete: ended } : checked
  }
  return { read, finish }
}

/**
 * A record whose maker changes its fields. (Getters in its place would give each object a hidden class of its own, which
 * the engine keeps, with all that the getters see, until the next full collection.)
 */
export type Own<T> = { -readonly [Name in keyof T]: T[Name] }

/** Says of a stream what its fold has seen by now. */
const follow = <Frame>(metering: Own<Metering>, fold: Fold<Frame>): void => {
  metering.started = fold.started
  metering.done = fold.done
}

/** Meters a stream whose bytes all pass: what `push` returns is the very array that it was given. */
const watching = <Frame>(splitter: Splitter<Frame>, fold: Fold<Frame>): Metering => {
  const { read, finish } = reader(fold)
  let ended = false
  const metering: Own<Metering> = {
    started: false,
    done: false,
    push(chunk) {
      if (!splitter.broken) splitter.push(chunk, read)
      follow(metering, fold)
      return chunk
    },
    end() {
      if (!ended) splitter.end(read)
      ended = true
      follow(metering, fold)
      return NOTHING
    },
    finish: () => finish(ended, splitter.broken),
  }
  return metering
}

/** Meters a stream and takes out what the fold hides. An unfinished frame is held back until its end is seen. */
const hiding = <Frame>(splitter: Splitter<Frame>, fold: Fold<Frame>): Metering => {
  const { read, finish } = reader(fold)
  let ended = false
  let released = false
  let pieces: Uint8Array[] = []
  let changed = false
  const emit = (frame: Frame | undefined, bytes: Uint8Array): void => {
    const replacement = read(frame, bytes)
    if (replacement !== undefined) changed = true
    const piece = replacement ?? bytes
    if (piece.length > 0) pieces.push(piece)
  }
  const release = (): void => {
    released = true
    pieces.push(splitter.held())
  }
  const metering: Own<Metering> = {
    started: false,
    done: false,
    push(chunk) {
      if (released) return chunk
      const clean = splitter.held_bytes === 0
      pieces = []
      changed = false
      splitter.push(chunk, emit)
      follow(metering, fold)
      if (splitter.broken) release()
      else if (clean && !changed && splitter.held_bytes === 0) return chunk
      return pieces.length === 0 ? NOTHING : join(pieces)
    },
    end() {
      if (ended) return NOTHING
      ended = true
      if (released) return NOTHING
      pieces = []
      splitter.end(emit)
      follow(metering, fold)
      return pieces.length === 0 ? NOTHING : join(pieces)
    },
    finish: () => finish(ended, splitter.broken),
  }
  return metering
}

/** Is the answer a stream of events? Its own content type decides; where that says nothing, what was asked for. */
export const isEventStream = (context: MeterContext): boolean => {
  if (context.status >= 400) return false
  const type = context.headers['content-type'] ?? ''
  if (type.includes('event-stream')) return true
  return context.reading.stream && !/json|^audio\/|^image\//.test(type)
}

/** Meters any stream of frames: `splitter` finds them, `fold` reads them. */
export const meterFrames = <Frame>(splitter: Splitter<Frame>, fold: Fold<Frame>, hide: boolean): Metering =>
  hide ? hiding(splitter, fold) : watching(splitter, fold)

/** Meters server-sent events; the fold gets each event's data. Comments are not shown to it. */
export const meterSse = (fold: Fold<string>, hide: boolean): Metering => meterFrames(splitSse(), fold, hide)

/** Meters a stream that is one JSON array; the fold gets each element's text. */
export const meterJsonArray = (fold: Fold<string>): Metering => meterFrames(splitJsonArray(), fold, false)

/** A whole response body. `json` parses it once, on demand; undefined when it is not JSON. */
export type Body = Readonly<{ bytes: Uint8Array; ended: boolean; json(): unknown }>

/** Meters a response that is not a stream: bytes pass, and `read` sees the body at the end. */
export const meterBody = (read: (body: Body) => Metered): Metering => {
  let pieces: Uint8Array[] = []
  let size = 0
  let metered: Metered | undefined
  const finish = (): Metered => {
    const bytes = size > LARGEST_BODY_BYTES ? NOTHING : join(pieces)
    let parsed: Readonly<{ value: unknown }> | undefined
    const found = read({
      bytes,
      ended: metering.done,
      json: () => {
        parsed ??= { value: bytes.length === 0 ? undefined : parseJson(decode(bytes)) }
        return parsed.value
      },
    })
    const broken = parsed && parsed.value === undefined && !found.complete && found.output_text === ''
    return broken ? { ...found, output_text: cutText(bytes) } : found
  }
  const metering: Own<Metering> = {
    started: false,
    done: false,
    push(chunk) {
      size += chunk.length
      metering.started = size > 0
      if (size <= LARGEST_BODY_BYTES) pieces.push(chunk)
      else pieces = []
      metered = undefined
      return chunk
    },
    end() {
      metering.done = true
      metered = undefined
      return NOTHING
    },
    finish() {
      metered ??= finish()
      return metered
    },
  }
  return metering
}

/** Keeps the raw events of a stream up to a bound, for an estimate in case that no usage comes. */
export const keepEvents = (limit_chars = 512 * 1024) => {
  let kept: string[] = []
  let chars = 0
  return {
    add(data: string): void {
      if (chars >= limit_chars) return
      kept.push(data)
      chars += data.length
    },
    /** Usage came: they are not needed. */
    forget(): void {
      kept = []
    },
    all: (): readonly string[] => kept,
  }
}
