import { loadSettings } from '../../config.ts'
import type { Settings } from '../../core/settings.ts'
import { providers } from '../../providers/index.ts'
import type { FolderFlags } from '../asking.ts'

/** The settings that a gateway would have here. Throws WeirError `bad-config`. */
export const settingsOf = ({ data, config }: FolderFlags): Settings =>
  loadSettings({ cwd: process.cwd(), env: process.env, flags: { data, config }, providers })
