import { z } from 'zod'
import { readSplits } from '../playbook/allocate/statement/splits.ts'
import { type PutRules, putRules, version } from './allocation/put-rules.ts'
import { putRules as putRulesAnswer } from './answers/stored.ts'
import { dimensionOf } from './asking/dimension.ts'
import { name } from './asking/fields.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'splits set',
  describes: 'Puts splits of shared costs in force, as a new version; they hold for months that are not closed.',
  access: 'admin',
  http: { method: 'PUT', path: '/v1/splits' },
  input: z.strictObject({
    dimension: name('a dimension such as team').default('team'),
    splits: z.array(z.unknown(), 'a list of splits: { from, to, by }'),
    version,
  }),
  output: putRulesAnswer,
  async run({ version: expected, ...given }, context): Promise<PutRules> {
    const { dimension, rules } = readSplits(given)
    dimensionOf(dimension, context.field('dimension'))
    // As it is stored it can be read again.
    return putRules(context, { kind: 'splits', rules: JSON.stringify({ dimension, splits: rules }), expected })
  },
})
