import { z } from 'zod'
import type { RuleSet } from '../core/allocation.ts'
import type { SplitRule } from '../playbook/allocate/split/reallocate.ts'
import { readSplits } from '../playbook/allocate/statement/splits.ts'
import { splits as splitsAnswer } from './answers/stored.ts'
import { flag } from './asking/fields.ts'
import { defineVerb } from './verb.ts'

type SplitSet = Omit<RuleSet, 'rules'> & Readonly<{ dimension: string; splits: readonly SplitRule[] }>
export type SplitSets = Omit<SplitSet, 'set_at_us'> & Readonly<{ set_at_us?: number; history?: readonly SplitSet[] }>

const shown = ({ rules, ...set }: RuleSet): SplitSet => {
  const { dimension, rules: splits } = readSplits(JSON.parse(rules))
  return { ...set, dimension, splits }
}

export const verb = defineVerb({
  name: 'splits list',
  describes: 'The splits of shared costs in force, with their version; with history every version.',
  access: 'admin',
  http: { method: 'GET', path: '/v1/splits' },
  input: z.strictObject({ history: flag('Every version too') }),
  output: splitsAnswer,
  async run({ history }, context): Promise<SplitSets> {
    const sets = await (await context.store()).rules.list('splits')
    const last = sets.at(-1)
    const now =
      last === undefined ? { kind: 'splits' as const, version: 0, dimension: 'team', splits: [] } : shown(last)
    return history ? { ...now, history: sets.map(shown) } : now
  },
})
