import { defineCommand } from 'citty'
import { perform } from '../verbs/perform.ts'
import { verb as listTags } from '../verbs/tags-list.ts'
import { verb as previewTags } from '../verbs/tags-preview.ts'
import { verb as setTags } from '../verbs/tags-set.ts'
import { folderArgs, versionArg, windowArgs } from './asking.ts'
import { withContext } from './calling.ts'
import { plural } from './show/format.ts'
import { lookOf } from './show/look.ts'
import { print, printJson } from './show/output.ts'
import { readTagFile } from './tags/file.ts'
import { renderHistory, renderTags, tagTable } from './tags/list.ts'
import { renderPreview } from './tags/preview.ts'

const fileArg = {
  file: { type: 'positional', required: true, description: 'Rules in YAML or JSON; - for standard input' },
} as const

const list = {
  ...defineCommand({
    meta: { name: 'list', description: 'List the rules in force, in order.' },
    args: { history: { type: 'boolean', description: 'Every version' }, ...folderArgs },
    run: ({ args }) =>
      withContext(args, 'weir tags list', async (context) => {
        const found = await perform(listTags, { history: args.history === true }, context)
        const history = (found.history ?? []).map(({ rules, ...set }) => ({ ...set, rules: rules.length }))
        if (args.json) printJson(found)
        else print(args.history ? renderHistory(history, lookOf()) : renderTags(found, lookOf()))
      }),
  }),
  examples: [['weir tags list', 'what is in force']],
} as const

const set = {
  ...defineCommand({
    meta: {
      name: 'set',
      description:
        'Put the rules in a file in force, as a new version that applies to past calls too. Receipts stay as they are.',
    },
    args: { ...fileArg, ...versionArg, ...folderArgs },
    run: ({ args }) => {
      const rules = readTagFile(args.file)
      return withContext(args, 'weir tags set', async (context) => {
        const { version, changed } = await perform(setTags, { rules, version: args.version }, context)
        if (args.json) return printJson({ version, changed })
        const count = plural(rules.length, 'rule')
        print(
          changed ? `Version ${version} is in force: ${count}.` : `Nothing changed: version ${version} is the same.`,
        )
      })
    },
  }),
  examples: [['weir tags set tags.yaml', 'from now on, and for all of the past']],
} as const

const check = {
  ...defineCommand({
    meta: { name: 'check', description: 'Validate a file of rules without changing anything.' },
    args: { ...fileArg, json: folderArgs.json },
    run: ({ args }) => {
      const rules = readTagFile(args.file)
      if (args.json) printJson({ rules: rules.length, problems: [] })
      else
        print(
          `${plural(rules.length, 'rule')}, nothing wrong with ${rules.length === 1 ? 'it' : 'them'}.\n\n${tagTable(rules, lookOf())}`,
        )
      return Promise.resolve()
    },
  }),
  examples: [['weir tags check tags.yaml', 'before it goes to review']],
} as const

const { where: _, ...previewWindow } = windowArgs

const preview = {
  ...defineCommand({
    meta: {
      name: 'preview',
      description:
        'Preview which spend a file of rules would move from which owner to which, without changing anything.',
    },
    args: {
      ...fileArg,
      by: { type: 'string', valueHint: 'NAME', description: 'Whose spend is compared', default: 'team' },
      ...previewWindow,
      ...folderArgs,
    },
    run: ({ args }) => {
      const rules = readTagFile(args.file)
      const { by, since, until, zone } = args
      return withContext(args, 'weir tags preview', async (context) => {
        const found = await perform(previewTags, { rules, by, since, until, zone }, context)
        if (args.json) printJson(found)
        else print(renderPreview(found, lookOf()))
      })
    },
  }),
  examples: [['weir tags preview tags.yaml --since 2026-10', 'what the rules would have done in October and since']],
} as const

export const command = {
  ...defineCommand({
    meta: {
      name: 'tags',
      description:
        'Manage virtual tags: ordered rules that assign a payer where calls carry none, past calls included, without editing a receipt.',
    },
    subCommands: { list, set, check, preview },
  }),
  examples: [
    ['weir tags preview tags.yaml', 'what would move'],
    ['weir tags set tags.yaml', 'put it in force'],
    ['weir tags list --history', 'every version'],
  ],
} as const
