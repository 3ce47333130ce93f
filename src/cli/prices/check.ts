import { defineCommand } from 'citty'
import { strayPrices } from '../../config/strays.ts'
import { type Finding, review } from '../../playbook/price/review.ts'
import { countFlag } from '../numbers.ts'
import { count, plural } from '../show/format.ts'
import { type Look, lookOf, paint } from '../show/look.ts'
import { print, printJson } from '../show/output.ts'
import { bookArgs, bookOf, momentOf, settingsOf } from './book.ts'

const titles: Readonly<Record<Finding['kind'], string>> = {
  stray: 'Prices that no call has',
  gap: 'Gaps between dates',
  stale: 'Not checked for long',
  holidays: 'Holiday lists that run out',
  alias: 'Names that only the public catalogue prices',
  future: 'Prices to come',
  free: 'Free models',
}

const LISTED = 12

export const renderFindings = (findings: readonly Finding[], rows: number, look: Look): string => {
  const colours = paint(look)
  const sections = Object.entries(titles).flatMap(([kind, title]) => {
    const found = findings.filter((one) => one.kind === kind)
    if (found.length === 0) return []
    const lines = found.slice(0, LISTED).map(({ row, says }) => `  ${row}: ${says}`)
    const more = found.length > LISTED ? [`  and ${found.length - LISTED} more (--json lists all)`] : []
    return [[colours.bold(`${title} (${found.length})`), ...lines, ...more].join('\n')]
  })
  const warnings = findings.filter(({ level }) => level === 'warning').length
  const verdict = `${count(rows)} rows are sound: no tie, no unknown field, no zero rate that is not meant; ${plural(warnings, 'warning')}.`
  return [...sections, warnings > 0 ? colours.yellow(verdict) : colours.green(verdict)].join('\n\n')
}

export const check = {
  ...defineCommand({
    meta: {
      name: 'check',
      description:
        'Validate all price files and contract prices (exit code 1 when one is wrong), and list what needs review.',
    },
    args: {
      'stale-days': {
        type: 'string',
        valueHint: 'N',
        description: 'Age in days after which a price should be checked again (90)',
      },
      json: { type: 'boolean', description: 'Print the answer as JSON' },
      ...bookArgs,
    },
    run: async ({ args }) => {
      const stale_days = countFlag('--stale-days', args['stale-days'], 90)
      const settings = settingsOf(args)
      const book = await bookOf(settings)
      const rows = [...book.all()]
      const strays = strayPrices(rows, settings).map((one) => ({ kind: 'stray', level: 'warning', ...one }) as const)
      const findings = [...strays, ...review(rows, momentOf(args.at), stale_days)]
      if (args.json) printJson({ book: book.version, rows: rows.length, findings })
      else print(renderFindings(findings, rows.length, lookOf()))
    },
  }),
  examples: [['weir prices check --stale-days 30', 'what was not looked at for a month']],
} as const
