/** A passage of a retrieved context, with where it stands: text[start, end) is it, with its own tags or heading. */
export type Chunk = Readonly<{ start: number; end: number }>

/** Elements that frameworks put a passage in. */
const element = /<(document|doc|chunk|passage|source|result|search_result|item|snippet|page|article|node)\b[^<>]*>/gi
/** Headings of passages: `[3]`, `Document 3:`, `### Source 3`. A number tells them from headings of another kind. */
const heading =
  /^(?:\[\d{1,3}\](?!\()|(?:#{1,4} )?(?:document|doc|passage|source|chunk|result|context|excerpt|snippet)s? #?\d{1,3}\b)/gim
/** A line that divides passages. */
const rule = /^(?:-{3,}|={3,}|\*{3,})[ \t]*$/gm

const MOST_CHUNKS = 500

/** Does an element of this name begin in the text? */
const isNested = (text: string, name: string): boolean => new RegExp(`<${name}[\\s>]`).test(text)

/** Elements of one name, one after the other. Whatever stands between or around them is kept. */
const elements = (text: string): Chunk[] => {
  const found: Chunk[] = []
  let first: string | undefined
  element.lastIndex = 0
  for (let match = element.exec(text); match && found.length < MOST_CHUNKS; match = element.exec(text)) {
    const name = match[1] ?? ''
    if (match[0].endsWith('/>')) continue
    if (first !== undefined && name !== first) continue
    const close = text.indexOf(`</${name}>`, element.lastIndex)
    // One within another, or one without an end of its own: who knows where it ends, so nothing is recognised.
    if (close < 0 || isNested(text.slice(element.lastIndex, close), name)) return []
    first = name
    const end = close + name.length + 3
    found.push({ start: match.index, end })
    element.lastIndex = end
  }
  return found
}

/** Passages under headings. The last one ends at a blank line; without one, who knows where it ends, so it is none. */
const headed = (text: string): Chunk[] => {
  const starts = [...text.matchAll(heading)].map(({ index }) => index).slice(0, MOST_CHUNKS)
  return starts.flatMap((start, nth): Chunk[] => {
    const blank = text.indexOf('\n\n', start)
    const end = starts[nth + 1] ?? (blank < 0 ? -1 : blank + 1)
    return end < 0 ? [] : [{ start, end }]
  })
}

/** Passages between lines that divide them; what is before the first and after the last line is kept. */
const divided = (text: string): Chunk[] => {
  const lines = [...text.matchAll(rule)]
    .map(({ index, 0: line }) => ({ index, end: index + line.length + 1 }))
    .slice(0, MOST_CHUNKS)
  return lines.slice(1).map((line, nth) => ({ start: lines[nth]?.end ?? 0, end: line.end }))
}

/**
 * The passages of a retrieved context, in order and without overlap; none where the text is not recognised as one. Only
 * forms that say themselves where a passage begins and ends are recognised: elements, numbered headings, dividing lines.
 */
export const chunksOf = (text: string): readonly Chunk[] => {
  for (const found of [elements(text), headed(text), divided(text)]) if (found.length >= 2) return found
  return []
}

/** The text without these passages: all that stands between the others stays as it was. */
export const without = (text: string, dropped: readonly Chunk[]): string => {
  let made = ''
  let end = 0
  for (const chunk of dropped) {
    made += text.slice(end, chunk.start)
    end = chunk.end
    // A passage that is an element leaves its line behind; a line without it is no line.
    const isAlone = (chunk.start === 0 || text[chunk.start - 1] === '\n') && text[chunk.end] === '\n'
    if (isAlone && text[chunk.end - 1] !== '\n') end += 1
  }
  return made + text.slice(end)
}
