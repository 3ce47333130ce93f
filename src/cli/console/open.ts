import { packageVersion } from '../../config/version.ts'
import type { Settings } from '../../core/settings.ts'
import type { FolderFlags } from '../asking.ts'
import { surroundingsOf } from '../calling.ts'
import { note } from '../show/output.ts'

/** The port that the settings mean, beside a gateway on `gateway`: the next one, or a free one where the gateway took a free one. */
export const consolePort = (console: Exclude<Settings['console'], 'off'>, gateway: number): number =>
  console === 'next' ? (gateway % 65_535) + 1 : console

/** Starts the console over the data folder that the flags say; `elsewhere` is what to do where the port is taken. */
export const openConsole = async (flags: FolderFlags, port: number, elsewhere: string) => {
  const { startConsole } = await import('../../console/start.ts')
  return startConsole({
    ...surroundingsOf(flags),
    field: (name) => name,
    port,
    elsewhere,
    version: packageVersion(),
    fault: (error, where) => note(`weir: the console failed at ${where}: ${error.stack ?? error.message}`),
  })
}
