import { clean } from './format.ts'
import { type Look, type Paint, paint } from './look.ts'
import { pad, truncate, widthOf, wrap } from './text.ts'

/** One column: its head, what stands in a cell, and how it gives way where the terminal is narrow. */
export type Column<Row> = Readonly<{
  head: string
  /** The text, without colour: control characters are taken out. */
  cell(row: Row): string
  align?: 'left' | 'right'
  /** Colours a cell; it gets the text as cut and padded. */
  style?(text: string, row: Row, colours: Paint): string
  /** May be cut with `…` down to this many characters; of a column of numbers only the head is cut, never a number. */
  shrink?: number
  /** Its cells tell rows apart: they are cut to where they begin to look alike only when nothing is left to leave out. */
  names?: boolean
  /** Left out when the table is too wide even so; higher goes first. */
  drop?: number
}>

export type TableOptions<Row> = Readonly<{
  /** A last row under a rule: the totals. */
  foot?: Row
  indent?: number
}>

const gap = 2

/** Names that are alike for longer than this are cut all the same. */
const LONGEST_ALIKE = 40

type Sized = { width: number; least: number | undefined; apart: number | undefined }
type Laid<Row> = Sized & { column: Column<Row>; cells: string[] }

/** How narrow a column may become, or undefined where it may not. */
const leastOf = (
  { shrink, align }: Readonly<{ shrink?: number; align?: string }>,
  widest: number,
): number | undefined => (shrink === undefined || align !== 'right' ? shrink : Math.max(shrink, widest))

/** How narrow a column of names may become with each still another than the rest. */
const apartFrom = (least: number, cells: readonly string[]): number => {
  const different = new Set(cells).size
  for (let width = least; width <= LONGEST_ALIKE; width += 1)
    if (new Set(cells.map((cell) => truncate(cell, width))).size === different) return width
  return least
}

const total = (laid: readonly Sized[], indent: number): number =>
  laid.reduce((sum, { width }) => sum + width, indent + gap * Math.max(0, laid.length - 1))

/** Takes width from the widest column that may shrink, one character at a time. False when none can give more down to `limit`. */
const shrinkOnce = (laid: readonly Sized[], limit: 'apart' | 'least'): boolean => {
  let widest: Sized | undefined
  for (const one of laid) {
    const end = one[limit]
    if (end !== undefined && one.width > end && one.width > (widest?.width ?? 0)) widest = one
  }
  if (widest === undefined) return false
  widest.width -= 1
  return true
}

/** Fits the columns into the width: cuts the widest first, then leaves out those of the highest `drop`, then cuts names too. */
const narrowed = <Row>(laid: Laid<Row>[], look: Look, indent: number): Laid<Row>[] => {
  const full = laid.map(({ width }) => width)
  const fits = (kept: readonly Sized[]) => total(kept, indent) <= look.width
  let kept = laid
  for (;;) {
    while (!fits(kept) && shrinkOnce(kept, 'apart'));
    const highest = Math.max(0, ...kept.map(({ column }) => column.drop ?? 0))
    if (fits(kept) || highest === 0) break
    kept = kept.filter(({ column }) => column.drop !== highest)
    for (const one of kept) one.width = full[laid.indexOf(one)] ?? one.width
  }
  while (!fits(kept) && shrinkOnce(kept, 'least'));
  return kept
}

/**
 * Rows as aligned text: heads dim, cells padded (right for numbers), a rule above the foot, fitted into the look's width.
 * No trailing spaces, no trailing newline. An empty list gives the heads alone.
 */
export const table = <Row>(
  rows: readonly Row[],
  columns: readonly Column<Row>[],
  look: Look,
  options: TableOptions<Row> = {},
): string => {
  const colours = paint(look)
  const indent = options.indent ?? 0
  const all = options.foot === undefined ? rows : [...rows, options.foot]
  const laid = columns.map((column): Laid<Row> => {
    const cells = all.map((row) => clean(column.cell(row)))
    const widest = Math.max(0, ...cells.map(widthOf))
    const least = leastOf(column, widest)
    const apart = column.names === true && least !== undefined ? apartFrom(least, cells) : least
    return { column, cells, width: Math.max(widthOf(column.head), widest), least, apart }
  })
  const kept = narrowed(laid, look, indent)
  const line = (text: (one: Laid<Row>) => string) =>
    `${' '.repeat(indent)}${kept.map(text).join(' '.repeat(gap))}`.replace(/\s+$/, '')
  const shown = (text: string, { column, width }: Laid<Row>) => pad(truncate(text, width), width, column.align)
  const lines = [line((one) => colours.dim(shown(one.column.head, one)))]
  all.forEach((row, i) => {
    if (i === rows.length) lines.push(' '.repeat(indent) + colours.dim('─'.repeat(total(kept, 0))))
    lines.push(
      line((one) => {
        const text = shown(one.cells[i] ?? '', one)
        return one.column.style ? one.column.style(text, row, colours) : text
      }),
    )
  })
  return lines.join('\n')
}

/** Names and values under each other, the names dim and aligned, long values wrapped; undefined values are left out. */
export const facts = (entries: readonly (readonly [string, string | undefined])[], look: Look, indent = 2): string => {
  const colours = paint(look)
  const known = entries.filter((entry): entry is readonly [string, string] => entry[1] !== undefined)
  const width = Math.max(0, ...known.map(([name]) => widthOf(name)))
  const left = indent + width + gap
  return known
    .map(([name, value]) => {
      const lines = value.split('\n').flatMap((line) => wrap(line, Math.max(24, look.width - left)))
      return ' '.repeat(indent) + colours.dim(pad(name, width)) + ' '.repeat(gap) + lines.join(`\n${' '.repeat(left)}`)
    })
    .join('\n')
}
