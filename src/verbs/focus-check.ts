import { z } from 'zod'
import { text, whole } from '../config/fields.ts'
import { WeirError } from '../core/errors.ts'
import type { Checked } from '../exporters/focus/check.ts'
import { columns, type Support } from '../playbook/allocate/focus/columns.ts'
import { checked } from './answers/bill.ts'
import { flag, name } from './asking/fields.ts'
import { defineVerb } from './verb.ts'

const supports: readonly string[] = [
  ...new Set(
    Object.values(columns)
      .map(({ presence }) => presence)
      .filter((presence) => presence !== 'mandatory' && presence !== 'recommended'),
  ),
].sort()

const supportsOf = (given: string | undefined, field: string): readonly Support[] => {
  if (given === undefined) return []
  if (given === 'all') return supports as readonly Support[]
  return given.split(',').map((one) => {
    if (supports.includes(one.trim())) return one.trim() as Support
    throw new WeirError('bad-input', `${field} ${one}: use all, or some of ${supports.join(', ')}`)
  })
}

export const verb = defineVerb({
  name: 'focus check',
  describes:
    'Which rules a FOCUS file breaks: presence, types, nulls, values, formats, price × quantity = cost, dates, JSON.',
  access: 'admin',
  http: { method: 'POST', path: '/v1/focus/check', upload: 'file' },
  input: z.strictObject({
    file: text('a FOCUS file: CSV, CSV packed with gzip, or Parquet'),
    version: name('1.2, 1.3 or 1.4').optional().describe('1.2, 1.3 or 1.4; by its columns otherwise'),
    supports: name('names')
      .optional()
      .describe('What the sender supports, so that conditional columns must be there: all, or e.g. tagging,region'),
    official: flag('Also what the official validator stumbles over, e.g. float products'),
    examples: whole(1, 1000).default(5).describe('Rows shown for a rule'),
  }),
  output: checked,
  async run({ file, version, supports: given, official, examples }, context): Promise<Checked> {
    const { checkFile } = await import('../exporters/focus/check.ts')
    const { parseVersion } = await import('../exporters/focus/settings.ts')
    return checkFile(file, {
      version: version === undefined ? undefined : parseVersion(version),
      supports: supportsOf(given, context.field('supports')),
      official,
      examples,
    })
  },
})
