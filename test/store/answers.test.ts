import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { openAnswers } from '../../src/stores/answers.ts'

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

test('a place that is no folder keeps no answer and throws nothing', () => {
  writeFileSync(join(folder, 'file'), '')
  const none = openAnswers({ path: join(folder, 'file', 'answers.db'), now_us })
  none.put('p', 'k', answer, keep)
  expect(none.get('p', 'k')).toBeUndefined()
  expect(none.trouble()).toMatch(/cannot be used/)
  expect([none.list(5), none.stats().answers, none.purge({})]).toEqual([[], 0, 0])
})
