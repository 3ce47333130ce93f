import { randomUUID } from 'node:crypto'
import { z } from 'zod'
import { text } from '../config/fields.ts'
import { WeirError } from '../core/errors.ts'
import type { OutcomeEvent } from '../core/outcome.ts'
import { readOutcome } from '../playbook/allocate/unit-cost/read-outcome.ts'
import { addedOutcome } from './answers/stored.ts'
import { windowFields } from './asking/fields.ts'
import { checkZone } from './asking/time.ts'
import { readMoment } from './outcomes/moment.ts'
import { defineVerb } from './verb.ts'

const field = (what: string) => text(what).optional()

export const verb = defineVerb({
  name: 'outcomes add',
  describes: 'Records an outcome. The same id twice is one outcome.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/outcomes' },
  input: z.strictObject({
    kind: text('what happened, e.g. resolved_ticket'),
    id: field('your own id of it').describe('Your own id of it, so that reporting it twice is harmless'),
    count: z.preprocess((value) => (typeof value === 'number' ? String(value) : value), field('a whole number')),
    at: field('a time').describe('When it was: now otherwise'),
    zone: windowFields.zone,
    team: field('a team'),
    feature: field('a feature'),
    customer: field('a customer'),
    user: field('a user'),
    environment: field('an environment'),
    session: field('a session').describe('The conversation or agent run that led to it'),
    value_usd: z
      .preprocess((value) => (typeof value === 'number' ? String(value) : value), field('US dollars'))
      .describe('What it was worth, decimal US dollars'),
  }),
  output: addedOutcome,
  async run({ zone, ...draft }, context): Promise<OutcomeEvent & Readonly<{ added: boolean }>> {
    const now_us = context.now_us()
    checkZone(zone, context.field('zone'))
    const at_us = (said: string) => readMoment(said, { zone, name: context.field('at'), now_us })
    const event = readOutcome(draft, { at_us, now_us, id: () => randomUUID() })
    const { added, conflicts } = await (await context.store({ make: true })).outcomes.add([
      draft.at === undefined ? { ...event, at_assumed: true } : event,
    ])
    if (conflicts.length === 0) return { ...event, added: added > 0 }
    throw new WeirError('bad-input', `the outcome ${event.id} is there with other content: give this one another id`, {
      field: 'id',
    })
  },
})
