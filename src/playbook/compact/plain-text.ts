import { type Document, documentAt } from './json-text.ts'

/** Shorter documents inside of a text are left: there is little to take out of them. */
const LEAST_DOCUMENT = 64
/** Lines that look like the start of a document and are none, before the rest of a text is taken as prose. */
const MOST_TRIES = 16

export type Tidying = Readonly<{ json: boolean; blanks: boolean }>

/** Marks of a code block, however deep it stands in: those in lists are indented. */
const fence = /^[ \t]*(`{3,}|~{3,})/
/** A hunk of a diff: a blank begins the lines that it leaves as they are, empty ones among them. */
const hunk = /^@@ -\d+(?:,\d+)? \+\d/m

/** Is there a line that ends in a blank, or a second blank line after a first? */
const hasBlanks = (text: string): boolean => {
  if (isBlankCode(text.charCodeAt(text.length - 1))) return true
  let empty = 0
  let start = 0
  for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
    const last = end > start && text.charCodeAt(end - 1) === 0x0d ? end - 2 : end - 1
    if (last >= start && isBlankCode(text.charCodeAt(last))) return true
    empty = last < start ? empty + 1 : 0
    if (empty > 1) return true
    start = end + 1
  }
  return false
}

/** A blank between two tokens of JSON has a sign beside it; one around a document begins or ends the text. */
const blankBesideSign = /^[ \n\r\t]|[,:[{][ \n\r\t]|[ \n\r\t][\]},:]|[ \n\r\t]$/

/** Is there anything that tidying could take out? Native searches only: this is asked of every new text. */
const isWorthReading = (text: string, { json, blanks }: Tidying): boolean =>
  (json && (text.includes('{') || text.includes('[')) && blankBesideSign.test(text)) || (blanks && hasBlanks(text))

const isBlankCode = (code: number) => code === 0x20 || code === 0x09

/** Where the blanks at the end of text[start, end) begin, tabs among them: of a line that has nothing else. */
const trimmedEnd = (text: string, start: number, end: number): number => {
  let last = end
  while (last > start && isBlankCode(text.charCodeAt(last - 1))) last -= 1
  return last
}

/**
 * Where the spaces begin that mean nothing at the end of a line with something in it. Tabs close empty columns, and two spaces before a
 * further line are how Markdown breaks one.
 */
const spareEnd = (text: string, start: number, end: number, line_end: number): number => {
  let last = end
  while (last > start && text.charCodeAt(last - 1) === 0x20) last -= 1
  return end - last >= 2 && !isLastLine(text, line_end) ? last + 2 : last
}

/** Does nothing follow the line that ends at `end`, or an empty one? */
const isLastLine = (text: string, end: number): boolean => {
  const next = firstCode(text, end + 1, text.length)
  const code = text.charCodeAt(next)
  return next >= text.length || code === 0x0a || code === 0x0d
}

const firstCode = (text: string, start: number, end: number): number => {
  let index = start
  while (index < end && isBlankCode(text.charCodeAt(index))) index += 1
  return index
}

/** The index of the first character from `start` on that is no blank and ends no line. */
const startOf = (text: string, start = 0): number => {
  let index = start
  for (let code = text.charCodeAt(index); isBlankCode(code) || code === 0x0a || code === 0x0d; )
    code = text.charCodeAt(++index)
  return index
}

/** The document that begins at `start`, if nothing but blanks follow it on its last line. */
const wholeLines = (text: string, start: number): Document | undefined => {
  const found = documentAt(text, start)
  if (!found) return undefined
  const line = text.indexOf('\n', found.end)
  const rest = line < 0 ? text.length : line
  const next = firstCode(text, found.end, rest)
  if (next < rest && text.charCodeAt(next) !== 0x0d) return undefined
  return found.end - start < LEAST_DOCUMENT ? { made: text.slice(start, found.end), end: found.end } : found
}

/** How far the lines of a text were walked. */
type Walk = {
  made: string
  /** The marks that opened a code block that is not closed. */
  fence: string | undefined
  wasEmpty: boolean
  tries: number
}

const endOfLine = (text: string, start: number): number => {
  const end = text.indexOf('\n', start)
  return end < 0 ? text.length : end
}

/** The marks of a line that opens or closes a code block. */
const fenceOf = (text: string, start: number, first: number, end: number): string | undefined => {
  const code = text.charCodeAt(first)
  return code === 0x60 || code === 0x7e ? fence.exec(text.slice(start, end))?.[1] : undefined
}

/** Appends a line from `from` on without the blanks at its end, or not at all where it is a further empty one. */
const append = (text: string, start: number, from: number, walk: Walk, blanks: boolean): number => {
  const end = endOfLine(text, from)
  const body = end > from && end < text.length && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end
  const bare = trimmedEnd(text, from, body)
  const isEmpty = from === start && (blanks ? bare : body) === start
  const kept = bare === from ? bare : spareEnd(text, from, body, end)
  const isSpare = blanks && isEmpty && walk.wasEmpty && end < text.length
  if (!isSpare) walk.made += text.slice(from, blanks ? kept : body) + text.slice(body, end + 1)
  walk.wasEmpty = isEmpty
  return end + 1
}

/** Appends a line of a code block as it is. */
const appendCode = (text: string, start: number, end: number, walk: Walk): number => {
  walk.made += text.slice(start, end + 1)
  walk.wasEmpty = false
  return end + 1
}

/** Appends the line, or the document, that begins at `start`; the index of the next one. */
const step = (text: string, start: number, walk: Walk, blanks: boolean): number => {
  const end = endOfLine(text, start)
  const first = firstCode(text, start, end)
  const marks = fenceOf(text, start, first, end)
  if (walk.fence !== undefined) {
    const isLast = marks?.startsWith(walk.fence) && trimmedEnd(text, start, end) === first + marks.length
    if (isLast) walk.fence = undefined
    return appendCode(text, start, end, walk)
  }
  walk.fence = marks
  const code = text.charCodeAt(first)
  if (walk.tries === 0 || first === end || !(code === 0x7b || code === 0x5b))
    return append(text, start, start, walk, blanks)
  const found = wholeLines(text, first)
  if (!found) {
    walk.tries -= 1
    return append(text, start, start, walk, blanks)
  }
  walk.made += text.slice(start, first) + found.made
  return append(text, start, found.end, walk, blanks)
}

/** Walks the lines outside of code blocks. */
const walked = (text: string, { json, blanks }: Tidying): string => {
  const walk: Walk = { made: '', fence: undefined, wasEmpty: false, tries: json ? MOST_TRIES : 0 }
  for (let start = 0; start < text.length; ) start = step(text, start, walk, blanks)
  return walk.made
}

/**
 * The text without what means nothing: blanks in JSON (a whole text, or a document that stands on lines of its own), spaces
 * at the end of lines, and all but one of several blank lines. Code blocks and lines of diffs are left alone, and so is everything
 * inside of JSON strings. The same text comes back where there is nothing to take out; never a longer one; and tidying twice is tidying once.
 */
export const tidied = (text: string, tidying: Tidying): string => {
  if (!isWorthReading(text, tidying)) return text
  if (tidying.json) {
    const first = startOf(text)
    const code = text.charCodeAt(first)
    const whole = code === 0x7b || code === 0x5b ? documentAt(text, first) : undefined
    if (whole && startOf(text, whole.end) === text.length) return whole.made
  }
  return walked(text, tidying.blanks && hunk.test(text) ? { ...tidying, blanks: false } : tidying)
}
