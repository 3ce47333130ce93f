import { z } from 'zod'
import { choice, text } from '../config/fields.ts'
import type { StatementReport } from '../playbook/allocate/statement/statement.ts'
import { statements } from './answers/statement.ts'
import { name, windowFields } from './asking/fields.ts'
import { monthlyBudgets } from './budgets/monthly.ts'
import { checkBudgets, checkOwners, periodFor, readBudgets, readOwners } from './statement/gather.ts'
import { defineVerb } from './verb.ts'

const texts = (what: string) =>
  z
    .array(text(what).max(512, `${what} of at most 512 characters`))
    .max(500)
    .default([])

export const verb = defineVerb({
  name: 'statement',
  describes:
    'What each owner is charged for a week or month, and why: spend and change, shared costs, forecast, unit cost, cache, waste, coverage.',
  access: 'team',
  http: { method: 'GET', path: '/v1/statements' },
  input: z.strictObject({
    owner: texts('NAME=VALUE').describe('Only these owners, e.g. team=search; all otherwise'),
    by: name('who the owners are')
      .optional()
      .describe('team, feature, customer, user, environment, key_id, agent, tag:NAME'),
    every: choice(['week', 'month']).default('week'),
    at: name('a time such as 2026-10')
      .optional()
      .describe('The week or month that holds this time; the last that is over otherwise'),
    zone: windowFields.zone,
    budget: texts('OWNER=USD').describe(
      'What an owner may spend in a month, e.g. search=500; its budget in dollars a month otherwise',
    ),
  }),
  output: statements,
  async run({ owner, by, budget, ...asked }, context): Promise<StatementReport> {
    const owners = readOwners(owner, by, context.field)
    const said = readBudgets(budget, context.field('budget'))
    const period = await periodFor(await context.ledger(), asked, context)
    const meant = await monthlyBudgets(context, owners.by)
    const budgets = { ...meant.budgets, ...said }
    const report = await context.statements({ ...owners, ...meant, budgets, period, now_us: context.now_us() })
    checkOwners(report, owners.owners)
    checkBudgets(report, Object.keys(said), context.field('budget'))
    return report
  },
})
