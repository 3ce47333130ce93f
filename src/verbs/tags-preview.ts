import { z } from 'zod'
import { tagPreview } from './answers/stored.ts'
import { dimensionOf } from './asking/dimension.ts'
import { name, windowFields } from './asking/fields.ts'
import { windowIn } from './asking/window.ts'
import { checkedRules } from './tags/checked.ts'
import { askPreview, type Preview } from './tags/preview.ts'
import { defineVerb } from './verb.ts'

export const verb = defineVerb({
  name: 'tags preview',
  describes:
    'Previews which spend a list of virtual tags would move from which owner to which, without changing anything.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/tags/preview' },
  input: z.strictObject({
    rules: z.array(z.unknown(), 'a list of rules: { when, set }'),
    by: name('whose spend').default('team').describe('Whose spend is compared'),
    ...windowFields,
  }),
  output: tagPreview,
  async run({ rules, by: whose, ...asked }, context): Promise<Preview> {
    const { field } = context
    const then = checkedRules(rules, field('rules'))
    const by = dimensionOf(whose, field('by'))
    const ledger = await context.ledger()
    const inForce = await context.rules()
    const { tags } = inForce.tagging(inForce.tags_version)
    const window = await windowIn(ledger, { ...asked, usual: '30d', now_us: context.now_us(), field })
    return askPreview(ledger, { by, window, now: tags, then })
  },
})
