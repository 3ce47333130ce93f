import { z } from 'zod'
import { text, whole } from '../../config/fields.ts'

/** Fields of many verbs, with what they expect as their error. */

export const name = (what: string) => text(what).max(256, `${what} of at most 256 characters`)

export const windowFields = {
  since: name('a time such as 7d, month or 2026-11-01')
    .optional()
    .describe(
      'From when: 24h, 7d, 2w, today, yesterday, week, month, year, all, 2026-11, 2026-11-01, 2026-11-01T09:30; the usual window of the answer otherwise',
    ),
  until: name('a time such as 2026-11-01').optional().describe('Until when, in the same words; now otherwise'),
  zone: name('a time zone such as Europe/Berlin').default('UTC').describe('IANA time zone of days and times'),
} as const

export const whereFields = {
  where: z
    .array(text('NAME=VALUE').max(4096, 'a filter of at most 4096 characters'), 'a list of NAME=VALUE')
    .max(50, 'at most 50 filters')
    .default([])
    .describe('Only calls like this: team=search, model=gpt-5.5,gpt-5.4, outcome!=ok, feature= (not tagged)'),
} as const

export const limit = (usual: number, most: number) => whole(1, most).default(usual).describe('Rows at most')

/** A flag; a query can only say it as text. */
export const flag = (describes: string) =>
  z
    .preprocess((value) => (value === 'true' ? true : value === 'false' ? false : value), z.boolean('true or false'))
    .default(false)
    .describe(describes)
