/** SQL with its values apart: text is written here, values only ever travel as parameters. */

export type Value = string | number

/** A piece of SQL. `text` holds a `?` for each value; `statement` numbers them. */
export type Sql = Readonly<{ text: string; values: readonly Value[] }>

const isSql = (part: Value | Sql): part is Sql => typeof part === 'object'

/** Tagged template: an interpolated `Sql` is put in, anything else becomes a parameter. */
export const sql = (strings: TemplateStringsArray, ...parts: readonly (Value | Sql)[]): Sql => {
  let text = strings[0] ?? ''
  const values: Value[] = []
  parts.forEach((part, at) => {
    text += isSql(part) ? part.text : '?'
    values.push(...(isSql(part) ? part.values : [part]))
    text += strings[at + 1]
  })
  return { text, values }
}

/** Text of ours, never of a user. */
export const raw = (text: string): Sql => ({ text, values: [] })

export const join = (parts: readonly Sql[], separator: string): Sql => ({
  text: parts.map(({ text }) => text).join(separator),
  values: parts.flatMap(({ values }) => values),
})

export const and = (parts: readonly Sql[]): Sql => (parts.length > 0 ? join(parts, ' AND ') : raw('true'))
