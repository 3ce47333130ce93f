import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterAll, expect, test } from 'vitest'
import { openAnswers } from '../../src/stores/answers.ts'
import { waitUntil } from '../waiting.ts'

const folder = mkdtempSync(join(tmpdir(), 'weir-answers-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))
const now_us = () => Date.now() * 1000
const answer = {
  body: new TextEncoder().encode('{}'),
  content_type: 'application/json',
  receipt_id: 'r',
  stored_at_us: 1,
}
const keep = { ttl_s: 60, tags: [], most_bytes: 65_536, lever: 'cache/exact' }

test('of two threads one leads an identical call; the other gets its answer, or goes itself where there is none', async () => {
  const path = join(folder, 'answers.db')
  const [one, two] = [openAnswers({ path, now_us, shared: true }), openAnswers({ path, now_us, shared: true })]
  expect(one.join('p', 'k', 'c1')).toBeUndefined()
  const waits = two.join('p', 'k', 'c2')
  expect(waits).toBeInstanceOf(Promise)
  one.put('p', 'k', answer, keep)
  one.done('p', 'k', 'c1', answer)
  expect((await waits)?.receipt_id).toBe('r')
  expect(two.join('p', 'other', 'c3')).toBeUndefined()
  const fails = one.join('p', 'other', 'c4')
  two.done('p', 'other', 'c4')
  two.done('p', 'other', 'c3')
  expect(await fails).toBeUndefined()
  expect(one.join('p', 'other', 'c5')).toBeUndefined()
  one.close()
  two.close()
})

test('a leader that died with its thread or process is waited for a few seconds only, one that flies as long as it does', async () => {
  const path = join(folder, 'leases.db')
  const later = (seconds: number) => () => now_us() + seconds * 1e6
  const one = openAnswers({ path, now_us, shared: true })
  expect(one.join('p', 'k', 'c1')).toBeUndefined()
  const soon = openAnswers({ path, now_us: later(4), shared: true })
  expect(soon.join('p', 'k', 'c2')).toBeInstanceOf(Promise)
  const file = new DatabaseSync(path)
  const ends = () => Number(file.prepare('select ends_at_us from flights').get()?.['ends_at_us'])
  const first_us = ends()
  await waitUntil(() => ends() > first_us)
  one.close()
  const after = openAnswers({ path, now_us: later(7), shared: true })
  expect(after.join('p', 'k', 'c3'), 'nobody said any more that c1 leads').toBeUndefined()
  for (const store of [soon, after]) store.close()
  file.close()
})

test('makes room in the order of use, whichever the sizes, and in no more time where many are kept', () => {
  const answers = openAnswers({ path: join(folder, 'room.db'), now_us })
  const bounded = { ...keep, ttl_s: 3600, most_bytes: 4_000_000 }
  const put = (nth: number) =>
    answers.put('p', `k${nth}`, { ...answer, body: new Uint8Array(200 + (nth % 400)) }, bounded)
  for (let nth = 0; nth < 12_000; nth++) put(nth)
  const { bytes, answers: kept } = answers.stats()
  expect(bytes).toBeLessThanOrEqual(4_000_000 * (1 + 1 / 128))
  expect(bytes).toBeGreaterThan(3_900_000)
  const found = answers.list(20_000).map(({ key }) => Number(key.slice(1)))
  expect(found.toSorted((a, b) => a - b)).toEqual(Array.from({ length: kept }, (_, nth) => 12_000 - kept + nth))
  answers.close()
})

test('what is purged is gone from the disk, too', () => {
  const path = join(folder, 'purged.db')
  const answers = openAnswers({ path, now_us })
  const secret = new TextEncoder().encode('the patient is called Ann '.repeat(500))
  answers.put('p', 'k', { ...answer, body: secret }, { ...keep, tags: ['team:care'] })
  answers.put('p', 'other', answer, keep)
  expect(answers.purge({ tag: 'team:care' })).toBe(1)
  for (const name of readdirSync(folder).filter((name) => name.startsWith('purged.db')))
    expect(readFileSync(join(folder, name)).includes('the patient'), name).toBe(false)
  expect(answers.get('p', 'other')?.receipt_id).toBe('r')
  answers.close()
})

test('a place that is no folder keeps no answer and throws nothing', () => {
  writeFileSync(join(folder, 'file'), '')
  const none = openAnswers({ path: join(folder, 'file', 'answers.db'), now_us })
  none.put('p', 'k', answer, keep)
  expect(none.get('p', 'k')).toBeUndefined()
  expect(none.trouble()).toMatch(/cannot be used/)
  expect([none.list(5), none.stats().answers, none.purge({})]).toEqual([[], 0, 0])
})
