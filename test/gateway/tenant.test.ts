import { expect, test } from 'vitest'
import { openTenants } from '../../src/gateway/tenant.ts'

const tenants = openTenants(Buffer.from('pepper'))
const of = (headers: Record<string, string>, query = '') => tenants.tenantOf(undefined, headers, query)
const signed = (id: string, signature: string) => `AWS4-HMAC-SHA256 Credential=${id}/20261128/x, Signature=${signature}`

test('a signer is known by the id of the key, and every other credential beside it counts', () => {
  expect(of({ authorization: signed('AKONE', 'a') })).toBe(of({ authorization: signed('AKONE', 'b') }))
  const seen = [
    of({ authorization: signed('AKONE', 'a') }),
    of({ authorization: signed('AKTWO', 'a') }),
    of({ authorization: signed('AKONE', 'a'), 'x-api-key': 'sk' }),
    of({ 'x-api-key': 'sk' }),
    of({ 'api-key': 'sk' }),
    of({}, '?key=sk'),
    of({}, '?access_token=sk'),
    of({}, '?access_token=sk-two'),
    of({}, '?API-Key=sk'),
    of({}, '?%6bey=sk-three'),
    of({ cookie: 'sso=one' }),
    of({ cookie: 'sso=two' }),
    of({}),
  ]
  expect(new Set(seen).size).toBe(seen.length)
})

test('a cookie that a provider set beside the credential makes no other caller', () => {
  expect(of({ 'x-api-key': 'sk', cookie: '__cf_bm=1' })).toBe(of({ 'x-api-key': 'sk' }))
})
