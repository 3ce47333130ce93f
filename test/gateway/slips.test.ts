/** What a client says to Weir and Weir cannot read: the call goes on, and both sides are told. */
import { afterEach, beforeEach, expect, test } from 'vitest'
import { post } from './ask.ts'
import { type House, startHouse } from './harness.ts'

let house: House
beforeEach(async () => {
  house = await startHouse()
})
afterEach(() => house.close())

const told = async (headers: Record<string, string>) => {
  const response = await post(house, { headers })
  await response.arrayBuffer()
  const receipt = (await house.receipts()).at(-1)
  return { status: response.status, warning: response.headers.get('x-weir-warning'), kept: receipt?.warnings }
}

test.each([
  [{ 'x-weir-levers': '-cache/exat' }, 'x-weir-levers: word 1 is no lever or play: did you mean cache/exact?'],
  [{ 'x-weir-levers': '-compact, cache/exact' }, 'x-weir-levers: word 2 waives nothing without a minus: -cache/exact'],
  [{ 'x-weir-levers': '-zzzzzzzz' }, 'x-weir-levers: word 1 is no lever or play: weir levers lists them'],
  [{ 'x-weir-tema': 'search' }, "x-weir-tema is no header of Weir's: did you mean team?"],
  [{ 'x-weir-step': 'two' }, 'x-weir-step is no whole number'],
  [{ 'x-weir-deferrable': 'yes' }, 'x-weir-deferrable is neither true nor false'],
])('%o is answered, and the answer and the receipt say what Weir could not read', async (headers, words) => {
  expect(await told(headers)).toEqual({ status: 200, warning: words, kept: [words] })
})

test('what Weir reads is not warned of', async () => {
  const headers = {
    'x-weir-team': 'search',
    'x-weir-tag-region': 'emea',
    'x-weir-step': '2',
    'x-weir-deferrable': 'false',
    'x-weir-deadline': '60',
    'x-weir-levers': '-cache/exact, -compact,',
  }
  expect(await told(headers)).toEqual({ status: 200, warning: null, kept: undefined })
  expect(await told({ 'x-weir-levers': 'OFF' })).toMatchObject({ warning: null })
})

test('a refused call is warned of too, and a flood of slips is bounded', async () => {
  const response = await post(house, {
    body: '{',
    headers: { 'x-weir-levers': Array.from({ length: 60 }, () => '-secret-4711').join() },
  })
  expect(response.status).toBe(400)
  const warning = response.headers.get('x-weir-warning') ?? ''
  expect(warning.split('; ')).toHaveLength(5)
  expect(warning + house.journal().join(), 'what was sent is not repeated').not.toContain('4711')
})
