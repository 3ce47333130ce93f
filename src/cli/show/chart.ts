import { type Look, paint, type Style } from './look.ts'

const steps = '▁▂▃▄▅▆▇█'
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

/** Values from zero up as one character each: `▁▃▆█`. Empty for no values; the top is the largest. */
export const sparkline = (values: readonly (number | string)[]): string => {
  const numbers = values.map(Number)
  const top = Math.max(...numbers, 0)
  return numbers
    .map((value) => {
      const step = top <= 0 || value <= 0 ? 0 : Math.max(1, Math.ceil((value / top) * (steps.length - 1)))
      return steps[step] ?? ' '
    })
    .join('')
}

/** A share (0 to 1) as a bar of at most `width` characters, exact to an eighth; something is always seen of a share above 0. */
export const bar = (share: number, width: number): string => {
  const inside = Math.min(Math.max(share, 0), 1)
  const units = inside === 0 ? 0 : Math.max(1, Math.round(inside * width * 8))
  return '█'.repeat(Math.floor(units / 8)) + (eighths[units % 8] ?? '')
}

export type StackPart = Readonly<{ label: string; size: number; style: Style; mark: string }>

/**
 * Parts of a whole as one bar of `width` characters, each part in its own mark and colour, so that it can be read without
 * colour too. Parts that are not empty get a character at least; the rest is shared by largest remainder.
 */
export const stack = (parts: readonly StackPart[], width: number, look: Look): string => {
  const seen = parts.filter((part) => part.size > 0)
  const total = seen.reduce((sum, part) => sum + part.size, 0)
  if (total === 0) return ''
  const exact = seen.map((part) => (part.size / total) * width)
  const cells = exact.map((size) => Math.max(1, Math.floor(size)))
  const order = exact.map((size, i) => ({ i, rest: size - Math.floor(size) })).sort((a, b) => b.rest - a.rest)
  let missing = width - cells.reduce((sum, size) => sum + size, 0)
  for (const { i } of order) {
    if (missing <= 0) break
    cells[i] = (cells[i] ?? 0) + 1
    missing -= 1
  }
  while (missing < 0) {
    const widest = cells.indexOf(Math.max(...cells))
    if ((cells[widest] ?? 0) <= 1) break
    cells[widest] = (cells[widest] ?? 0) - 1
    missing += 1
  }
  const colours = paint(look)
  return seen.map((part, i) => colours[part.style](part.mark.repeat(cells[i] ?? 0))).join('')
}
