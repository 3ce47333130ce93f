import { z } from 'zod'
import { type PutRules, putRules, version } from './allocation/put-rules.ts'
import { putRules as putRulesAnswer } from './answers/stored.ts'
import { checkedRules } from './tags/checked.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'tags set',
  describes:
    'Puts a list of virtual tags in force, as a new version; it applies to past calls too. Receipts stay as they are.',
  access: 'admin',
  http: { method: 'PUT', path: '/v1/tags' },
  input: z.strictObject({ rules: z.array(z.unknown(), 'a list of rules: { when, set }'), version }),
  output: putRulesAnswer,
  async run({ rules, version: expected }, context): Promise<PutRules> {
    const checked = checkedRules(rules, context.field('rules'))
    return putRules(context, { kind: 'tags', rules: JSON.stringify(checked), expected })
  },
})
