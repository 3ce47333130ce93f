import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { dataFolder, type Flags, loadSettings } from '../../config.ts'
import type { Settings } from '../../core/settings.ts'
import { storedChannels } from '../alerts/secret.ts'
import { storedCredentials } from '../keys/vault.ts'

/** Settings with the secrets that the store keeps; those of providers are opened only where keys are ours to give. */
const withSecrets = async (flags: Flags): Promise<Settings> => {
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

/** Reads the settings, and from then on this process goes out by the proxy that they name. Throws `bad-config`. */
export const readSettings = async (flags: Flags): Promise<Settings> => {
  const settings = await withSecrets(flags)
  const { proxy, limits } = settings
  if (proxy) (await import('../../gateway/way-out.ts')).goOutBy(proxy, limits.connect_ms)
  return settings
}
