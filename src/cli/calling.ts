import { loadSettings } from '../config.ts'
import type { Context } from '../verbs/verb.ts'
import { type FolderFlags, folderOf, now_us } from './asking.ts'
import { random } from './keys/vault.ts'

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
  const settings: Context['settings'] = async () => {
    const { providers } = await import('../providers/index.ts')
    const { config, data } = flags
    return loadSettings({ cwd: process.cwd(), env: process.env, flags: { config, data }, providers })
  }
  const { context, close } = openContext({
    data: folderOf(flags),
    role,
    now_us,
    random,
    settings,
    variable: (name) => process.env[name],
    field: (name) => `--${name.replaceAll('_', '-')}`,
  })
  try {
    return await work(context)
  } finally {
    await close()
  }
}
