import { defineCommand } from 'citty'
import { check } from './focus/check.ts'
import { exportFile } from './focus/export.ts'

export const command = {
  ...defineCommand({
    meta: {
      name: 'focus',
      description: 'Export and check FOCUS files, the FinOps Foundation’s billing format.',
    },
    subCommands: { export: exportFile, check },
  }),
  examples: [
    ['weir focus export october.csv --since 2026-10 --until 2026-11', 'a month for a cost tool'],
    ['weir focus check october.csv', 'which rules does it break?'],
    ['weir import focus aws-october.parquet', 'other spend into the same view'],
  ],
} as const
