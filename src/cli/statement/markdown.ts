import { clean } from '../show/format.ts'
import { pad, widthOf } from '../show/text.ts'
import type { Block, Page } from './page.ts'

/** A name must not become markup, break out of its cell or bring in HTML. */
const escaped = (text: string): string =>
  clean(text).replace(/[\\`*[\]>|]|<(?=[a-z/!?])|~(?=~)|(?<![\p{L}\p{N}])_|_(?![\p{L}\p{N}])/giu, '\\$&')

const marks = { title: '# ', heading: '## ', section: '### ', text: '' } as const

const tableText = ({ heads, rows, foot }: Extract<Block, { kind: 'table' }>): string => {
  const body = rows.map((row) => row.map(escaped))
  const shown = foot ? body.map((row, at) => (at === body.length - 1 ? row.map(strong) : row)) : body
  const all = [heads.map(({ text }) => escaped(text)), ...shown]
  const widths = heads.map((_, at) => Math.max(3, ...all.map((row) => widthOf(row[at] ?? ''))))
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, at) => pad(row[at] ?? '', width, heads[at]?.align ?? 'left')).join(' | ')} |`
  const rule = heads.map(({ align }, at) =>
    align === 'right' ? `${'-'.repeat((widths[at] ?? 3) - 1)}:` : '-'.repeat(widths[at] ?? 3),
  )
  const [first = [], ...rest] = all
  return [line(first), `| ${rule.join(' | ')} |`, ...rest.map(line)].join('\n')
}

const strong = (text: string): string => (text === '' ? '' : `**${text}**`)

/** The page as Markdown whose tables are aligned in the source too. */
export const markdownOf = (page: Page): string =>
  page
    .map((block) => (block.kind === 'table' ? tableText(block) : marks[block.kind] + escaped(block.text)))
    .join('\n\n')
