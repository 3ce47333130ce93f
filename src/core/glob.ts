/** Globs over one value: `*` is any text, `?` one character, a backslash takes the next character as it is. */

/** Does a text mean anything but itself? */
export const isGlob = (text: string): boolean => /[*?\\]/.test(text)

type Piece = Readonly<{ kind: 'any' | 'one' }> | Readonly<{ kind: 'text'; text: string }>
export type Glob = readonly Piece[]

const LONGEST = 256

/** Why a text is no glob, or undefined when it is one. */
export const globProblem = (text: string): string | undefined => {
  if (text === '') return 'is empty: write null for "has none", or * for "has any"'
  if (text.length > LONGEST) return `is longer than ${LONGEST} characters`
  if (/^(?:[^\\]|\\.)*\\$/s.test(text)) return 'ends in a backslash: a backslash takes the next character as it is'
  return undefined
}

/** One piece a character, so that globs can be compared piece by piece. `**` is `*`. */
export const parseGlob = (text: string): Glob => {
  const pieces: Piece[] = []
  const characters = [...text]
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? ''
    if (character === '\\') {
      at += 1
      pieces.push({ kind: 'text', text: characters[at] ?? '' })
    } else if (character === '?') pieces.push({ kind: 'one' })
    else if (character !== '*') pieces.push({ kind: 'text', text: character })
    else if (pieces.at(-1)?.kind !== 'any') pieces.push({ kind: 'any' })
  }
  return pieces
}

/** Reads `length` places by a glob in linear steps a star, without recursion: what a star took grows only when the rest fails. */
const reads = (glob: Glob, length: number, takes: (wanted: Piece, place: number) => boolean): boolean => {
  let [at, from, star, mark] = [0, 0, -1, 0]
  while (from < length) {
    const wanted = glob[at]
    if (wanted?.kind === 'any') {
      star = at
      mark = from
      at += 1
    } else if (wanted && takes(wanted, from)) {
      at += 1
      from += 1
    } else if (star >= 0) {
      mark += 1
      at = star + 1
      from = mark
    } else return false
  }
  return glob.slice(at).every(({ kind }) => kind === 'any')
}

/** A character of two units is one place. */
const charactersOf = (text: string): ArrayLike<string> => (/[\ud800-\udfff]/.test(text) ? [...text] : text)

export const globHolds = (glob: Glob, value: string): boolean => {
  const characters = charactersOf(value)
  return reads(
    glob,
    characters.length,
    (wanted, place) => wanted.kind === 'one' || (wanted.kind === 'text' && wanted.text === characters[place]),
  )
}

/** None where the text means but itself. */
const parsed = new Map<string, Glob | null>()
const MOST_PARSED = 10_000

/** Does a glob match a text? For the way of a call: globs come from configuration and keys, so they are few, and kept. */
export const globMatches = (glob: string, text: string): boolean => {
  let known = parsed.get(glob)
  if (known === undefined) {
    known = isGlob(glob) ? parseGlob(glob) : null
    if (parsed.size < MOST_PARSED) parsed.set(glob, known)
  }
  return known ? globHolds(known, text) : glob === text
}

const sameText = (one: Piece, other: Piece): boolean =>
  one.kind === 'text' && other.kind === 'text' && one.text === other.text

/** Whether every value of `narrow` is one of `wide`. Never true wrongly; a few odd pairs are missed. */
export const globCovers = (wide: Glob, narrow: Glob): boolean =>
  reads(wide, narrow.length, (wanted, place) => {
    const found = narrow[place] as Piece
    return wanted.kind === 'one' ? found.kind !== 'any' : sameText(wanted, found)
  })
