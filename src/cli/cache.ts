import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { defineCommand } from 'citty'
import { WeirError } from '../core/errors.ts'
import type { AnswerStats, AnswerStore } from '../stores/answers.ts'
import { needData } from '../verbs/data.ts'
import { type FolderFlags, folderArgs, folderOf, now_us, withLedger } from './asking.ts'
import { renderAnswers, renderStats } from './cache/list.ts'
import { explain, renderWhy } from './cache/why.ts'
import { countFlag } from './numbers.ts'
import { plural } from './show/format.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'

/** How long a gateway's writes are waited for, ms. */
const BUSY_MS = 10_000

/**
 * Asks the stored answers; undefined where none were ever stored, and no file is made to find that out. Throws `overloaded` where the
 * file cannot be used, which for calls would count as empty.
 */
const withAnswers = async <T>(flags: FolderFlags, ask: (answers: AnswerStore) => T): Promise<T | undefined> => {
  const data = folderOf(flags)
  needData(data)
  const path = join(data, 'answers.db')
  if (!existsSync(path)) return undefined
  const { openAnswers } = await import('../stores/answers.ts')
  const answers = openAnswers({ path, now_us, busy_ms: BUSY_MS })
  try {
    const found = ask(answers)
    const trouble = answers.trouble()
    if (trouble !== undefined) throw new WeirError('overloaded', `${trouble}: ${path}. Try again, or see who holds it.`)
    return found
  } finally {
    answers.close()
  }
}

const empty: AnswerStats = { answers: 0, bytes: 0, expired: 0, partitions: 0 }

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'List stored answers, newest first; their text is never shown.' },
    args: { limit: { type: 'string', valueHint: 'N', description: 'How many', default: '25' }, ...folderArgs },
    async run({ args }) {
      const most = countFlag('--limit', args.limit, 25)
      const rows = (await withAnswers(args, (answers) => answers.list(most))) ?? []
      if (args.json) printJson(rows)
      else print(renderAnswers(rows, now_us(), lookOf()))
    },
  }),
  examples: [['weir cache list', 'what is kept, for whom, how long']],
} as const

const stats = {
  ...defineCommand({
    meta: { name: 'stats', description: 'Show how many answers are stored and how large they are.' },
    args: folderArgs,
    async run({ args }) {
      const found = (await withAnswers(args, (answers) => answers.stats())) ?? empty
      if (args.json) printJson(found)
      else print(renderStats(found, lookOf()))
    },
  }),
  examples: [['weir cache stats', 'how full it is']],
} as const

const purge = {
  ...defineCommand({
    meta: {
      name: 'purge',
      description: 'Delete stored answers, those with a tag or all. A running gateway follows at once.',
    },
    args: {
      tag: { type: 'string', valueHint: 'TAG', description: 'team:NAME, feature:NAME, model:NAME or one of your own' },
      all: { type: 'boolean', description: 'Every stored answer' },
      ...folderArgs,
    },
    async run({ args }) {
      if ((args.tag === undefined) === !args.all)
        throw new WeirError('bad-input', 'say what to forget: --tag NAME, or --all for everything')
      const what = args.tag === undefined ? {} : { tag: args.tag }
      const purged = (await withAnswers(args, (answers) => answers.purge(what))) ?? 0
      if (args.json) printJson({ purged })
      else print(`${plural(purged, 'answer')} forgotten.`)
    },
  }),
  examples: [
    ['weir cache purge --tag feature:search', 'after its source data changed'],
    ['weir cache purge --all', 'start afresh'],
  ],
} as const

const why = {
  ...defineCommand({
    meta: {
      name: 'why',
      description:
        'Explain why a call missed the provider’s prompt cache: what changed, at which block, and what to move.',
    },
    args: {
      call: { type: 'positional', required: true, description: 'A call or receipt id, or the beginning of one' },
      ...folderArgs,
    },
    run: ({ args }) =>
      withLedger(args, 'weir cache why', async (ledger) => {
        const found = await explain(ledger, args.call)
        if (args.json) printJson(found)
        else print(renderWhy(found, lookOf()))
      }),
  }),
  examples: [['weir cache why 0199f3', 'the miss of one call, explained from earlier calls']],
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'cache',
      description: 'Explain provider cache misses, and list, measure or purge stored answers.',
    },
    subCommands: { why, list, stats, purge },
  }),
  examples: [
    ['weir cache why 0199f3', 'explain a miss'],
    ['weir cache purge --tag model:gpt-6-sol', 'delete stored answers'],
  ],
} as const
