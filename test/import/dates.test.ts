/** A day that the calendar does not have is refused wherever a time is read; engines take 2026-02-30 for the second of March. */
import { expect, test } from 'vitest'
import { dayOf } from '../../src/bills/record.ts'
import { meterBody } from '../../src/cli/import/meter.ts'
import { instant } from '../../src/config/fields.ts'
import { parseMoment } from '../../src/importers/calls/fields.ts'
import { importer as focus } from '../../src/importers/focus.ts'
import { readMoment } from '../../src/verbs/outcomes/moment.ts'
import { fileOf, rows } from '../focus/broken.ts'
import { book } from '../focus/given.ts'

const isRefused = (read: () => unknown): boolean => {
  try {
    return read() === undefined
  } catch (error) {
    return /2026|date/.test((error as Error).message)
  }
}

const readers: Readonly<Record<string, (text: string) => unknown>> = {
  'of a call that is brought in': parseMoment,
  'of a provider’s bill': (day) => dayOf({ day }, 'day'),
  'in weir.yaml': (text) => instant.parse(text),
  'of an outcome': (name) => readMoment(name, { zone: 'UTC', name: 'at', now_us: Date.UTC(2027, 0, 1) * 1000 }),
}

test.each(Object.entries(readers))('a time %s is of a day that there is', (_, read) => {
  for (const day of ['2026-02-29', '2026-04-31', '2026-13-01', '2026-00-10'])
    for (const text of [day, `${day}T10:00:00Z`]) expect([text, isRefused(() => read(text))]).toEqual([text, true])
  for (const day of ['2028-02-29', '2026-12-31'])
    for (const text of [day, `${day}T10:00:00Z`, `${day}T23:30:00-05:00`])
      expect([text, isRefused(() => read(text))]).toEqual([text, false])
})

test.each(Object.entries(readers))(
  'a time %s that begins with a month or a day is refused: nobody can tell which it is',
  (_, read) => {
    for (const text of ['01/11/2026', '11/01/2026 10:00', '1.11.2026', 'Nov 1, 2026'])
      expect([text, isRefused(() => read(text))]).toEqual([text, true])
  },
)

test('a charge of a FOCUS file is of a day that there is, and that can be told', async () => {
  const options = { payer: {}, columns: {}, epoch_us: 0, now_us: 0, book, meter: meterBody }
  for (const ChargePeriodStart of ['2026-02-30T00:00:00Z', '01/11/2026']) {
    const path = fileOf([{ ...rows.plain, ChargePeriodStart }])
    const read = []
    for await (const row of focus.read(path, options, () => {})) read.push('bad' in row ? row.bad : row.receipt)
    expect(read).toEqual([expect.stringContaining(ChargePeriodStart)])
  }
})
