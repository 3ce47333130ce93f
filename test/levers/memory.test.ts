/** What levers and meters remember is bounded, and what is used stays. */
import { expect, test } from 'vitest'
import { openRecent } from '../../src/core/recent.ts'
import { openMemory } from '../../src/gateway/levers/kit.ts'

const names = Array.from({ length: 1000 }, (_, at) => `name ${at}`)

test('so many values are kept at most, the last among them, and what is asked for again', () => {
  const recent = openRecent<number>(100)
  const memory = openMemory(100)
  for (const [at, name] of names.entries()) {
    recent.set(name, at)
    memory.set(`partition ${at % 3}`, name, at)
    recent.get('name 0')
    memory.get('partition 0', 'name 0')
  }
  // The newest first: what is asked for is used, and so may take the place of something else.
  const newest = names.map((name, at) => [name, at] as const).toReversed()
  const kept = newest.filter(([name]) => recent.get(name) !== undefined)
  const held = newest.filter(([name, at]) => memory.get(`partition ${at % 3}`, name) !== undefined)
  for (const some of [kept, held]) {
    expect(some.length).toBeGreaterThan(49)
    expect(some.length).toBeLessThanOrEqual(100)
    expect(some.slice(0, 40)).toEqual(newest.slice(0, 40))
  }
  expect([recent.get('name 0'), memory.get('partition 0', 'name 0')]).toEqual([0, 0])
})

test('where values weigh, so much weight is kept at most and one value more', () => {
  const recent = openRecent<string>(1000, (text) => text.length)
  for (const name of names) recent.set(name, name.repeat(5))
  const kept = names.flatMap((name) => recent.get(name) ?? [])
  const weight = kept.join('').length
  expect(weight).toBeGreaterThan(450)
  expect(weight).toBeLessThan(1050)
})

test('what is taken out is gone, and its place is free', () => {
  const recent = openRecent<number>(4)
  const memory = openMemory(4)
  for (const name of names) {
    recent.set(name, 1)
    recent.set(name, undefined)
    memory.set('one', name, 1)
    memory.set('one', name, undefined)
  }
  recent.set('stays', 1)
  memory.set('one', 'stays', 1)
  expect([recent.get('name 0'), memory.get('one', 'name 0')]).toEqual([undefined, undefined])
  expect([recent.get('stays'), memory.get('one', 'stays')]).toEqual([1, 1])
})
