import { WeirError } from '../core/errors.ts'
import type { Store } from '../core/store.ts'
import { hashToken, sameText } from '../stores/sealing.ts'
import { keyState } from '../verbs/keys/shown.ts'

/** Who asks: an administrator, or somebody who reads for one team. */
export type Asker = Readonly<{ team?: string }>

const refused = (message: string): WeirError => new WeirError('unknown-key', message)

/**
 * Finds out who holds a token, by its HMAC, so that what is compared is nothing of the token itself. Throws WeirError
 * `unknown-key` whose message is the same for every token that is not in force.
 */
export const identify = async (
  header: string | undefined,
  { store, pepper, now_us }: Readonly<{ store: Store; pepper: Uint8Array; now_us: number }>,
): Promise<Asker> => {
  const token = /^Bearer ([\w-]{20,128})$/i.exec(header ?? '')?.[1]
  if (token === undefined)
    throw refused('the console needs a token: Authorization: Bearer weirc_… (weir console token create)')
  const hash = hashToken(token, pepper)
  const found = await store.tokens.find(hash)
  if (found === undefined || !sameText(found.hash, hash) || keyState(found, now_us) !== 'active')
    throw refused('no such console token, or it has expired or was revoked')
  return found.team === undefined ? {} : { team: found.team }
}
