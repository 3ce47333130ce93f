/**
 * Writes the values of a journal line as bytes, one after the other, into memory that is there. A value that has no place
 * between the marks of a line throws `noPlace`. What does not fit in the memory is not written (a Uint8Array ignores it)
 * but still counted, so that `written` tells whether there was room.
 */

/** Thrown for a value that a line by position cannot hold. */
export const noPlace = Symbol('no place')

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/

const MINUS = 45
const POINT = 46
const ZERO = 48

/** Texts up to this length are copied here; longer ones by the engine, which takes as long to get there. */
const SHORT = 64
/** Whole numbers below this are written digit by digit as integers of the processor. */
export const SMALL = 1_000_000_000
const HASH_DIGITS = 16

const encoder = new TextEncoder()

let bytes = new Uint8Array(0)
let at = 0

/** Begins to write into `into` at a byte. */
export const begin = (into: Uint8Array, start: number): void => {
  bytes = into as Uint8Array<ArrayBuffer>
  at = start
}

/** The byte after the last one that was written. */
export const written = (): number => at

export type Absent = null | undefined

export const mark = (code: number): void => {
  bytes[at++] = code
}

/** Copies a text whose characters are known to be printable ASCII. */
export const ascii = (value: string): void => {
  const into = bytes
  const from = at
  for (let index = 0; index < value.length; index++) into[from + index] = value.charCodeAt(index)
  at = from + value.length
}

const encoded = (value: string): void => {
  if (CONTROL.test(value)) throw noPlace
  const room = at < bytes.length ? bytes.subarray(at) : bytes.subarray(0, 0)
  const { read, written: taken } = encoder.encodeInto(value, room)
  // Past the end of the memory where it did not fit.
  at += read === value.length ? taken : room.length + value.length
}

export const text = (value: string | Absent): void => {
  if (value === undefined || value === null) return
  if (typeof value !== 'string' || value === '') throw noPlace
  if (value.length > SHORT) {
    encoded(value)
    return
  }
  const into = bytes
  const from = at
  for (let index = 0; index < value.length; index++) {
    const unit = value.charCodeAt(index)
    if (unit < 32 || unit > 126) {
      encoded(value)
      return
    }
    into[from + index] = unit
  }
  at = from + value.length
}

/** Writes at least so many digits of a whole number below 2³¹. */
const digits = (value: number, least: number): void => {
  let count = 1
  for (let rest = value; rest > 9; rest = (rest / 10) | 0) count += 1
  if (count < least) count = least
  const into = bytes
  const from = at
  let rest = value
  for (let index = from + count - 1; index >= from; index--) {
    const tens = (rest / 10) | 0
    into[index] = ZERO + rest - tens * 10
    rest = tens
  }
  at = from + count
}

export const whole = (value: number | Absent): void => {
  if (value === undefined || value === null) return
  if (!Number.isSafeInteger(value)) throw noPlace
  if (value < 0) {
    mark(MINUS)
    whole(-value)
  } else if (value < SMALL) digits(value, 1)
  else {
    const high = Math.floor(value / SMALL)
    whole(high)
    digits(value - high * SMALL, 9)
  }
}

export const finite = (value: number | Absent): void => {
  if (value === undefined || value === null) return
  if (!Number.isFinite(value)) throw noPlace
  if (Number.isSafeInteger(value)) whole(value)
  else ascii(String(value))
}

export const flag = (value: boolean | Absent): void => {
  if (value !== undefined && value !== null) ascii(value ? 'true' : 'false')
}

export const hash = (value: string | Absent): void => {
  if (value === undefined || value === null) return
  if (typeof value !== 'string' || value.length !== HASH_DIGITS) throw noPlace
  const into = bytes
  const from = at
  for (let index = 0; index < HASH_DIGITS; index++) {
    const unit = value.charCodeAt(index)
    const digit = unit >= 48 && unit <= 57
    if (!digit && (unit < 97 || unit > 102)) throw noPlace
    into[from + index] = unit
  }
  at = from + HASH_DIGITS
}

/** An amount of up to six digits before the point and twelve behind it, as `formatUsd` writes them. */
export const money = (value: string | Absent): void => {
  if (value === undefined || value === null) return
  if (typeof value !== 'string') throw noPlace
  const start = value.charCodeAt(0) === MINUS ? 1 : 0
  let point = -1
  for (let index = start; index < value.length; index++) {
    const unit = value.charCodeAt(index)
    if (unit === POINT && point < 0) point = index
    else if (unit < 48 || unit > 57) throw noPlace
  }
  const before = (point < 0 ? value.length : point) - start
  const behind = point < 0 ? 1 : value.length - point - 1
  if (before < 1 || before > 6 || behind < 1 || behind > 12) throw noPlace
  ascii(value)
}

export const json = (value: object | Absent): void => {
  if (value !== undefined && value !== null) text(JSON.stringify(value))
}
