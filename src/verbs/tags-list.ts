import { z } from 'zod'
import type { RuleSet, VirtualTag } from '../core/allocation.ts'
import { tags } from './answers/stored.ts'
import { flag } from './asking/fields.ts'
import { defineVerb } from './verb.ts'

export type TagSet = Omit<RuleSet, 'rules'> & Readonly<{ rules: readonly VirtualTag[] }>

export type TagSets = Omit<TagSet, 'set_at_us'> & Readonly<{ set_at_us?: number; history?: readonly TagSet[] }>

const shown = ({ rules, ...set }: RuleSet): TagSet => ({ ...set, rules: JSON.parse(rules) as readonly VirtualTag[] })

export const verb = defineVerb({
  name: 'tags list',
  describes: 'The virtual tags in force, in their order, with their version; with history every version.',
  access: 'admin',
  http: { method: 'GET', path: '/v1/tags' },
  input: z.strictObject({ history: flag('Every version too') }),
  output: tags,
  async run({ history }, context): Promise<TagSets> {
    const sets = await (await context.store()).rules.list('tags')
    const last = sets.at(-1)
    const now = last === undefined ? { kind: 'tags' as const, version: 0, rules: [] } : shown(last)
    return history ? { ...now, history: sets.map(shown) } : now
  },
})
