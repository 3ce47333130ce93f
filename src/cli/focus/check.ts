import { defineCommand } from 'citty'
import type { Checked, Violation } from '../../exporters/focus/check.ts'
import { verb as checkFocus } from '../../verbs/focus-check.ts'
import { perform } from '../../verbs/perform.ts'
import { withContext } from '../calling.ts'
import { countFlag } from '../numbers.ts'
import { clean, count, plural } from '../show/format.ts'
import { type Look, lookOf, type Paint, paint } from '../show/look.ts'
import { print, printJson } from '../show/output.ts'
import { truncate, wrap } from '../show/text.ts'

const shown = (values: Violation['first'][number]['values']): string =>
  Object.entries(values)
    .map(([name, value]) => `${name} = ${value === null ? 'null' : truncate(clean(value), 60)}`)
    .join(', ')

const renderViolation = (violation: Violation, look: Look, colours: Paint): string => {
  const { rule, level, says, rows, first } = violation
  const mark = level === 'must' ? colours.red('must  ') : colours.yellow('should')
  const many = rows === null ? '' : `  ${plural(rows, 'row')}`
  const width = Math.min(look.width, 120)
  const about = wrap(says, Math.max(24, width - 8)).map((line) => `        ${line}`)
  const examples = first.map(({ row, values }) =>
    colours.dim(truncate(`        row ${count(row)}: ${shown(values)}`, look.width)),
  )
  return [`${mark}  ${colours.bold(rule)}${many}`, ...about, ...examples].join('\n')
}

/** What a check found, and its verdict as the last line. */
export const renderChecked = (path: string, checked: Checked, look: Look): string => {
  const colours = paint(look)
  const { version, detected, rows, columns: known, rules, violations } = checked
  const must = violations.filter(({ level }) => level === 'must').length
  const should = violations.length - must
  const head = `${path}: FOCUS ${version}${detected ? ' (by its columns)' : ''}, ${plural(rows, 'row')}, ${plural(known, 'column')}, ${plural(rules, 'rule')} tried`
  const advice = should === 0 ? '' : `, and misses ${plural(should, 'recommendation')}`
  const verdict =
    must > 0 ? colours.red(`It breaks ${plural(must, 'rule')}${advice}.`) : colours.green(`It breaks no rule${advice}.`)
  return [head, ...violations.map((violation) => renderViolation(violation, look, colours)), verdict].join('\n\n')
}

export const check = {
  ...defineCommand({
    meta: {
      name: 'check',
      description:
        'Check a FOCUS file against the specification: columns, types, nulls, values, formats, price × quantity = cost, dates, JSON. Exit code 1 when a rule is broken.',
    },
    args: {
      file: { type: 'positional', required: true, description: 'Any FOCUS file: .csv, .csv.gz or .parquet' },
      version: {
        type: 'string',
        valueHint: 'VERSION',
        description: '1.2, 1.3 or 1.4; recognised by its columns by default',
      },
      supports: {
        type: 'string',
        valueHint: 'NAMES',
        description:
          'Features that the sender supports, which make conditional columns mandatory: all, or e.g. tagging,region',
      },
      official: { type: 'boolean', description: 'Also what the official validator stumbles over, e.g. float products' },
      strict: { type: 'boolean', description: 'End with 1 for recommendations too' },
      examples: { type: 'string', valueHint: 'N', description: 'Rows shown for a rule (5)' },
      json: { type: 'boolean', description: 'Print the answer as JSON' },
    },
    run: async ({ args }) => {
      const { file, version, supports, official } = args
      const examples = countFlag('--examples', args.examples, 5)
      const asked = { file, version, supports, official: official === true, examples }
      const checked = await withContext({}, 'weir focus check', (context) => perform(checkFocus, asked, context))
      if (args.json) printJson(checked)
      else print(renderChecked(args.file, checked, lookOf()))
      const failing = checked.violations.filter(({ level }) => level === 'must' || args.strict)
      if (failing.length > 0) process.exitCode = 1
    },
  }),
  examples: [
    ['weir focus check bill.csv', 'the version is read from the columns'],
    ['weir focus check bill.parquet --version 1.3 --official', 'as the foundation’s validator would see it'],
    ['weir focus check bill.csv.gz --json', 'for a script'],
  ],
} as const
