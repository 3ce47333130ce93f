import { z } from 'zod'
import { loadBook } from '../catalogs/load.ts'
import { choice, text } from '../config/fields.ts'
import { WeirError } from '../core/errors.ts'
import type { Exported, Exporter } from '../core/exporter.ts'
import type { ChargeDimension } from '../core/ledger.ts'
import { exporters } from '../exporters/index.ts'
import { payerFields } from '../playbook/allocate/focus/shared-costs.ts'
import { compileBook } from '../playbook/price/book.ts'
import { exported } from './answers/bill.ts'
import { notImported, readFilters } from './asking/dimension.ts'
import { flag, name, whereFields, windowFields } from './asking/fields.ts'
import { windowIn } from './asking/window.ts'
import { none, sharedCostsOf } from './focus/shared-costs.ts'
import { type Context, defineVerb } from './verb.ts'

const exporter: Exporter = exporters.focus

const dimensions: readonly ChargeDimension[] = [...payerFields, 'tags']

/** Users and sessions make a row each, and users are people: they come only where they are asked for. */
export const usual = 'team,feature,customer,environment,key_id,agent,tags'

const dimensionsOf = (given: string, field: string): readonly ChargeDimension[] =>
  given
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map((one) => {
      const found = dimensions.find((dimension) => dimension === one || dimension.replace('_', '-') === one)
      if (found) return found
      throw new WeirError('bad-input', `${field} ${one}: use some of ${dimensions.join(', ')}`)
    })

const input = z.strictObject({
  file: text('a path').describe('Where to'),
  format: choice(['csv', 'csv.gz', 'parquet']).default('csv').describe('Of the file that is answered'),
  version: name('1.2, 1.3 or 1.4').default('1.4').describe('1.2, 1.3 or 1.4'),
  grain: choice(['hour', 'day']).default('day').describe('Charge periods'),
  by: name('names').default(usual).describe('What of the payer is kept apart; also user and session'),
  float_exact: flag('Money as floats for which price × quantity is the cost to the last bit; the exact cost beside'),
  splits: z.unknown().optional(),
  unsplit: flag('Leave shared costs whole, as they always are in FOCUS 1.2'),
  account: name('an id').optional().describe('BillingAccountId; the provider’s name otherwise'),
  account_name: name('a name').optional().describe('BillingAccountName, with account'),
  unpriced: flag('Also rows, at no cost and marked x_Unpriced, for what has no price'),
  imported: flag('Also what was brought in from FOCUS files'),
  draft_keys: flag('Token and model keys of SkuPriceDetails as in the 1.5 draft, without x_'),
  ...windowFields,
  ...whereFields,
})

type Input = z.output<typeof input>

const settingsOf = ({ version, float_exact, account, account_name, draft_keys }: Input): Record<string, string> => ({
  version,
  money: float_exact ? 'float-exact' : 'decimal',
  ...(account === undefined ? {} : { account }),
  ...(account_name === undefined ? {} : { account_name }),
  ...(draft_keys ? { draft_keys: 'true' } : {}),
})

/** A team's file has its own calls, whole: what it bears of others’ cost is on its statement. */
const isWhole = ({ unsplit, splits, version }: Input, { team }: Context): boolean =>
  unsplit || team !== undefined || (splits === undefined && version === '1.2')

const optionsOf = async (asked: Input, context: Context) => {
  const { field } = context
  const filters = [...readFilters(asked.where, field('where')), ...(asked.imported ? [] : [notImported])]
  const by = dimensionsOf(asked.by, field('by'))
  const settings = await context.settings()
  const ledger = await context.ledger()
  const { since, until, zone } = asked
  const { window } = await windowIn(ledger, { since, until, zone, usual: 'month', now_us: context.now_us(), field })
  const shared = isWhole(asked, context) ? none : await sharedCostsOf(context, window, asked.splits)
  return {
    ledger,
    window,
    grain: asked.grain,
    by: [...new Set([...by, ...shared.needs])],
    filters,
    book: compileBook(await loadBook(settings.prices)),
    adapters: Object.fromEntries(settings.providers.map(({ name: one, adapter }) => [one, adapter])),
    splits: shared.splits,
    unpriced: asked.unpriced,
    now_us: context.now_us(),
    settings: settingsOf(asked),
  }
}

export const verb = defineVerb({
  name: 'focus export',
  describes: 'The ledger as a FOCUS file: one row for each meter, price and payer, hourly or daily.',
  access: 'team',
  http: { method: 'GET', path: '/v1/focus/export', download: 'file', local: ['splits'] },
  input,
  output: exported,
  async run(asked, context): Promise<Exported> {
    const options = await optionsOf(asked, context)
    return exporter.write(asked.file, options, (share, rows) => context.progress?.(share, String(rows)))
  },
})
