import { existsSync, mkdirSync, statSync } from 'node:fs'
import { dirname } from 'node:path'
import { WeirError } from '../core/errors.ts'

/** What is wrong with a data folder, in words that help. */
export const unusable = (data: string, cause: unknown): WeirError =>
  new WeirError(
    'bad-config',
    `The data folder ${data} cannot be used (${(cause as Error).message}). Make it a folder that this user may write to, or name another with --data.`,
    { cause },
  )

/** Node's own `recursive` never ends where the system says of a folder that is there that it is not, as below `/proc`. */
const make = (path: string): void => {
  try {
    mkdirSync(path, { mode: 0o700 })
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'EEXIST' && statSync(path).isDirectory()) return
    if (code !== 'ENOENT' || existsSync(dirname(path))) throw error
    make(dirname(path))
    make(path)
  }
}

/** Makes the data folder, and those above it that are missing, for its owner only. Throws WeirError `bad-config`. */
export const makeDataFolder = (data: string): void => {
  try {
    make(data)
  } catch (error) {
    throw unusable(data, error)
  }
}
