import { clean } from '../show/format.ts'
import type { Block, Page } from './page.ts'

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** Text as HTML that is nothing but text. */
export const escapeHtml = (text: string): string => clean(text).replace(/[&<>"']/g, (found) => entities[found] ?? '')

/** Mail programs take no style sheets: every element says how it looks. */
const font = "font-family:-apple-system,'Segoe UI',Helvetica,Arial,sans-serif"
/** Long names break where they must, amounts never: else one name makes the page wider than the window. Mail programs know one or the other. */
const wrap = 'overflow-wrap:anywhere;word-break:break-word'
const styles = {
  title: `${font};font-size:22px;line-height:1.3;margin:0 0 8px;color:#111827;${wrap}`,
  heading: `${font};font-size:18px;line-height:1.3;margin:32px 0 8px;padding-top:16px;border-top:2px solid #111827;color:#111827;${wrap}`,
  section: `${font};font-size:14px;line-height:1.4;margin:20px 0 6px;color:#374151`,
  text: `${font};font-size:14px;line-height:1.5;margin:0 0 10px;color:#111827;${wrap}`,
  table: `${font};font-size:13px;line-height:1.4;color:#111827;border-collapse:collapse;width:100%;margin:0 0 12px`,
} as const
const tags = { title: 'h1', heading: 'h2', section: 'h3', text: 'p' } as const

const cell = (name: 'th' | 'td', text: string, align: string, last: boolean): string => {
  const border = last ? 'border-top:2px solid #d1d5db;font-weight:600' : 'border-bottom:1px solid #e5e7eb'
  const breaks = align === 'right' ? 'white-space:nowrap' : wrap
  const style = `padding:5px 8px;text-align:${align};vertical-align:top;${breaks};${border}`
  return `<${name}${name === 'th' ? ' scope="col"' : ''} style="${style}">${escapeHtml(text)}</${name}>`
}

const tableHtml = ({ heads, rows, foot }: Extract<Block, { kind: 'table' }>): string => {
  const row = (cells: readonly string[], name: 'th' | 'td', last: boolean) =>
    `<tr>${heads.map(({ align = 'left' }, at) => cell(name, cells[at] ?? '', align, last)).join('')}</tr>`
  const titles = heads.map(({ text }) => text)
  const head = titles.every((text) => text === '') ? '' : `<thead>${row(titles, 'th', false)}</thead>\n`
  const body = rows.map((cells, at) => row(cells, 'td', foot === true && at === rows.length - 1))
  return `<table style="${styles.table}">\n${head}<tbody>\n${body.join('\n')}\n</tbody>\n</table>`
}

const blockHtml = (block: Block): string => {
  if (block.kind === 'table') return tableHtml(block)
  const tag = tags[block.kind]
  return `<${tag} style="${styles[block.kind]}">${escapeHtml(block.text)}</${tag}>`
}

/** The page as an HTML document for a mail: inline styles, no scripts, nothing from the network. */
export const htmlOf = (page: Page, name: string): string =>
  [
    '<!doctype html>',
    '<html lang="en">',
    `<head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${escapeHtml(name)}</title></head>`,
    '<body style="margin:0;padding:24px;background:#ffffff">',
    '<div style="max-width:760px;margin:0 auto">',
    ...page.map(blockHtml),
    '</div>',
    '</body>',
    '</html>',
  ].join('\n')
