import { sign } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import type { BillRequest } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { askPatiently, jsonObject } from './patience.ts'
import { type BillRecord, textOf } from './record.ts'

const SCOPE = 'https://www.googleapis.com/auth/bigquery'
const TOKEN_URI = 'https://oauth2.googleapis.com/token'
const LIFE_S = 3600

const base64url = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url')

/** What Google gives for a key file: credentials of a service account, or of a person (`gcloud auth application-default login`). */
const fileOf = (key: string): BillRecord | undefined => {
  const is_json = key.trimStart().startsWith('{')
  if (!is_json && !existsSync(key)) return undefined
  try {
    return JSON.parse(is_json ? key : readFileSync(key, 'utf8')) as BillRecord
  } catch {
    throw new WeirError('bad-config', 'the key of gcp-billing is a file that is no JSON: name a key file of Google’s')
  }
}

const needed = (file: BillRecord, field: string): string => {
  const value = textOf(file, field)
  if (value === null) throw new WeirError('bad-config', `the key file of gcp-billing has no ${field}`)
  return value
}

/** A claim signed by the service account (https://developers.google.com/identity/protocols/oauth2/service-account#httprest). */
const assertionOf = (file: BillRecord, audience: string, now_ms: number): string => {
  const issued = Math.floor(now_ms / 1000)
  const claim = { iss: needed(file, 'client_email'), scope: SCOPE, aud: audience, iat: issued, exp: issued + LIFE_S }
  const head = { alg: 'RS256', typ: 'JWT', kid: textOf(file, 'private_key_id') ?? undefined }
  const text = `${base64url(head)}.${base64url(claim)}`
  try {
    return `${text}.${sign('sha256', Buffer.from(text), needed(file, 'private_key')).toString('base64url')}`
  } catch (error) {
    if (error instanceof WeirError) throw error
    throw new WeirError('bad-config', 'the key file of gcp-billing has a private_key that cannot sign')
  }
}

/**
 * An access token for BigQuery: the key itself where it is one, or what Google gives for a key file (its path or its JSON). Throws
 * WeirError `bad-config` naming what the file lacks.
 */
export const accessToken = async (request: BillRequest): Promise<string> => {
  const key = request.credentials.api_key ?? ''
  const file = fileOf(key)
  if (file === undefined) return key
  const url = textOf(file, 'token_uri') ?? TOKEN_URI
  const grant = (now_ms: number): Readonly<Record<string, string>> =>
    textOf(file, 'type') === 'authorized_user'
      ? {
          grant_type: 'refresh_token',
          client_id: needed(file, 'client_id'),
          client_secret: needed(file, 'client_secret'),
          refresh_token: needed(file, 'refresh_token'),
        }
      : {
          grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
          assertion: assertionOf(file, url, now_ms),
        }
  const given = await askPatiently(
    request,
    (now_ms) => ({
      url,
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams(grant(now_ms)).toString(),
    }),
    { take: jsonObject, expects: 'JSON object', permission: 'Google does not take this key file' },
  )
  return needed(given, 'access_token')
}
