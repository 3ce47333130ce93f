import { z } from 'zod'
import type { Extent } from '../core/ledger.ts'
import { type Checklist, checklistOf } from '../playbook/advise/checklist.ts'
import { levers } from '../playbook/levers.ts'
import { checklist as checklistAnswer } from './answers/spend.ts'
import { windowFields } from './asking/fields.ts'
import { type NamedWindow, windowIn } from './asking/window.ts'
import { definedBudgets } from './budgets/find.ts'
import { type Context, defineVerb } from './verb.ts'

type Judged = Readonly<{ window: NamedWindow }> & Checklist

/** What is set up beside the receipts; a team sees none of it but its own outcomes. */
const settled = async (context: Context) => {
  const store = await context.store()
  const outcomes = (await store.outcomes.kinds()).map(({ kind }) => kind)
  if (context.team !== undefined) return { outcomes, tag_rules: 0, closed_months: 0, budgets: 0 }
  const rules = await context.rules()
  const tag_rules = rules.tagging(rules.tags_version).tags.length
  return {
    outcomes,
    tag_rules,
    // A month can be closed for several kinds of owners.
    closed_months: new Set((await store.closes.list()).map(({ month }) => month)).size,
    budgets: await budgetsOf(context),
  }
}

/** How many budgets there are. A configuration that cannot be read must not keep the checklist from being shown. */
const budgetsOf = async (context: Context): Promise<number> => (await definedBudgets(context).catch(() => [])).length

/** The last month that is over and has calls, by UTC, as far as the first and the last call tell. */
const lastMonth = (now_us: number, { first_us, last_us }: Extent): string | null => {
  const now = new Date(now_us / 1000)
  const month_us = Date.UTC(now.getUTCFullYear(), now.getUTCMonth()) * 1000
  if (first_us === null || last_us === null || first_us >= month_us) return null
  return new Date(Math.min(last_us, month_us - 1) / 1000).toISOString().slice(0, 7)
}

export const verb = defineVerb({
  name: 'checklist',
  describes: 'The playbook’s eight steps, each done, partly done or next, with the evidence and the next command.',
  access: 'team',
  http: { method: 'GET', path: '/v1/checklist' },
  input: z.strictObject({ ...windowFields }),
  output: checklistAnswer,
  async run(asked, context): Promise<Judged> {
    const { field } = context
    const ledger = await context.ledger()
    const window = await windowIn(ledger, { ...asked, usual: '30d', now_us: context.now_us(), field })
    const practice = await ledger.query({ ask: 'practice', window: window.window })
    const leaks = await ledger.query({ ask: 'leaks', window: window.window, examples: 0 })
    const { cacheable_tokens, cached_tokens } = leaks
    const plays = Object.fromEntries(Object.entries(levers).map(([name, { play }]) => [name, play]))
    const last_month = lastMonth(context.now_us(), await ledger.query({ ask: 'extent' }))
    return {
      window,
      ...checklistOf({ practice, cacheable_tokens, cached_tokens, plays, last_month, ...(await settled(context)) }),
    }
  },
})
