import type { Surroundings } from '../verbs/context.ts'
import type { Context } from '../verbs/verb.ts'
import { type FolderFlags, folderOf, now_us } from './asking.ts'
import { random } from './keys/vault.ts'

/** What this process is to verbs: its clock, chance, environment and configuration, over the data folder of the flags. */
export const surroundingsOf = (flags: FolderFlags): Surroundings => ({
  data: folderOf(flags),
  now_us,
  random,
  settings: async () => {
    const { readSettings } = await import('./serve/settings.ts')
    const { config, data } = flags
    return readSettings({ config, data })
  },
  variable: (name) => process.env[name],
  field: (name) => `--${name.replaceAll('_', '-')}`,
})

/**
 * Does a command's work with the verbs' context over its data folder, and closes what that opened. `role` names the
 * command to others who wait for the ledger, e.g. `weir report`.
 */
export const withContext = async <T>(
  flags: FolderFlags,
  role: string,
  work: (context: Context) => Promise<T>,
): Promise<T> => {
  const { openContext } = await import('../verbs/context.ts')
  const { context, close } = openContext(surroundingsOf(flags), role)
  try {
    return await work(context)
  } finally {
    await close()
  }
}
