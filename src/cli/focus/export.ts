import { defineCommand, type ParsedArgs } from 'citty'
import type { Exported } from '../../core/exporter.ts'
import { verb as exportFocus, usual } from '../../verbs/focus-export.ts'
import { perform } from '../../verbs/perform.ts'
import { every, folderArgs, windowArgs } from '../asking.ts'
import { withContext } from '../calling.ts'
import { exactMoney, plural } from '../show/format.ts'
import { json, note, print } from '../show/output.ts'
import { progress } from '../show/progress.ts'
import { readDocument } from '../tags/file.ts'

const args = {
  file: {
    type: 'positional',
    required: true,
    description: 'Output file, ending in .csv, .csv.gz or .parquet; - for standard output',
  },
  version: { type: 'string', valueHint: 'VERSION', default: '1.4', description: '1.2, 1.3 or 1.4' },
  grain: { type: 'string', valueHint: 'hour|day', default: 'day', description: 'Charge periods' },
  'float-exact': {
    type: 'boolean',
    description:
      'Write money as floats for which price × quantity equals the cost exactly, for validators that use floats; the exact cost is written beside',
  },
  by: {
    type: 'string',
    valueHint: 'NAMES',
    default: usual,
    description: 'Payer dimensions that get rows of their own; user and session are possible too',
  },
  split: {
    type: 'string',
    valueHint: 'FILE',
    description: 'Split shared costs by the rules in this file instead of those in force (weir splits)',
  },
  unsplit: { type: 'boolean', description: 'Do not split shared costs; a FOCUS 1.2 file never splits them' },
  account: { type: 'string', valueHint: 'ID', description: 'BillingAccountId; the provider’s name by default' },
  'account-name': { type: 'string', valueHint: 'NAME', description: 'BillingAccountName, with --account' },
  unpriced: { type: 'boolean', description: 'Also rows, at no cost and marked x_Unpriced, for what has no price' },
  imported: { type: 'boolean', description: 'Also what was brought in from FOCUS files' },
  'draft-keys': {
    type: 'boolean',
    description: 'Token and model keys of SkuPriceDetails as in the 1.5 draft, without x_',
  },
  ...windowArgs,
  ...folderArgs,
} as const

type Flags = ParsedArgs<typeof args>

const say = (
  exported: Exported,
  { file: path, version, unpriced }: Pick<Flags, 'file' | 'version' | 'unpriced'>,
): void => {
  const tell = path === '-' ? note : print
  tell(`${plural(exported.rows, 'row')} of FOCUS ${version}, ${exactMoney(exported.cost_usd)} in all`)
  for (const file of exported.files) tell(`  ${file}`)
  if (exported.unpriced === 0) return
  note(
    `${plural(exported.unpriced, 'call')} without a price ${exported.unpriced === 1 ? 'is' : 'are'} no part of that sum`,
  )
  const others = unpriced ? '; until then their rows are at no cost' : ', or export them at no cost with --unpriced'
  note(`  weir report names their models; add their prices${others}`)
}

/** What the flags say to the verb, whose fields they are. */
const askedOf = (flags: Flags, where: readonly string[]) => ({
  ...{ file: flags.file, version: flags.version, grain: flags.grain, by: flags.by, account: flags.account },
  ...{ since: flags.since, until: flags.until, zone: flags.zone, where, account_name: flags['account-name'] },
  float_exact: flags['float-exact'] === true,
  splits: flags.split === undefined ? undefined : readDocument(flags.split),
  unsplit: flags.unsplit === true,
  unpriced: flags.unpriced === true,
  imported: flags.imported === true,
  draft_keys: flags['draft-keys'] === true,
})

export const exportFile = {
  ...defineCommand({
    meta: {
      name: 'export',
      description: 'Export the ledger as a FOCUS file: one row per meter, price and payer, hourly or daily.',
    },
    args,
    run: ({ args, rawArgs }) => {
      const asked = askedOf(args, every(rawArgs, 'where'))
      const bar = progress({ label: 'exporting', total: 100, amount: (share) => `${Math.round(share)} %` })
      return withContext(args, 'weir focus export', async (context) => {
        const told = (share: number, rows = '') => bar.update(share * 100, plural(Number(rows), 'row'))
        try {
          const exported = await perform(exportFocus, asked, { ...context, progress: told })
          bar.end()
          if (!args.json) say(exported, args)
          else if (args.file === '-') note(json({ version: args.version, ...exported }))
          else print(json({ version: args.version, ...exported }))
        } finally {
          bar.end()
        }
      })
    },
  }),
  examples: [
    ['weir focus export october.csv --since 2026-10 --until 2026-11', 'a month, daily'],
    ['weir focus export week.parquet --since 7d --grain hour', 'hourly, with real types'],
    ['weir focus export upload.csv --float-exact', 'for tools that compare price × quantity as floats'],
    ['weir focus export - --version 1.2 | gzip > out.csv.gz', 'into a pipe'],
  ],
} as const
