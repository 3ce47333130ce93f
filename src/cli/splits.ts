import { defineCommand } from 'citty'
import { readSplits, type Splits } from '../playbook/allocate/statement/splits.ts'
import { perform } from '../verbs/perform.ts'
import { verb as listSplits } from '../verbs/splits-list.ts'
import { verb as setSplits } from '../verbs/splits-set.ts'
import { dimensionOf, folderArgs, versionArg } from './asking.ts'
import { withContext } from './calling.ts'
import { plural } from './show/format.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'
import { renderSplits, splitTable } from './splits/list.ts'
import { readDocument } from './tags/file.ts'
import { renderHistory } from './tags/list.ts'

const fileArg = {
  file: { type: 'positional', required: true, description: 'Splits in YAML or JSON; - for standard input' },
} as const

const readSplitFile = (path: string): Splits => {
  const splits = readSplits(readDocument(path))
  dimensionOf(splits.dimension, 'dimension:')
  return splits
}

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'List the splits in force.' },
    args: { history: { type: 'boolean', description: 'Every version' }, ...folderArgs },
    run: ({ args }) =>
      withContext(args, 'weir splits list', async (context) => {
        const found = await perform(listSplits, { history: args.history === true }, context)
        const history = (found.history ?? []).map(({ splits, ...set }) => ({ ...set, rules: splits.length }))
        if (args.json) printJson(found)
        else print(args.history ? renderHistory(history, lookOf()) : renderSplits(found, lookOf()))
      }),
  }),
  examples: [['weir splits list', 'what is in force']],
} as const

const set = {
  ...defineCommand({
    meta: {
      name: 'set',
      description: 'Put the splits in a file in force, as a new version that applies to months that are not closed.',
    },
    args: { ...fileArg, ...versionArg, ...folderArgs },
    run: ({ args }) => {
      const { dimension, rules } = readSplitFile(args.file)
      return withContext(args, 'weir splits set', async (context) => {
        const { version, changed } = await perform(
          setSplits,
          { dimension, splits: rules, version: args.version },
          context,
        )
        if (args.json) return printJson({ version, changed })
        const count = plural(rules.length, 'split')
        print(
          changed ? `Version ${version} is in force: ${count}.` : `Nothing changed: version ${version} is the same.`,
        )
      })
    },
  }),
  examples: [['weir splits set splits.yaml', 'statements and unit costs follow it at once']],
} as const

const check = {
  ...defineCommand({
    meta: { name: 'check', description: 'Validate a file of splits without changing anything.' },
    args: { ...fileArg, json: folderArgs.json },
    run: ({ args }) => {
      const splits = readSplitFile(args.file)
      if (args.json) printJson(splits)
      else print(`${plural(splits.rules.length, 'split')}, nothing wrong.\n\n${splitTable(splits, lookOf())}`)
      return Promise.resolve()
    },
  }),
  examples: [['weir splits check splits.yaml', 'before it goes to review']],
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'splits',
      description:
        'Manage shared-cost splits: how a shared owner’s spend is divided, evenly, by percent, by spend or by usage, exact to the picodollar.',
    },
    subCommands: { list, set, check },
  }),
  examples: [
    ['weir splits set splits.yaml', 'put splits in force'],
    ['weir splits list', 'what is in force'],
  ],
} as const
