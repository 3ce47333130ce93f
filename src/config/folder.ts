import { existsSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { WeirError } from '../core/errors.ts'
import { type Environment, readSource } from './document.ts'
import { configError } from './problems.ts'

export type Place = Readonly<{
  cwd: string
  env: Environment
  /** The flags `--config` and `--data`. */
  config?: string | undefined
  data?: string | undefined
}>

/** The configuration file: --config, WEIR_CONFIG, or weir.yaml here. Undefined where there is none. Throws WeirError `bad-config` when a named one is missing. */
export const configFile = (place: Place): string | undefined => {
  const named = place.config ?? (place.env['WEIR_CONFIG'] || undefined)
  if (named === undefined) return ['weir.yaml', 'weir.yml'].map((name) => resolve(place.cwd, name)).find(existsSync)
  const path = resolve(place.cwd, named)
  if (existsSync(path)) return path
  const origin = place.config === undefined ? 'WEIR_CONFIG' : '--config'
  throw new WeirError('bad-config', `${origin} names ${path}, which is not there. Make one with: weir init ${named}`)
}

/** The text of a configuration file. What the system has against it names the path, also of a folder, where Node's own error does not. */
export const readConfig = (path: string): string => {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    throw Object.assign(cause as Error, { path })
  }
}

/** `data` of the file, without judging the rest of it: a report must not fail for a key that only serving needs. */
const written = (path: string, env: Environment): string | undefined => {
  const { value, problems } = readSource(readConfig(path), env)
  const wrong = problems.filter(({ field }) => field === 'data')
  if (wrong.length > 0) throw configError(path, wrong)
  const data = (value as Readonly<{ data?: unknown }> | null | undefined)?.data
  return typeof data === 'string' ? resolve(dirname(path), data) : undefined
}

/** Where journal, ledger and store lie: --data, WEIR_DATA, `data` of weir.yaml (from the file's folder), or ./weir-data. */
export const dataFolder = (place: Place): string => {
  const named = place.data ?? (place.env['WEIR_DATA'] || undefined)
  if (named !== undefined) return resolve(place.cwd, named)
  const path = configFile(place)
  return (path === undefined ? undefined : written(path, place.env)) ?? resolve(place.cwd, 'weir-data')
}
