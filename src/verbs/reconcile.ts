import { z } from 'zod'
import { choice, text } from '../config/fields.ts'
import { reconciled } from './answers/bill.ts'
import { name, windowFields } from './asking/fields.ts'
import { answerOf } from './reconcile/answer.ts'
import type { BadRow } from './reconcile/collect.ts'
import { compareBill } from './reconcile/compare.ts'
import { defineVerb } from './verb.ts'

const texts = (what: string) => z.array(text(what)).max(1000).default([])

export const verb = defineVerb({
  name: 'reconcile',
  describes:
    'Compares the ledger with the provider’s bill, sent as the body or, without one, fetched from the provider’s API: tokens first, then dollars, every difference explained.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/reconcile/{source}', upload: 'file' },
  input: z.strictObject({
    source: name('a bill').describe('openai, anthropic, openrouter, aws-cur, gcp-billing or azure-focus'),
    file: z.preprocess((value) => (typeof value === 'string' ? [value] : value), texts('a file')),
    since: windowFields.since,
    until: windowFields.until,
    by: name('a dimension').optional().describe('Compare by owner too: what tells them apart here, e.g. team'),
    of: choice(['project', 'key']).default('project').describe('What tells owners apart on the bill'),
    owner: texts('NAME=ID').describe('An owner’s name here and id on the bill'),
    model: texts('NAME=MODEL').describe('A model’s name on the bill and here, where they are not found to be one'),
  }),
  output: reconciled,
  async run(asked, context) {
    const compared = await compareBill(asked, context)
    // Who sent a file knows which; where it lies here is nobody's business.
    const named = ({ file, ...row }: BadRow) =>
      file === undefined || asked.file.includes(file) ? row : { file, ...row }
    return answerOf({ ...compared, bad_rows: compared.bad_rows.map(named) })
  },
})
