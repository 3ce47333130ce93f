import { createCipheriv, createDecipheriv, createHmac, hkdfSync, timingSafeEqual } from 'node:crypto'
import { chmodSync, linkSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { WeirError } from '../core/errors.ts'
import { makeDataFolder } from './folder.ts'

/** Bytes of strong chance: `crypto.randomBytes`, handed in. */
export type RandomBytes = (size: number) => Uint8Array

/** What a key derived from the master secret is for. A key for one purpose opens nothing of another. */
export type Purpose = 'token-pepper' | 'console-tokens' | 'provider-credentials' | 'control'

const least_characters = 32

const readSecret = (path: string): string | undefined => {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new WeirError('bad-config', `cannot read the master secret ${path}: ${(error as Error).message}`)
  }
}

/** Writes a new secret whole under another name and links it into place, so that nobody reads half of one and the first wins. */
const createSecret = (data: string, path: string, random: RandomBytes): void => {
  makeDataFolder(data)
  const draft = join(data, `secret.${Buffer.from(random(8)).toString('hex')}`)
  writeFileSync(draft, `${Buffer.from(random(32)).toString('base64url')}\n`, { mode: 0o600, flag: 'wx' })
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
}

/**
 * The master secret: `given` (WEIR_SECRET) where it is set, else the file `secret` in the data folder, made on first use
 * with mode 0600. Throws WeirError `bad-config` when it is too short or the file cannot be read or written.
 */
export const masterSecret = (
  options: Readonly<{ data: string; given?: string | undefined; random: RandomBytes }>,
): Uint8Array => {
  const path = join(options.data, 'secret')
  let secret = options.given
  let origin = 'WEIR_SECRET'
  if (secret === undefined || secret === '') {
    origin = path
    secret = readSecret(path)
    if (secret === undefined) {
      createSecret(options.data, path, options.random)
      secret = readSecret(path) ?? ''
    }
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, 0o600)
  }
  if (secret.length < least_characters) {
    throw new WeirError(
      'bad-config',
      `${origin} holds ${secret.length} characters; a master secret needs ${least_characters} at least (openssl rand -base64 32)`,
    )
  }
  return Buffer.from(secret, 'utf8')
}

/** A 256-bit key of the master secret for one purpose (HKDF-SHA-256, RFC 5869). */
export const deriveKey = (master: Uint8Array, purpose: Purpose): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', master, 'weir', `weir/v1/${purpose}`, 32))

export const tokenPrefix = 'weir_'

/** Tokens of the console; the gateway takes them for no key. */
export const consolePrefix = 'weirc_'

/** A new gateway token: 256 random bits behind `weir_`. It is shown once and never kept. */
export const mintToken = (random: RandomBytes, prefix = tokenPrefix): string =>
  prefix + Buffer.from(random(32)).toString('base64url')

/** The beginning of a token that may be shown: `weir_3fA9…`. Twenty-four of its 256 bits. */
export const displayPrefix = (token: string, prefix = tokenPrefix): string => `${token.slice(0, prefix.length + 4)}…`

/** HMAC-SHA-256 of a token under the pepper (`deriveKey(master, 'token-pepper')`), hexadecimal: what the store keeps. */
export const hashToken = (token: string, pepper: Uint8Array): string =>
  createHmac('sha256', pepper).update(token, 'utf8').digest('hex')

/** Are two texts equal? Takes as long whatever they hold; only their lengths can be told from the time. */
export const sameText = (one: string, other: string): boolean => {
  const left = Buffer.from(one, 'utf8')
  const right = Buffer.from(other, 'utf8')
  return left.length === right.length && timingSafeEqual(left, right)
}

const version = 'v1'
const iv_bytes = 12
const tag_bytes = 16

/**
 * Encrypts a secret with AES-256-GCM under `key`, bound to what it is `about` (the provider's name): sealed text moved to
 * another name does not open.
 */
export const seal = (
  plain: string,
  options: Readonly<{ key: Uint8Array; about: string; random: RandomBytes }>,
): string => {
  const iv = options.random(iv_bytes)
  const cipher = createCipheriv('aes-256-gcm', options.key, iv)
  cipher.setAAD(Buffer.from(options.about, 'utf8'))
  const body = Buffer.concat([cipher.update(plain, 'utf8'), cipher.final()])
  return `${version}.${Buffer.concat([iv, cipher.getAuthTag(), body]).toString('base64url')}`
}

const howToSet = (about: string): string =>
  about.startsWith('channel/')
    ? `weir alerts secret ${about.slice('channel/'.length)}`
    : `weir keys provider set ${about}`

/** Opens what `seal` made. Throws WeirError `bad-config` when the key, the name or the text is another. */
export const unseal = (sealed: string, options: Readonly<{ key: Uint8Array; about: string }>): string => {
  const [form, text = ''] = sealed.split('.')
  const bytes = Buffer.from(text, 'base64url')
  try {
    if (form !== version || bytes.length < iv_bytes + tag_bytes) throw new Error('not sealed text')
    const decipher = createDecipheriv('aes-256-gcm', options.key, bytes.subarray(0, iv_bytes), {
      authTagLength: tag_bytes,
    })
    decipher.setAAD(Buffer.from(options.about, 'utf8'))
    decipher.setAuthTag(bytes.subarray(iv_bytes, iv_bytes + tag_bytes))
    return Buffer.concat([decipher.update(bytes.subarray(iv_bytes + tag_bytes)), decipher.final()]).toString('utf8')
  } catch {
    throw new WeirError(
      'bad-config',
      `the stored credential of ${options.about} cannot be opened: the master secret is not the one it was sealed with. ` +
        `Set it again with: ${howToSet(options.about)}`,
    )
  }
}
