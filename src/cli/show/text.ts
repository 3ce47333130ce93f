import measure from 'fast-string-truncated-width'

/** Terminal columns that a text takes; colours take none, wide characters two. */
export const widthOf = (text: string): number => measure(text).width

const letters = new Intl.Segmenter('en', { granularity: 'grapheme' })

/** The text cut to `width` columns, with `…` where something was cut away. Takes no colours. */
export const truncate = (text: string, width: number): string => {
  if (widthOf(text) <= width) return text
  let cut = ''
  let used = 0
  for (const { segment } of letters.segment(text)) {
    used += widthOf(segment)
    if (used > width - 1) break
    cut += segment
  }
  return `${cut}…`
}

/** The text filled with spaces to `width` columns. */
export const pad = (text: string, width: number, align: 'left' | 'right' = 'left'): string => {
  const room = ' '.repeat(Math.max(0, width - widthOf(text)))
  return align === 'left' ? text + room : room + text
}

/** Text broken between words into lines of at most `width` columns; a longer word stands alone. */
export const wrap = (text: string, width: number): string[] => {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && widthOf(line) + widthOf(word) + 1 > width) {
      lines.push(line)
      line = word
    } else line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line]
}
