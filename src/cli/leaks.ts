import { defineCommand } from 'citty'
import { verb as extent } from '../verbs/extent.ts'
import { verb as leaks } from '../verbs/leaks.ts'
import { perform } from '../verbs/perform.ts'
import { every, folderArgs, nothingFound, windowArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { renderLeaks } from './leaks/render.ts'
import { countFlag } from './numbers.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'

export const command = {
  ...defineCommand({
    meta: {
      name: 'leaks',
      description:
        'Find avoidable spend: repeated system prompts and tools, growing context, retry loops, verbose output, reasoning and failed calls, each in dollars with example calls.',
    },
    args: {
      examples: { type: 'string', valueHint: 'N', description: 'Calls named for each leak (3)' },
      ...windowArgs,
      ...folderArgs,
    },
    run: ({ args, rawArgs }) => {
      const where = every(rawArgs, 'where')
      const examples = countFlag('--examples', args.examples, 3)
      const { since, until, zone } = args
      return withContext(args, 'weir leaks', async (context) => {
        const { window, ...answer } = await perform(leaks, { since, until, zone, where, examples }, context)
        if (args.json) printJson({ window, ...answer })
        else if (answer.input_tokens === 0 && Number(answer.total_usd) === 0) {
          print(nothingFound(await perform(extent, {}, context), window, where.length > 0))
        } else print(renderLeaks({ window, answer }, lookOf()))
      })
    },
  }),
  examples: [
    ['weir leaks', 'the last 30 days'],
    ['weir leaks --since week --where team=search', 'one team this week'],
    ['weir leaks --json | jq ".leaks[0]"', 'the answer for a script'],
  ],
} as const
