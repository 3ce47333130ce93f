/** Tokens that a service account of Google's signs for itself, without asking anybody: https://google.aip.dev/auth/4111. */
import { sign } from 'node:crypto'
import { WeirError } from '../../core/errors.ts'
import type { ProviderSettings } from '../../core/provider.ts'

const SCOPE = 'https://www.googleapis.com/auth/cloud-platform'
const LIFE_S = 3600
/** A token is made anew so long before its end, s: calls that leave with it must arrive. */
const MARGIN_S = 300

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

const make = (key_file: string, issued_s: number): string => {
  const file = JSON.parse(key_file) as Readonly<Record<string, unknown>>
  const { client_email, private_key, private_key_id } = file
  const head = { alg: 'RS256', typ: 'JWT', kid: private_key_id }
  const claim = { iss: client_email, sub: client_email, scope: SCOPE, iat: issued_s, exp: issued_s + LIFE_S }
  const text = `${base64url(head)}.${base64url(claim)}`
  return `${text}.${sign('sha256', Buffer.from(text), String(private_key)).toString('base64url')}`
}

/** The last token of each provider's settings. */
const made = new WeakMap<ProviderSettings, Readonly<{ token: string; until_s: number }>>()

/** The token for a key file as text. Throws WeirError `bad-config`, which never repeats it. */
export const serviceAccountToken = (settings: ProviderSettings, key_file: string, now_us: number): string => {
  const now_s = Math.floor(now_us / 1e6)
  const known = made.get(settings)
  if (known && now_s < known.until_s) return known.token
  try {
    const token = make(key_file, now_s)
    made.set(settings, { token, until_s: now_s + LIFE_S - MARGIN_S })
    return token
  } catch {
    throw new WeirError(
      'bad-config',
      `Provider ${settings.name}: its key begins as a service account's key file and is none: give the whole JSON, as Google made it.`,
    )
  }
}
