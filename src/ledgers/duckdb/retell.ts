/** Segments of an earlier Weir, whose lines by position have another form: they are told anew beside the old ones. */
import { createReadStream, unlinkSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { createInterface } from 'node:readline'
import { decodeEarlierLine, isEarlierLine } from '../../core/earlier-line.ts'
import { encodeLine } from '../../core/journal-line.ts'

export type Retold = Readonly<{ files: readonly string[]; remove: () => void }>

/** Lines are written in pieces of about so many characters. */
const PIECE = 1 << 20

/** A line in the form of today. One that is cut stays as it is, and is refused. */
const anew = (line: string): string => {
  try {
    const { k, r } = decodeEarlierLine(line)
    return encodeLine(k, r)
  } catch {
    return `${line}\n`
  }
}

const hasEarlier = async (path: string): Promise<boolean> => {
  const input = createReadStream(path)
  try {
    for await (const line of createInterface({ input })) if (isEarlierLine(line)) return true
    return false
  } finally {
    input.destroy()
  }
}

const write = async (from: string, to: string): Promise<void> => {
  const file = await open(to, 'w', 0o600)
  try {
    let piece = ''
    for await (const line of createInterface({ input: createReadStream(from) })) {
      piece += isEarlierLine(line) ? anew(line) : `${line}\n`
      if (piece.length > PIECE) {
        await file.write(piece)
        piece = ''
      }
    }
    await file.write(piece)
  } finally {
    await file.close()
  }
}

/**
 * Copies of segments in which lines of an earlier form are said in that of today; undefined where none has any. The copies
 * lie beside their segments until `remove`; one that a killed process left is overwritten.
 */
export const retell = async (paths: readonly string[]): Promise<Retold | undefined> => {
  const earlier: boolean[] = []
  for (const path of paths) earlier.push(await hasEarlier(path))
  if (!earlier.includes(true)) return undefined
  const files = paths.map((path, at) => (earlier[at] ? `${path}.retold` : path))
  for (const [at, path] of paths.entries()) if (earlier[at]) await write(path, files[at] as string)
  const remove = (): void => {
    for (const [at, file] of files.entries()) if (earlier[at]) unlinkSync(file)
  }
  return { files, remove }
}
