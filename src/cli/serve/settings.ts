import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { dataFolder, type Flags, loadSettings } from '../../config.ts'
import type { Settings } from '../../core/settings.ts'
import { storedChannels } from '../alerts/secret.ts'
import { storedCredentials } from '../keys/vault.ts'

/** Settings with the secrets that the store keeps; those of providers are opened only where keys are ours to give. */
export const readSettings = async (flags: Flags): Promise<Settings> => {
  const { providers } = await import('../../providers/index.ts')
  const { config, data } = flags
  const folder = dataFolder({ cwd: process.cwd(), env: process.env, config, data })
  const has_store = existsSync(join(folder, 'store.db'))
  const stored_channels = has_store ? await storedChannels({ config, data }) : {}
  const source = { cwd: process.cwd(), env: process.env, flags, providers, stored_channels }
  const settings = loadSettings(source)
  if (settings.mode !== 'keys' || !has_store) return settings
  return loadSettings({ ...source, stored: await storedCredentials({ data: settings.data }) })
}
