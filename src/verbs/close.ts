import { z } from 'zod'
import { close as closeAnswer } from './answers/statement.ts'
import { name, windowFields } from './asking/fields.ts'
import { checkZone } from './asking/time.ts'
import { monthlyBudgets } from './budgets/monthly.ts'
import { closeMonth, type ShownClose, shownClose, spentBefore } from './close/month.ts'
import { chargeableBy } from './statement/gather.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'close',
  describes: 'Closes a month: its statements are frozen, and later changes become corrections in a later month.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/closes' },
  input: z.strictObject({
    month: name('a month such as 2026-10'),
    by: name('who the owners are').default('team'),
    zone: windowFields.zone,
  }),
  output: closeAnswer,
  async run({ month, by, zone }, context): Promise<ShownClose & Readonly<{ before_usd?: string | undefined }>> {
    checkZone(zone, context.field('zone'))
    const whose = chargeableBy(by, context.field('by'))
    const [ledger, store] = [await context.ledger(), await context.store({ make: true })]
    const closing = { month, by: whose, zone, now_us: context.now_us(), ...(await monthlyBudgets(context, whose)) }
    const closed = await closeMonth(ledger, store, closing)
    return { ...shownClose(closed), ...(await spentBefore(ledger, store, closed)) }
  },
})
