/** A page as blocks, so that Markdown, HTML and plain text say the same. */

export type Align = 'left' | 'right'
export type Head = Readonly<{ text: string; align?: Align }>

export type Block =
  | Readonly<{ kind: 'title' | 'heading' | 'section' | 'text'; text: string }>
  /** `foot`: the last row is a sum. */
  | Readonly<{ kind: 'table'; heads: readonly Head[]; rows: readonly (readonly string[])[]; foot?: boolean }>

export type Page = readonly Block[]

export const title = (text: string): Block => ({ kind: 'title', text })
export const heading = (text: string): Block => ({ kind: 'heading', text })
export const section = (text: string): Block => ({ kind: 'section', text })
export const paragraph = (text: string): Block => ({ kind: 'text', text })

/** Columns whose head begins with a space are numbers: right-aligned. */
export const tableOf = (heads: readonly string[], rows: readonly (readonly string[])[], foot = false): Block => ({
  kind: 'table',
  heads: heads.map((text) => ({ text: text.trim(), align: text.startsWith(' ') ? 'right' : 'left' })),
  rows,
  ...(foot ? { foot } : {}),
})
