import { z } from 'zod'
import type { RuleSet, VirtualTag } from '../core/allocation.ts'
import { flag } from './asking/fields.ts'
import { defineVerb } from './verb.ts'

export type TagSet = Omit<RuleSet, 'rules'> & Readonly<{ rules: readonly VirtualTag[] }>

const shown = ({ rules, ...set }: RuleSet): TagSet => ({ ...set, rules: JSON.parse(rules) as readonly VirtualTag[] })

export const verb = defineVerb({
  name: 'tags list',
  describes: 'The virtual tags in force, in their order, with their version; with history every version.',
  access: 'admin',
  http: { method: 'GET', path: '/v1/tags' },
  input: z.strictObject({ history: flag('Every version too') }),
  async run({ history }, context) {
    const sets = await (await context.store()).rules.list('tags')
    const last = sets.at(-1)
    const now = last === undefined ? { kind: 'tags', version: 0, rules: [] } : shown(last)
    return history ? { ...now, history: sets.map(shown) } : now
  },
})
