import { stat } from 'node:fs/promises'
import { defineCommand } from 'citty'
import { loadBook } from '../catalogs/load.ts'
import { loadSettings } from '../config.ts'
import { WeirError } from '../core/errors.ts'
import type { Importer, ImportOptions } from '../core/importer.ts'
import { reachLedger } from '../gateway/reach.ts'
import { type BroughtIn, bringIn } from '../importers/bring-in.ts'
import { importers } from '../importers/index.ts'
import { compileBook } from '../playbook/price/book.ts'
import { providers } from '../providers/index.ts'
import { makeDataFolder } from '../stores/folder.ts'
import { every, folderArgs, now_us } from './asking.ts'
import { meterBody } from './import/meter.ts'
import { bytes, count, plural, tokens } from './show/format.ts'
import { note, print, printJson } from './show/output.ts'
import { progress } from './show/progress.ts'
import { parseTime } from './show/time.ts'

const importerOf = (name: string): Importer => {
  const found = Object.values<Importer>(importers).find((importer) => importer.name === name)
  if (found) return found
  const known = Object.values<Importer>(importers).map((importer) => `${importer.name} (${importer.describes})`)
  throw new WeirError('bad-input', `there is no format "${name}"; there are: ${known.join('; ')}`)
}

/** `field=column,field=column`, the flag given once or more often. */
const columnsOf = (rawArgs: readonly string[]): Record<string, string> =>
  Object.fromEntries(
    every(rawArgs, 'columns')
      .flatMap((text) => text.split(','))
      .map((pair) => {
        const [field = '', column = ''] = pair.split('=').map((side) => side.trim())
        if (field === '' || column === '')
          throw new WeirError('bad-input', `--columns ${pair}: write FIELD=COLUMN, e.g. --columns input_tokens=prompt`)
        return [field, column]
      }),
  )

const payerNames = ['team', 'feature', 'customer', 'user', 'environment'] as const

type Flags = Readonly<
  Partial<Record<(typeof payerNames)[number] | 'provider' | 'model' | 'config' | 'data', string | undefined>>
> &
  Readonly<{ start: string }>

const optionsOf = async (flags: Flags, columns: Record<string, string>, settings: ReturnType<typeof loadSettings>) => {
  const payer = payerNames.flatMap((name) => (flags[name] === undefined ? [] : [[name, flags[name]]]))
  return {
    payer: Object.fromEntries(payer),
    ...(flags.provider !== undefined && { provider: flags.provider }),
    ...(flags.model !== undefined && { model: flags.model }),
    columns,
    epoch_us: Math.round(parseTime(flags.start, Date.now(), 'UTC', '--start') * 1000),
    now_us: now_us(),
    book: compileBook(await loadBook(settings.prices)),
    meter: meterBody,
  } satisfies ImportOptions
}

const say = ({ unsaid }: Importer, path: string, result: BroughtIn, seconds: number): void => {
  const had = result.already > 0 ? `, ${count(result.already)} were there already` : ''
  print(`${plural(result.appended, 'call')} brought in from ${path} in ${seconds.toFixed(1)} s${had}`)
  print(`${tokens(result.input_tokens)} tokens in, ${tokens(result.output_tokens)} out`)
  if (unsaid !== undefined) print(unsaid)
  if (result.bad === 0) return
  note(`${plural(result.bad, 'row')} could not be read and ${result.bad === 1 ? 'was' : 'were'} left out:`)
  for (const { line, why } of result.bad_rows) note(line === 0 ? `  ${why}` : `  line ${line}: ${why}`)
  if (result.bad > result.bad_rows.length) note(`  and ${count(result.bad - result.bad_rows.length)} more`)
}

/** Size for the bar; undefined for a folder. A path that is not there is found out here, before anything is opened. */
const sizeOf = async (path: string): Promise<number | undefined> => {
  const found = await stat(path).catch(() => undefined)
  if (!found) throw new WeirError('bad-input', `${path} does not exist: name the file or folder to bring in`)
  return found.isFile() ? found.size : undefined
}

const bring = async (format: string, path: string, flags: Flags, rawArgs: readonly string[]): Promise<BroughtIn> => {
  const importer = importerOf(format)
  const total = await sizeOf(path)
  const settings = loadSettings({ flags, env: process.env, cwd: process.cwd(), providers })
  const options = await optionsOf(flags, columnsOf(rawArgs), settings)
  makeDataFolder(settings.data)
  const ledger = await reachLedger(settings.data, { now_us, role: 'weir import' })
  const bar = progress({ label: 'reading', amount: bytes, ...(total !== undefined && { total }) })
  try {
    return await bringIn({ importer, path, options, ledger, data: settings.data, progress: (read) => bar.update(read) })
  } finally {
    bar.end()
    await ledger.close()
  }
}

const names = Object.values<Importer>(importers).map(({ name }) => name)
const formats = `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`

export const command = {
  ...defineCommand({
    meta: { name: 'import', description: 'Import past calls into the ledger; importing a file twice changes nothing.' },
    args: {
      format: { type: 'positional', required: true, description: formats },
      path: { type: 'positional', required: true, description: 'The file, plain or .gz, or for claude-code a folder' },
      columns: {
        type: 'string',
        valueHint: 'FIELD=COLUMN,…',
        description: 'The column that holds a field of a call, e.g. input_tokens=ContextTokens',
      },
      provider: { type: 'string', valueHint: 'NAME', description: 'The provider, where the source does not say' },
      model: { type: 'string', valueHint: 'NAME', description: 'The model, where the source does not say' },
      team: { type: 'string', valueHint: 'NAME', description: 'The team to put on calls that name none' },
      feature: { type: 'string', valueHint: 'NAME', description: 'The feature, likewise' },
      customer: { type: 'string', valueHint: 'NAME', description: 'The customer, likewise' },
      user: { type: 'string', valueHint: 'NAME', description: 'The user, likewise' },
      environment: { type: 'string', valueHint: 'NAME', description: 'The environment, likewise' },
      start: {
        type: 'string',
        valueHint: 'TIME',
        default: '28d',
        description: 'Start time of sessions whose times are relative (agent-trace)',
      },
      ...folderArgs,
    },
    run: async ({ args, rawArgs }) => {
      const begun = performance.now()
      const result = await bring(args.format, args.path, args, rawArgs)
      const importer = importerOf(args.format)
      if (args.json) printJson(result)
      else say(importer, args.path, result, (performance.now() - begun) / 1000)
      if (result.appended + result.already + result.bad === 0)
        note(`${args.path} holds none: ${importer.name} reads ${importer.describes}`)
      if (result.bad > 0 && result.appended + result.already === 0)
        throw new WeirError('bad-input', `no row of ${args.path} could be read as ${args.format}`)
    },
  }),
  examples: [
    ['weir import claude-code ~/.claude/projects', 'what Claude Code has spent on this machine'],
    ['weir import agent-trace sessions.jsonl.gz --team research', 'agent sessions without text'],
    [
      'weir import calls trace.csv --provider openai --model gpt-4o --columns started_at=TIMESTAMP,input_tokens=ContextTokens,output_tokens=GeneratedTokens',
      'calls from any log',
    ],
  ],
} as const
