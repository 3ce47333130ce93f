const QUOTE = 0x22
const BACKSLASH = 0x5c
const COMMA = 0x2c
const COLON = 0x3a
const OPEN_LIST = 0x5b
const CLOSE_LIST = 0x5d
const OPEN_RECORD = 0x7b
const CLOSE_RECORD = 0x7d

/** Documents that nest deeper are left alone. */
const DEEPEST = 256

const isBlank = (code: number) => code === 0x20 || code === 0x0a || code === 0x0d || code === 0x09
const isOpening = (code: number) => code === OPEN_LIST || code === OPEN_RECORD
const isClosing = (code: number) => code === CLOSE_LIST || code === CLOSE_RECORD
const isDigit = (code: number) => code >= 0x30 && code <= 0x39

/** The index behind a JSON string that begins at `start`; -1 where it has no end. */
const behindString = (text: string, start: number): number => {
  for (let from = start + 1; ; ) {
    const quote = text.indexOf('"', from)
    if (quote < 0) return -1
    let slashes = 0
    while (text.charCodeAt(quote - 1 - slashes) === BACKSLASH) slashes += 1
    if (slashes % 2 === 0) return quote + 1
    from = quote + 1
  }
}

const number = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y

/** The index behind a number, `true`, `false` or `null` that begins at `start`; -1 where there is none. */
const behindScalar = (text: string, start: number): number => {
  const code = text.charCodeAt(start)
  if (isDigit(code) || code === 0x2d) {
    number.lastIndex = start
    return number.test(text) ? number.lastIndex : -1
  }
  if (code === 0x74) return text.startsWith('true', start) ? start + 4 : -1
  if (code === 0x66) return text.startsWith('false', start) ? start + 5 : -1
  return text.startsWith('null', start) ? start + 4 : -1
}

/** The index behind the token that begins at `start`; -1 where there is none. */
const behindToken = (text: string, start: number, code: number): number => {
  if (code === QUOTE) return behindString(text, start)
  const isSign = code === COMMA || code === COLON || isOpening(code) || isClosing(code)
  return isSign ? start + 1 : behindScalar(text, start)
}

/** What a document may go on with. `first` and `firstKey` may also be the end of what was just opened. */
type Next = 'value' | 'first' | 'key' | 'firstKey' | 'colon' | 'after'

const mayBeValue = (next: Next) => next === 'value' || next === 'first'

/** What may come after a closing sign: it must be the one that is due. */
const closed = (code: number, next: Next, open: number[]): Next | undefined => {
  const isEmpty = next === (code === CLOSE_LIST ? 'first' : 'firstKey')
  return (isEmpty || next === 'after') && open.pop() === code ? 'after' : undefined
}

const opened = (code: number, open: number[]): Next | undefined => {
  if (open.push(code + 2) > DEEPEST) return undefined
  return code === OPEN_LIST ? 'first' : 'firstKey'
}

/** What may come after a token, with `open` the closing signs that are due; undefined where the token has no place here. */
const after = (code: number, next: Next, open: number[]): Next | undefined => {
  if (isClosing(code)) return closed(code, next, open)
  if (code === COLON) return next === 'colon' ? 'value' : undefined
  if (code === COMMA && next === 'after') return open.at(-1) === CLOSE_RECORD ? 'key' : 'value'
  if (code === QUOTE && (next === 'key' || next === 'firstKey')) return 'colon'
  if (code === COMMA || !mayBeValue(next)) return undefined
  return isOpening(code) ? opened(code, open) : 'after'
}

export type Document = Readonly<{
  /** The document less the blanks between its tokens; all else, numbers and escapes above all, as it was written. */
  made: string
  /** The index behind it. */
  end: number
}>

/**
 * Reads the JSON list or record that begins at `start`, once and without building it; undefined where there is none. What is
 * inside of a string is not looked at.
 */
export const documentAt = (text: string, start: number): Document | undefined => {
  const open: number[] = []
  let made = ''
  let kept = start
  let index = start
  let next: Next | undefined = 'value'
  do {
    const code = text.charCodeAt(index)
    if (isBlank(code)) {
      made += text.slice(kept, index)
      do index += 1
      while (isBlank(text.charCodeAt(index)))
      kept = index
      continue
    }
    next = after(code, next, open)
    index = behindToken(text, index, code)
    if (next === undefined || index < 0) return undefined
  } while (open.length > 0 && index < text.length)
  return open.length > 0 ? undefined : { made: made + text.slice(kept, index), end: index }
}
