import { defineCommand } from 'citty'
import { WeirError } from '../core/errors.ts'
import { answerOf, csvColumns, isCompared, isOpen, type Reconciled } from '../verbs/reconcile/answer.ts'
import { compareBill } from '../verbs/reconcile/compare.ts'
import { every, folderArgs, windowArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { renderReconciled, type View, views } from './reconcile/render.ts'
import { count, plural } from './show/format.ts'
import { lookOf } from './show/look.ts'
import { checkForm, note, print, printCsv, printJson } from './show/output.ts'
import { progress } from './show/progress.ts'

/** A percentage, with or without its sign, as millionths. Throws WeirError `bad-input`. */
const millionthsOf = (text: string): bigint => {
  const number = /^(\d{1,3}(?:\.\d{1,4})?)\s*%?$/.exec(text.trim())?.[1]
  if (number === undefined) throw new WeirError('bad-input', `--max-residual ${text}: write a percentage, e.g. 0.5%`)
  return BigInt(Math.round(Number(number) * 10_000))
}

const oneOf = <T extends string>(flag: string, text: string, known: readonly T[]): T => {
  const found = known.find((one) => one === text)
  if (found === undefined) throw new WeirError('bad-input', `${flag} ${text}: use one of ${known.join(', ')}`)
  return found
}

const tellAgain = ({ again }: Reconciled): void => {
  if (again > 0)
    note(`${plural(again, 'part')} of the bill came in two pages and ${again === 1 ? 'was' : 'were'} counted once.`)
}

const tellBad = ({ bad, bad_rows }: Reconciled): void => {
  if (bad === 0) return
  note(`${plural(bad, 'row')} of the bill could not be read and ${bad === 1 ? 'was' : 'were'} left out:`)
  for (const { file, line, why } of bad_rows) note(`  ${file === undefined ? 'row' : `${file} line`} ${line}: ${why}`)
  if (bad > bad_rows.length) note(`  and ${count(bad - bad_rows.length)} more`)
}

const args = {
  source: {
    type: 'positional',
    required: true,
    description: 'openai, anthropic, openrouter, aws-cur, gcp-billing or azure-focus',
  },
  file: {
    type: 'string',
    valueHint: 'FILE',
    description: 'A downloaded report, instead of fetching it; may be repeated',
  },
  since: windowArgs.since,
  until: {
    ...windowArgs.until,
    description: 'End of the window, exclusive, in the same forms; the start of today by default',
  },
  by: {
    type: 'string',
    valueHint: 'NAME',
    description: 'Also compare by owner: the dimension that identifies owners in Weir, e.g. team, key_id, tag:project',
  },
  of: {
    type: 'string',
    valueHint: 'project|key',
    default: 'project',
    description: 'What identifies owners on the bill',
  },
  owner: {
    type: 'string',
    valueHint: 'NAME=ID',
    description: 'An owner’s name in Weir and its id on the bill; may be repeated; not needed where they are the same',
  },
  model: {
    type: 'string',
    valueHint: 'NAME=MODEL',
    description: 'A model’s name on the bill and in Weir, where they are not matched automatically',
  },
  view: { type: 'string', valueHint: views.join('|'), default: 'model', description: 'By what the table is summed up' },
  'max-residual': {
    type: 'string',
    valueHint: 'PERCENT',
    description:
      'Exit code 1 where more than this share of tokens or dollars is unexplained, or a row of the bill could not be read',
  },
  csv: { type: 'boolean', description: 'Print every line as CSV' },
  ...folderArgs,
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'reconcile',
      description:
        'Compare the ledger with the provider’s bill: tokens first, then dollars, every difference explained.',
    },
    args,
    run: async ({ args, rawArgs }) => {
      checkForm(args)
      const view: View = oneOf('--view', args.view, views)
      const limit = args['max-residual'] === undefined ? undefined : millionthsOf(args['max-residual'])
      const { source, since, until, by } = args
      const of = oneOf('--of', args.of, ['project', 'key'] as const)
      const lists = { file: every(rawArgs, 'file'), owner: every(rawArgs, 'owner'), model: every(rawArgs, 'model') }
      const pages = progress({ label: `asking ${source}`, amount: (done) => plural(done, 'page') })
      const shown = await withContext(args, 'weir reconcile', (context) =>
        compareBill({ source, since, until, by, of, ...lists }, { ...context, progress: pages.update }),
      ).finally(() => pages.end())
      if (shown.bad > 0 && shown.read === 0) {
        tellBad(shown)
        throw new WeirError('bad-input', `no row of the bill could be read as ${source}`)
      }
      if (args.csv) printCsv(shown.result.compared, csvColumns)
      else if (args.json) printJson(answerOf(shown))
      else print(renderReconciled(shown, view, lookOf()))
      tellAgain(shown)
      tellBad(shown)
      const { result, bad } = shown
      if (limit !== undefined && (isOpen(result, limit) || !isCompared(result) || bad > 0)) process.exitCode = 1
    },
  }),
  examples: [
    ['weir reconcile openai --since month', 'this month against OpenAI’s usage and costs (needs OPENAI_ADMIN_KEY)'],
    ['weir reconcile anthropic --by team --owner search=wrkspc_01 --view owner', 'by team and workspace'],
    ['weir reconcile aws-cur --file cur-2026-10.parquet --max-residual 0.5%', 'a month of Bedrock, for a pipeline'],
  ],
} as const
