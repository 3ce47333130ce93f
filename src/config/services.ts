import { resolve } from 'node:path'
import type { EmbedderSettings, Services } from '../core/settings.ts'
import type { Tell } from './document.ts'
import type { File } from './schema.ts'
import { hint } from './suggest.ts'

type Written = NonNullable<NonNullable<File['services']>['embedder']>

type Around = Readonly<{
  providers: readonly string[]
  tell: Tell /** From which folders are counted. */
  base: string
}>

/** A lookup waits for its vector, so a slow embedder costs more than the call is worth. */
const DEADLINE_MS = 200

const embedderOf = (written: Written, { providers, tell, base }: Around): EmbedderSettings | undefined => {
  const { provider, model, local, folder, deadline_ms = DEADLINE_MS } = written
  const path = ['services', 'embedder']
  if (local !== undefined) {
    if (provider !== undefined || model !== undefined)
      tell(path, 'found a local model and a provider; expected one of the two')
    return { local, deadline_ms, ...(folder === undefined ? {} : { folder: resolve(base, folder) }) }
  }
  if (provider === undefined || model === undefined) {
    tell(path, 'expected { provider, model } or { local }')
    return undefined
  }
  if (!providers.includes(provider)) {
    const meant = hint(provider, providers)
    tell([...path, 'provider'], `there is no provider ${provider}${meant === '' ? '' : `; ${meant}`}`)
  }
  return { provider, model, deadline_ms }
}

/** What levers may use. Tells providers that there are not, and embedders that are neither or both. */
export const servicesOf = ({ services = {} }: File, around: Around): Services => {
  const { embedder: written, compressor } = services
  const embedder = written && embedderOf(written, around)
  return {
    ...(embedder ? { embedder } : {}),
    ...(compressor ? { compressor: { folder: resolve(around.base, compressor.folder) } } : {}),
  }
}
