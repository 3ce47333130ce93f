import {
  type Document,
  isMap,
  isNode,
  isPair,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type ParsedNode,
  parseDocument,
  visit,
} from 'yaml'

export type Path = readonly (string | number)[]

/** Takes what is wrong with the value at a path. */
export type Tell = (path: Path, message: string) => void

/** One thing that is wrong, where, and what to do about it. */
export type Problem = Readonly<{ line?: number; field: string; message: string }>

/** A parsed file: its value with the environment filled in, and the line of every field. */
export type Source = Readonly<{
  value: unknown
  problems: readonly Problem[]
  /** Line (from 1) of the field, or of the nearest thing around it that is there. */
  line(path: Path): number | undefined
}>

export const fieldName = (path: Path): string =>
  path.map((step, i) => (typeof step === 'number' ? `[${step}]` : `${i === 0 ? '' : '.'}${step}`)).join('')

const nameOf = (steps: readonly unknown[]): string => {
  const path: (string | number)[] = []
  steps.forEach((step, i) => {
    const above = steps[i - 1]
    if (isPair(step) && isScalar(step.key)) path.push(String(step.key.value))
    else if (isSeq(above)) path.push(above.items.indexOf(step))
  })
  return fieldName(path)
}

const reference = /\$(\$\{[^}]*\})|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g

export type Environment = Readonly<Record<string, string | undefined>>

/** Fills `${NAME}` and `${NAME:-default}` into the text; `$${` stands for `${`. Names that are not set are told to `missing`. */
const interpolate = (text: string, env: Environment, missing: (name: string) => void): string =>
  text.replace(reference, (whole, literal?: string, name?: string, fallback?: string) => {
    if (literal !== undefined) return literal
    const value = name === undefined ? undefined : env[name]
    if (value !== undefined && value !== '') return value
    if (fallback !== undefined) return fallback
    missing(name ?? whole)
    return whole
  })

/** A `${NAME}` that begins a value and has no quotes around it. */
const unquoted = /[:,[{]\s*(\$\{[^}"']*\})/

/** What YAML has against a text. Within `{ }` it takes the braces of a bare `${NAME}` for its own, and says so in many words. */
const yamlProblems = (text: string, { errors }: Document.Parsed, lines: LineCounter): Problem[] => {
  const rows = text.split('\n')
  const problems = errors.map(({ message, pos }) => {
    const { line } = lines.linePos(pos[0])
    const [, variable] = unquoted.exec(rows[line - 1] ?? '') ?? []
    const said = `${message.split('\n')[0]}`
    return { line, field: 'YAML', message: variable === undefined ? said : `put quotes around it: "${variable}"` }
  })
  return problems.filter(({ line, message }, i) => {
    const before = problems[i - 1]
    return before?.line !== line || before.message !== message
  })
}

/** Reads YAML. Nothing is thrown: what is wrong comes back as problems with their lines. */
export const readSource = (text: string, env: Environment): Source => {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  const lineAt = (offset: number | undefined) => (offset === undefined ? undefined : lines.linePos(offset).line)
  const problems = yamlProblems(text, document, lines)
  if (problems.length > 0) return { value: undefined, problems, line: () => undefined }

  visit(document, {
    Scalar: (_, node, above) => {
      if (typeof node.value !== 'string' || !node.value.includes('${')) return
      node.value = interpolate(node.value, env, (name) => {
        const line = lineAt(node.range?.[0])
        problems.push({
          ...(line === undefined ? {} : { line }),
          field: nameOf([...above, node]),
          message: `the environment variable ${name} is not set: set it, write \${${name}:-default}, or take the line out`,
        })
      })
    },
  })
  const root = document.contents as ParsedNode | null
  return { value: document.toJS(), problems, line: (path) => lineAt(offsetOf(root, path)) }
}

type Place = Readonly<{ offset: number | undefined; node: unknown }>

const rangeOf = (node: unknown): number | undefined => (isNode(node) ? (node.range?.[0] ?? undefined) : undefined)

/** One step down: into a map by its key, into a list by its index. */
const stepInto = (node: unknown, step: string | number): Place | undefined => {
  if (isMap(node)) {
    const pair = node.items.find(({ key }) => isScalar(key) && String(key.value) === String(step))
    return pair && { offset: rangeOf(pair.key), node: pair.value }
  }
  if (!isSeq(node)) return undefined
  const item = node.items[Number(step)]
  return isNode(item) ? { offset: rangeOf(item), node: item } : undefined
}

/** Where the field stands: its key, or its value in a list, or the nearest thing around it that exists. */
const offsetOf = (root: Node | null, path: Path): number | undefined => {
  let place: Place = { offset: rangeOf(root), node: root }
  for (const step of path) {
    const inner = stepInto(place.node, step)
    if (inner === undefined) break
    place = { offset: inner.offset ?? place.offset, node: inner.node }
  }
  return place.offset
}
