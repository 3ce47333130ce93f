import { z } from 'zod'
import { text } from '../config/fields.ts'
import { WeirError } from '../core/errors.ts'
import { importedOutcomes } from './answers/stored.ts'
import { windowFields } from './asking/fields.ts'
import { checkZone } from './asking/time.ts'
import { type ImportedOutcomes, importOutcomes } from './outcomes/bring-in.ts'
import { defineVerb } from './verb.ts'

const field = (what: string) => text(what).optional()

/** `FIELD=COLUMN`, several with commas. Throws WeirError `bad-input` naming the pair. */
const columnsOf = (texts: readonly string[], name: string): Record<string, string> =>
  Object.fromEntries(
    texts
      .flatMap((one) => one.split(','))
      .map((pair) => {
        const [left = '', right = ''] = pair.split('=').map((side) => side.trim())
        if (left !== '' && right !== '') return [left, right]
        throw new WeirError('bad-input', `${name} ${pair}: write FIELD=COLUMN, e.g. ${name} at=closed_at`)
      }),
  )

export const verb = defineVerb({
  name: 'outcomes import',
  describes:
    'Imports outcomes from a CSV file with a header line; importing it twice changes nothing. Bad rows are named, the rest kept.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/outcomes/import', upload: 'file' },
  input: z.strictObject({
    file: text('a CSV file'),
    columns: z
      .array(text('FIELD=COLUMN'))
      .max(20)
      .default([])
      .describe('Which column holds which field, e.g. at=closed_at; the column of the field’s name otherwise'),
    kind: field('what happened').describe('What happened, where the file does not say'),
    team: field('a team'),
    feature: field('a feature'),
    customer: field('a customer'),
    user: field('a user'),
    environment: field('an environment'),
    zone: windowFields.zone,
  }),
  output: importedOutcomes,
  async run({ file, columns, zone, ...standard }, context): Promise<ImportedOutcomes> {
    const { field: named } = context
    checkZone(zone, named('zone'))
    const options = { path: file, columns: columnsOf(columns, named('columns')), standard, zone, field: named }
    return importOutcomes(await context.store({ make: true }), { ...options, now_us: context.now_us() })
  },
})
