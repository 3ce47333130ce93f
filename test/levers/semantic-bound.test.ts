/** The error bound of cache/semantic, on real questions: a question's intent stands for its right answer. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { chance } from '../../src/core/chance.ts'
import { upperRate } from '../../src/playbook/cache/semantic/bound.ts'
import { guardsOf } from '../../src/playbook/cache/semantic/guards.ts'
import { LEXICAL_DIMENSIONS, lexicalVector } from '../../src/playbook/cache/semantic/lexical.ts'
import { nearest } from '../../src/playbook/cache/semantic/nearest.ts'
import { openPartition } from '../../src/playbook/cache/semantic/partition.ts'
import { type Asked, isThere, questions } from './banking.ts'

const MOST_WRONG = 0.02
const EXPLORE = 0.05
const SETTINGS = { most_wrong: MOST_WRONG, confidence: 0.95, most_entries: 20_000, ttl_us: 1e15 }

type Served = { hits: number; wrong: number; worst: number }

/**
 * Asks the stream. `worst` is the largest number of wrong answers beyond the bound at any point after the first 500 lookups: one is within
 * two per cent of anything up to fifty.
 */
const serve = (stream: readonly Asked[], seed: number): Served => {
  const random = chance(seed)
  const partition = openPartition(SETTINGS)
  const served: Served = { hits: 0, wrong: 0, worst: 0 }
  for (const [at, { text, intent }] of stream.entries()) {
    const question = { vector: lexicalVector(text), guards: guardsOf(text) }
    const candidate = partition.candidate(question, at)
    if (candidate?.allowed && random() >= EXPLORE) {
      partition.served()
      served.hits += 1
      if (candidate.group !== intent) served.wrong += 1
      if (at >= 500) served.worst = Math.max(served.worst, served.wrong - Math.max(1, MOST_WRONG * served.hits))
      continue
    }
    const verified = candidate && {
      features: candidate.features,
      group: candidate.group,
      right: candidate.group === intent,
    }
    partition.note({ question, at_us: at, group: intent, ...(verified ? { verified } : {}) })
  }
  return served
}

/** The most hits that a fixed threshold serves at up to this share of wrong ones, were every earlier question stored. */
const bestThreshold = (stream: readonly Asked[], most_wrong: number): number => {
  const index = nearest(LEXICAL_DIMENSIONS, stream.length)
  const found = stream.map(({ text, intent }) => {
    const vector = lexicalVector(text)
    const [first] = index.find(vector, 1)
    index.add(vector)
    return { similarity: first?.similarity ?? 0, right: first !== undefined && stream[first.entry]?.intent === intent }
  })
  let [wrong, best] = [0, 0]
  for (const [at, { right }] of found.sort((a, b) => b.similarity - a.similarity).entries()) {
    if (!right) wrong += 1
    if (wrong <= most_wrong * (at + 1)) best = at + 1
  }
  return best
}

const known = new Map<number | 'file', Served>()
const served = (order: number | 'file'): Served => {
  const result = known.get(order) ?? serve(questions(order), 7)
  known.set(order, result)
  return result
}

describe.skipIf(!isThere)('on the questions of Banking77 (skipped where ../shared/data is absent)', () => {
  test.each([1, 'file'] as const)(
    'no more than 2 % of what is served is wrong at any point after 500 lookups, in the order %s',
    (order) => {
      const { hits, wrong, worst } = served(order)
      expect(worst).toBeLessThanOrEqual(0)
      expect(wrong).toBeLessThanOrEqual(MOST_WRONG * hits)
      expect(hits).toBeGreaterThan(order === 'file' ? 300 : 800)
    },
    300_000,
  )

  test('it serves more than any fixed threshold does at the share of wrong answers that it reaches', () => {
    const { hits, wrong } = served(1)
    expect(hits).toBeGreaterThan(3 * bestThreshold(questions(1), wrong / hits))
  }, 300_000)
})

describe('guards', () => {
  test('prompts that differ in one digit never have equal guards', () => {
    const words = fc.array(fc.stringMatching(/^[a-z]{1,8}$/), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(words, fc.nat(999_999), fc.nat(9), words, (before, number, digit, after) => {
        const digits = [...String(number)]
        const place = digit % digits.length
        const other = digits.with(place, String((Number(digits[place]) + 1 + (digit % 9)) % 10))
        fc.pre(other.join('') !== digits.join(''))
        const asked = (inner: readonly string[]) => [...before, inner.join(''), ...after].join(' ')
        expect(guardsOf(asked(digits))).not.toBe(guardsOf(asked(other)))
      }),
    )
  })

  test.each([
    ['Is my card blocked?', "Isn't my card blocked?"],
    ['Transfer 100 EUR', 'Transfer 100 USD'],
    ['Flights on 3 March', 'Flights on 3 May'],
    ['Can I do it on Monday?', 'Can I do it on Friday?'],
    ['Send money from John to Mary', 'Send money from Mary to John'],
    ['What does fetchUser do?', 'What does fetchUsers do?'],
    ['Convert 5 km to miles', 'Convert 5 kg to miles'],
    ['How do I enable alerts?', 'How do I disable alerts?'],
    ['What happened before the war?', 'What happened after the war?'],
    ['I have two cards', 'I have three cards'],
    ['mail ann@example.com', 'mail bob@example.com'],
    ['What is the sales tax in the US?', 'What is the sales tax in the UK?'],
    ['Which foods have vitamin C?', 'Which foods have vitamin D?'],
    ['how do arrays work in c++', 'how do arrays work in c#'],
    ['Translate “cat” into French', 'Translate “dog” into French'],
    ["Translate 'cat' into French", "Translate 'dog' into French"],
    ['is it safe at -5 C', 'is it safe at 5 C'],
    ['When is a <= b?', 'When is a >= b?'],
    ['trains from berlin to paris', 'trains from paris to berlin'],
    ['Is it legal?', 'Is it illegal?'],
    ['Ist das erlaubt?', 'Ist das nicht erlaubt?'],
    ['Je peux annuler ?', 'Je ne peux pas annuler ?'],
    ['Можно ли отменить заказ?', 'Нельзя ли отменить заказ?'],
    ['我可以取消订单吗', '我不可以取消订单吗'],
  ])('%j and %j have different guards', (one, other) => {
    expect(guardsOf(one)).not.toBe(guardsOf(other))
  })

  test.each([
    ['How can I top up my card?', 'how do I top up the card'],
    ['why was my payment declined', 'My payment was declined, why?'],
    ["What's my customers' address?", "what's my customers' address"],
  ])('%j and %j have equal guards', (one, other) => {
    expect(guardsOf(one)).toBe(guardsOf(other))
  })
})

describe('the bound of a rate', () => {
  test.each([
    [0, 149, 0.95, 0.0199],
    [0, 148, 0.95, 0.02004],
    [1, 236, 0.95, 0.01994],
    [5, 100, 0.95, 0.1023],
  ])(
    'with %i wrong of %i it is at %d confidence %d, as Clopper and Pearson have it',
    (wrong, count, confidence, rate) => {
      expect(upperRate(wrong, count, confidence)).toBeCloseTo(rate, 3)
    },
  )

  test('without evidence anything is possible', () => {
    expect(upperRate(0, 0, 0.95)).toBe(1)
    expect(upperRate(3, 3, 0.95)).toBe(1)
  })
})

describe('the nearest of many', () => {
  const random = chance(3)
  const unit = (): Float32Array => {
    const vector = Float32Array.from({ length: 64 }, () => random() - 0.5)
    const length = Math.hypot(...vector)
    return vector.map((value) => value / length)
  }

  test('finds a vector again among thousands, and not once another has taken its place', () => {
    const index = nearest(64, 5_000)
    const all = Array.from({ length: 5_000 }, unit)
    for (const vector of all) index.add(vector)
    for (const entry of [0, 17, 4_999]) expect(index.find(all[entry] ?? unit(), 1)[0]?.entry).toBe(entry)
    const later = unit()
    expect(index.add(later)).toBe(0)
    expect(index.find(later, 1)[0]?.entry).toBe(0)
    expect(index.find(all[0] ?? unit(), 1)[0]?.similarity).toBeLessThan(0.9)
    expect(index.size).toBe(5_000)
  })

  test('among thousands is the one that comparing all of them finds, where a question differs in two words of nine', () => {
    const index = nearest(LEXICAL_DIMENSIONS, 10_000)
    const words = Array.from({ length: 400 }, () => Math.floor(random() * 36 ** 6).toString(36))
    const word = (): string => words[Math.floor(words.length * random() ** 2)] ?? ''
    const texts = Array.from({ length: 10_000 }, () => Array.from({ length: 9 }, word))
    const all = texts.map((text) => lexicalVector(text.join(' ')))
    for (const vector of all) index.add(vector)
    const cosine = (one: Float32Array, two: Float32Array): number => {
      let sum = 0
      for (let at = 0; at < one.length; at++) sum += (one[at] ?? 0) * (two[at] ?? 0)
      return sum
    }
    let found = 0
    for (let lookup = 0; lookup < 100; lookup++) {
      const asked = (texts[97 * lookup] ?? []).with(2, word()).with(6, word())
      const sought = lexicalVector(asked.join(' '))
      let best = 0
      for (const vector of all) best = Math.max(best, cosine(sought, vector))
      const [first] = index.find(sought, 20)
      // Eight bits a dimension: two that are as near to within a hundredth are as good.
      if (cosine(sought, all[first?.entry ?? 0] ?? sought) >= best - 0.01) found += 1
    }
    expect(found).toBeGreaterThanOrEqual(99)
  }, 60_000)

  test('is bounded: the oldest entries give way', () => {
    const index = nearest(64, 100)
    const first = unit()
    index.add(first)
    for (let more = 0; more < 100; more++) index.add(unit())
    expect(index.size).toBe(100)
    expect(index.find(first, 1)[0]?.similarity).toBeLessThan(0.9)
  })
})

test('a group is forgotten with the last of its questions, so that memory is bounded however much is new', () => {
  const partition = openPartition({ ...SETTINGS, most_entries: 3 })
  const note = (text: string, group: string, at_us: number) =>
    partition.note({ question: { vector: lexicalVector(text), guards: '' }, at_us, group })
  expect(['one', 'two', 'one'].map((group, at) => note(`question ${at} of ${group}`, group, at))).toEqual([
    undefined,
    undefined,
    undefined,
  ])
  expect(note('a fourth', 'four', 3), 'another question of the group is still there').toBe(undefined)
  expect(note('a fifth', 'five', 4)).toBe('two')
  expect(note('a sixth', 'six', 5)).toBe('one')
  expect(partition.questions).toBe(3)
})
