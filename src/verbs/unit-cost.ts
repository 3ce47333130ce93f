import { z } from 'zod'
import type { UnitCostReport } from '../playbook/allocate/unit-cost/ask.ts'
import { unitCost } from './answers/spend.ts'
import { readFilters } from './asking/dimension.ts'
import { name, whereFields, windowFields } from './asking/fields.ts'
import { windowIn } from './asking/window.ts'
import { checkKind, chosen, dimensionFor } from './unit-cost/ask-per.ts'
import { defineVerb } from './verb.ts'

type UnitCost = UnitCostReport & Readonly<{ window_name: string }>

const SLICES = 12

export const verb = defineVerb({
  name: 'report --per',
  describes: 'What an outcome costs each owner, shared costs included, with token yield and trend.',
  access: 'team',
  http: { method: 'GET', path: '/v1/unit-cost' },
  input: z.strictObject({
    per: name('the kind of an outcome').describe('What spend is divided by, e.g. resolved_ticket'),
    by: name('who the owners are').optional().describe('team (the usual), feature, customer, user or environment'),
    ...windowFields,
    ...whereFields,
  }),
  output: unitCost,
  async run({ per, by: whose, where, ...asked }, context): Promise<UnitCost> {
    const { field } = context
    const by = dimensionFor(whose, field)
    const choose = chosen(by, readFilters(where, field('where')), field)
    const ledger = await context.ledger()
    const window = await windowIn(ledger, { ...asked, usual: '30d', now_us: context.now_us(), field })
    await checkKind(context, per)
    const { zone } = window
    const report = await context.unitCosts({ kind: per, by, window: window.window, zone, slices: SLICES })
    return { ...report, rows: report.rows.filter(choose), window_name: window.name }
  },
})
