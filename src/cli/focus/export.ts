import { defineCommand } from 'citty'
import { loadBook } from '../../catalogs/load.ts'
import { loadSettings } from '../../config.ts'
import { WeirError } from '../../core/errors.ts'
import type { Exported, Exporter } from '../../core/exporter.ts'
import type { ChargeDimension, Filter } from '../../core/ledger.ts'
import { exporters } from '../../exporters/index.ts'
import { compileBook } from '../../playbook/price/book.ts'
import { providers } from '../../providers/index.ts'
import { type FolderFlags, filtersOf, folderArgs, now_us, windowArgs, windowOf, withLedger } from '../asking.ts'
import { exactMoney, plural } from '../show/format.ts'
import { json, note, print } from '../show/output.ts'
import { progress } from '../show/progress.ts'
import { none, sharedCostsOf } from './splits.ts'

const exporter: Exporter = exporters.focus

const dimensions: readonly ChargeDimension[] = [
  'team',
  'feature',
  'customer',
  'user',
  'environment',
  'key_id',
  'agent',
  'session',
  'tags',
]

/** Users and sessions make a row each, and users are people: they come only where they are asked for. */
const usual = 'team,feature,customer,environment,key_id,agent,tags'

const dimensionsOf = (text: string): readonly ChargeDimension[] =>
  text
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
    .map((name) => {
      const found = dimensions.find((dimension) => dimension === name || dimension.replace('_', '-') === name)
      if (found) return found
      throw new WeirError('bad-input', `--by ${name}: use some of ${dimensions.join(', ')}`)
    })

const grainOf = (text: string): 'hour' | 'day' => {
  if (text === 'hour' || text === 'day') return text
  throw new WeirError('bad-input', `--grain ${text}: use hour or day`)
}

/** What came from a FOCUS file is in the tool that the file was for; it goes out again only when asked. */
const notImported: Filter = { dimension: 'origin', values: ['focus'], negate: true }

const say = (path: string, exported: Exported, version: string): void => {
  const tell = path === '-' ? note : print
  tell(`${plural(exported.rows, 'row')} of FOCUS ${version}, ${exactMoney(exported.cost_usd)} in all`)
  for (const file of exported.files) tell(`  ${file}`)
  if (exported.unpriced === 0) return
  note(
    `${plural(exported.unpriced, 'call')} without a price ${exported.unpriced === 1 ? 'is' : 'are'} no part of that sum`,
  )
  note(
    '  weir report --where outcome=ok shows which models; add their prices, or export them at no cost with --unpriced',
  )
}

const args = {
  file: {
    type: 'positional',
    required: true,
    description: 'Where to: a name that ends in .csv, .csv.gz or .parquet, or - for standard output',
  },
  version: { type: 'string', valueHint: 'VERSION', default: '1.4', description: '1.2, 1.3 or 1.4' },
  grain: { type: 'string', valueHint: 'hour|day', default: 'day', description: 'Charge periods' },
  'float-exact': {
    type: 'boolean',
    description:
      'Money as floats for which price × quantity is the cost to the last bit, for validators that compute so; the exact cost stands beside',
  },
  by: {
    type: 'string',
    valueHint: 'NAMES',
    default: usual,
    description: 'What of the payer is kept apart; also user and session',
  },
  split: {
    type: 'string',
    valueHint: 'FILE',
    description: 'Split shared costs by the rules of a file, instead of those in force (weir splits)',
  },
  unsplit: { type: 'boolean', description: 'Leave shared costs whole; FOCUS 1.2 cannot have them otherwise' },
  account: { type: 'string', valueHint: 'ID', description: 'BillingAccountId; the provider’s name otherwise' },
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

type Flags = FolderFlags &
  Readonly<{
    version: string
    'float-exact'?: boolean | undefined
    'draft-keys'?: boolean | undefined
    account?: string | undefined
    'account-name'?: string | undefined
  }>

const settingsOf = (flags: Flags): Record<string, string> => ({
  version: flags.version,
  money: flags['float-exact'] ? 'float-exact' : 'decimal',
  ...(flags.account === undefined ? {} : { account: flags.account }),
  ...(flags['account-name'] === undefined ? {} : { account_name: flags['account-name'] }),
  ...(flags['draft-keys'] ? { draft_keys: 'true' } : {}),
})

export const exportFile = {
  ...defineCommand({
    meta: {
      name: 'export',
      description: 'Writes the ledger as a FOCUS file: one row for each meter, price and payer, hourly or daily.',
    },
    args,
    run: ({ args, rawArgs }) => {
      const filters = [...filtersOf(rawArgs), ...(args.imported ? [] : [notImported])]
      const [by, grain] = [dimensionsOf(args.by), grainOf(args.grain)]
      const settings = loadSettings({ flags: args, env: process.env, cwd: process.cwd(), providers })
      const adapters = Object.fromEntries(settings.providers.map(({ name, adapter }) => [name, adapter]))
      return withLedger(args, 'weir focus export', async (ledger, data) => {
        const { window } = await windowOf(args, 'month', ledger)
        const book = compileBook(await loadBook(settings.prices))
        const bar = progress({ label: 'exporting', total: 100, amount: (share) => `${Math.round(share)} %` })
        const whole = args.unsplit === true || (args.split === undefined && args.version === '1.2')
        const shared = whole ? none : await sharedCostsOf(args, { ledger, data, window, file: args.split })
        const options = {
          ledger,
          window,
          grain,
          by: [...new Set([...by, ...shared.needs])],
          filters,
          book,
          adapters,
          splits: shared.splits,
          unpriced: args.unpriced === true,
        }
        try {
          const exported = await exporter.write(
            args.file,
            { ...options, now_us: now_us(), settings: settingsOf(args) },
            (share, rows) => bar.update(share * 100, plural(rows, 'row')),
          )
          bar.end()
          if (!args.json) say(args.file, exported, args.version)
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
