import { styleText } from 'node:util'

/** How text may look where it goes: everything that is printed is a pure function of an answer and a look. */
export type Look = Readonly<{
  /** Columns of the terminal; `Infinity` where nothing must be cut (a file, a pipe). */
  width: number
  colour: boolean
}>

/** Plain text of any width: what a pipe or a file gets. */
export const plain: Look = { width: Number.POSITIVE_INFINITY, colour: false }

type Environment = Readonly<Record<string, string | undefined>>
type Screen = Readonly<{ isTTY?: boolean; columns?: number }>

/** FORCE_COLOR decides first, then NO_COLOR (any value, see no-color.org), then whether the stream is a terminal. */
const hasColour = (screen: Screen, env: Environment): boolean => {
  const { FORCE_COLOR: forced, NO_COLOR: refused, TERM: terminal } = env
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  if (refused !== undefined && refused !== '') return false
  return screen.isTTY === true && terminal !== 'dumb'
}

/** The look of a stream. `COLUMNS` sets the width where the stream does not know its own. */
export const lookOf = (screen: Screen = process.stdout, env: Environment = process.env): Look => {
  const asked = Number(env['COLUMNS'])
  const width = screen.columns ?? (Number.isInteger(asked) && asked > 0 ? asked : Number.POSITIVE_INFINITY)
  return { width: Math.max(width, 40), colour: hasColour(screen, env) }
}

type Format = Parameters<typeof styleText>[0]

const styles = {
  bold: 'bold',
  dim: 'dim',
  red: 'red',
  green: 'green',
  yellow: 'yellow',
  blue: 'blue',
  magenta: 'magenta',
  cyan: 'cyan',
  title: ['bold', 'cyan'],
} as const satisfies Record<string, Format>

export type Style = keyof typeof styles
export type Paint = Readonly<Record<Style, (text: string) => string>>

/** Functions that colour text under this look, or leave it as it is. */
export const paint = (look: Look): Paint => {
  const names = Object.keys(styles) as Style[]
  const one = (name: Style) => (text: string) =>
    look.colour && text !== '' ? styleText(styles[name] as Format, text, { validateStream: false }) : text
  return Object.fromEntries(names.map((name) => [name, one(name)])) as Paint
}
