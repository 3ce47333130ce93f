import { createHmac, randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { KeyRecord } from '../../src/core/store.ts'
import { keyringOf, openCredentials, sealCredentials } from '../../src/stores/keyring.ts'
import {
  deriveKey,
  displayPrefix,
  hashToken,
  masterSecret,
  mintToken,
  sameText,
  seal,
  unseal,
} from '../../src/stores/sealing.ts'

const random = (size: number) => randomBytes(size)
const master = Buffer.from('a master secret of more than thirty-two characters')

const within = (work: (data: string) => void) => {
  const data = mkdtempSync(join(tmpdir(), 'weir-secret-'))
  try {
    work(data)
  } finally {
    rmSync(data, { recursive: true })
  }
}

test('a token carries 256 random bits behind its prefix, and its shown beginning gives away few of them', () => {
  const token = mintToken(random)
  expect(token).toMatch(/^weir_[\w-]{43}$/)
  expect(new Set(Array.from({ length: 1000 }, () => mintToken(random)))).toHaveProperty('size', 1000)
  expect(displayPrefix(token)).toBe(`${token.slice(0, 9)}…`)
})

test('a token is kept as an HMAC-SHA-256 under the pepper', () => {
  const pepper = deriveKey(master, 'token-pepper')
  expect(hashToken('weir_x', pepper)).toBe(createHmac('sha256', pepper).update('weir_x').digest('hex'))
  expect(hashToken('weir_x', pepper)).not.toBe(hashToken('weir_x', deriveKey(master, 'control')))
})

test('keys for different purposes differ, and are the same every time', () => {
  const purposes = ['token-pepper', 'provider-credentials', 'control'] as const
  const all = purposes.map((purpose) => Buffer.from(deriveKey(master, purpose)).toString('hex'))
  expect(new Set(all).size).toBe(3)
  expect(all[0]).toBe(Buffer.from(deriveKey(master, 'token-pepper')).toString('hex'))
  expect(all[0]).toHaveLength(64)
})

test('the master secret is made once, kept with mode 0600, and read again', () =>
  within((data) => {
    const first = masterSecret({ data: join(data, 'new'), random })
    const path = join(data, 'new', 'secret')
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(masterSecret({ data: join(data, 'new'), random })).toEqual(first)
    expect(readdirSync(join(data, 'new'))).toEqual(['secret'])
    expect(readFileSync(path, 'utf8').trim()).toHaveLength(43)
  }))

test('a master secret that others may read is closed to them', () =>
  within((data) => {
    mkdirSync(data, { recursive: true })
    writeFileSync(join(data, 'secret'), 'x'.repeat(40), { mode: 0o644 })
    masterSecret({ data, random })
    expect(statSync(join(data, 'secret')).mode & 0o777).toBe(0o600)
  }))

test('WEIR_SECRET goes before the file and leaves none, and a short one is refused', () =>
  within((data) => {
    expect(masterSecret({ data, given: 'y'.repeat(32), random })).toEqual(Buffer.from('y'.repeat(32)))
    expect(readdirSync(data)).toEqual([])
    expect(() => masterSecret({ data, given: 'short', random })).toThrow(/WEIR_SECRET holds 5 characters/)
  }))

test('what is sealed opens again under the same key and name, whatever it is', () => {
  const key = deriveKey(master, 'provider-credentials')
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.string(), (plain, about) => {
      const sealed = seal(plain, { key, about, random })
      expect(unseal(sealed, { key, about })).toBe(Buffer.from(plain, 'utf8').toString('utf8'))
    }),
    { seed: 42 },
  )
})

test('sealed text does not show the secret, differs every time, and opens under no other key, name or byte', () => {
  const key = deriveKey(master, 'provider-credentials')
  const sealed = seal('sk-canary', { key, about: 'openai', random })
  expect(sealed).not.toContain('canary')
  expect(Buffer.from(sealed.slice(3), 'base64url').toString('latin1')).not.toContain('canary')
  expect(seal('sk-canary', { key, about: 'openai', random })).not.toBe(sealed)
  const refused = /credential of \S+ cannot be opened/
  expect(() => unseal(sealed, { key: deriveKey(master, 'control'), about: 'openai' })).toThrow(refused)
  expect(() => unseal(sealed, { key, about: 'anthropic' })).toThrow(refused)
  expect(() => unseal('nonsense', { key, about: 'openai' })).toThrow(refused)
  const bytes = Buffer.from(sealed.slice(3), 'base64url')
  for (let i = 0; i < bytes.length; i += 1) {
    const bent = Buffer.from(bytes)
    bent[i] = (bent[i] ?? 0) ^ 1
    expect(() => unseal(`v1.${bent.toString('base64url')}`, { key, about: 'openai' })).toThrow(refused)
  }
})

test('credentials of several providers come back whole', () => {
  const key = deriveKey(master, 'provider-credentials')
  const aws = { access_key_id: 'AKIA', secret_access_key: 's', session_token: 't' }
  const sealed = {
    openai: sealCredentials({ api_key: 'sk-1' }, { key, provider: 'openai', random }),
    'aws-bedrock': sealCredentials(aws, { key, provider: 'aws-bedrock', random }),
  }
  expect(openCredentials(sealed, key)).toEqual({ openai: { api_key: 'sk-1' }, 'aws-bedrock': aws })
})

test('texts are compared by what they hold', () => {
  expect([sameText('abc', 'abc'), sameText('abc', 'abd'), sameText('abc', 'ab'), sameText('', '')]).toEqual([
    true,
    false,
    false,
    true,
  ])
})

test('a keyring knows its tokens and refuses unknown, revoked and expired ones by name', () => {
  const pepper = deriveKey(master, 'token-pepper')
  const tokens = Array.from({ length: 4 }, () => mintToken(random))
  const record = (i: number, over: Partial<KeyRecord> = {}): KeyRecord => ({
    id: `key_${i}`,
    name: `number ${i}`,
    prefix: displayPrefix(tokens[i] ?? ''),
    hash: hashToken(tokens[i] ?? '', pepper),
    tags: {},
    models: [],
    providers: [],
    endpoints: [],
    revision: 1,
    created_at_us: 0,
    ...over,
  })
  const ring = keyringOf([record(0), record(1, { revoked_at_us: 50 }), record(2, { expires_at_us: 100 })], pepper)
  const ask = (token: string | undefined, now_us: number) => () => {
    const { key, refusal } = ring.identifyToken(token ?? '', now_us)
    if (refusal) throw refusal
    return key
  }
  expect(ring.size).toBe(3)
  expect(ask(tokens[0], 1e15)().id).toBe('key_0')
  expect(ask(tokens[2], 99)().id).toBe('key_2')
  expect(ring.identifyToken(tokens[2] ?? '', 100).key.id).toBe('key_2')
  expect(ask(tokens[2], 100)).toThrow(expect.objectContaining({ code: 'key-expired' }))
  expect(ask(tokens[2], 100)).toThrow(/number 2.*expired.*ask.*for another/)
  expect(ask(tokens[1], 50)).toThrow(expect.objectContaining({ code: 'unknown-key' }))
  expect(ask(tokens[1], 50)).toThrow(/number 1.*revoked.*ask.*for another/)
  expect(ask(tokens[3], 1)).toThrow(/no such Weir key/)
  expect(ask('sk-somebody-elses', 1)).toThrow(/takes Weir keys/)
  for (const i of [1, 2, 3]) expect(ask(tokens[i], 1e15)).not.toThrow(tokens[i])
})
