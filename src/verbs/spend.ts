import { z } from 'zod'
import { type KeyNames, namesOf } from '../core/key-names.ts'
import { report as reportAnswer } from './answers/spend.ts'
import { dimensionOf, readFilters } from './asking/dimension.ts'
import { flag, limit, name, whereFields, windowFields } from './asking/fields.ts'
import { windowIn } from './asking/window.ts'
import { askReport, type Report } from './spend/report.ts'
import { type Context, defineVerb } from './verb.ts'

/** By what spend is shown where nobody says. */
const usual = [['team'], ['model'], ['feature']] as const

/** Of the keys in the rows those that are known here; a ledger may hold others. */
const keyNames = async ({ sections }: Report, context: Context): Promise<KeyNames> => {
  const ids = new Set(sections.flatMap(({ rows }) => rows.map(({ group }) => group['key_id'])))
  return namesOf(await (await context.store()).keys.list(), ids)
}

export const verb = defineVerb({
  name: 'report',
  describes: 'Spend by team, model and feature, or by the dimensions asked for, with the previous window and a trend.',
  access: 'team',
  http: { method: 'GET', path: '/v1/spend' },
  input: z.strictObject({
    by: name('names such as team,feature')
      .optional()
      .describe('What to group by, several with commas, e.g. team,feature or day; otherwise three sections'),
    ...windowFields,
    ...whereFields,
    limit: limit(10_000, 100_000),
    together: flag('One section by team, model and feature at once, where by is not given'),
  }),
  output: reportAnswer,
  async run({ by, where, together, ...asked }, context): Promise<Report> {
    const { field } = context
    const filters = readFilters(where, field('where'))
    const groups = by?.split(',').map((one) => dimensionOf(one.trim(), field('by')))
    const sections = groups === undefined ? (together ? [usual.flat()] : usual) : [groups]
    const ledger = await context.ledger()
    const window = await windowIn(ledger, { ...asked, usual: '30d', now_us: context.now_us(), field })
    const report = await askReport(ledger, { window, sections, filters, limit: asked.limit })
    return sections.flat().includes('key_id') ? { ...report, key_names: await keyNames(report, context) } : report
  },
})
