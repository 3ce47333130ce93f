import { defineCommand } from 'citty'
import { verb as checklist } from '../verbs/checklist.ts'
import { perform } from '../verbs/perform.ts'
import { folderArgs, windowArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { renderChecklist } from './checklist/render.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'

const { where: _, ...window } = windowArgs

export const command = {
  ...defineCommand({
    meta: {
      name: 'checklist',
      description:
        'Show your progress through the playbook: each of its eight steps done, partly done or next, with the numbers and the next command.',
    },
    args: { ...window, ...folderArgs },
    run: ({ args }) =>
      withContext(args, 'weir checklist', async (context) => {
        const { since, until, zone } = args
        const judged = await perform(checklist, { since, until, zone }, context)
        if (args.json) printJson(judged)
        else print(renderChecklist(judged, lookOf()))
      }),
  }),
  examples: [
    ['weir checklist', 'of the last 30 days'],
    ['weir checklist --json | jq -r .current', 'the step to work on'],
  ],
} as const
