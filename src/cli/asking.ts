import { existsSync } from 'node:fs'
import { dataFolder } from '../config/folder.ts'
import { nearest } from '../config/suggest.ts'
import { WeirError } from '../core/errors.ts'
import type { Dimension, Extent, Filter, Ledger, TimeWindow } from '../core/ledger.ts'
import { duration } from './show/format.ts'
import { day, moment, parseWindow } from './show/time.ts'

/** Flags of every command that reads the ledger. */
export const folderArgs = {
  data: {
    type: 'string',
    valueHint: 'FOLDER',
    description: 'Where the ledger lies (or WEIR_DATA; ./weir-data otherwise)',
  },
  config: {
    type: 'string',
    valueHint: 'FILE',
    description: 'Configuration file (or WEIR_CONFIG; ./weir.yaml otherwise)',
  },
  json: { type: 'boolean', description: 'Print the answer as JSON' },
} as const

export const windowArgs = {
  since: {
    type: 'string',
    valueHint: 'TIME',
    description:
      'From when: 24h, 7d, 2w, today, yesterday, week, month, year, all, 2026-11, 2026-11-01, 2026-11-01T09:30',
  },
  until: { type: 'string', valueHint: 'TIME', description: 'Until when, in the same words; now otherwise' },
  zone: {
    type: 'string',
    valueHint: 'ZONE',
    description: 'Time zone of days and times, e.g. Europe/Berlin',
    default: 'UTC',
  },
  where: {
    type: 'string',
    valueHint: 'NAME=VALUE',
    description:
      'Only calls like this, any number of times: team=search, model=gpt-5.5,gpt-5.4, outcome!=ok, feature= (not tagged), tag:cost-centre=4711; commas mean or',
  },
} as const

const dimensions = [
  'team',
  'feature',
  'customer',
  'user',
  'environment',
  'key_id',
  'session',
  'agent',
  'model_asked',
  'model',
  'provider',
  'endpoint',
  'wire',
  'service_tier',
  'outcome',
  'origin',
  'day',
  'hour',
  'month',
] as const satisfies readonly Dimension[]

/** Reads the name of a dimension. Throws WeirError `bad-input` with what was probably meant. */
export const dimensionOf = (name: string, flag: string): Dimension => {
  const found = dimensions.find((dimension) => dimension === name || dimension.replace('_', '-') === name)
  if (found !== undefined) return found
  if (/^tag:.+/.test(name)) return name as Dimension
  const meant = nearest(name, dimensions)
  const known = `${dimensions.join(', ')}, tag:NAME`
  throw new WeirError('bad-input', `${flag} ${name}: ${meant ? `did you mean ${meant}?` : `use one of ${known}`}`)
}

/** Every value of a flag that may be given more than once. */
export const every = (rawArgs: readonly string[], flag: string): string[] =>
  rawArgs.flatMap((word, i) => {
    if (word === `--${flag}`) return [rawArgs[i + 1] ?? '']
    return word.startsWith(`--${flag}=`) ? [word.slice(flag.length + 3)] : []
  })

/** `--where` as filters: name=value, name!=value, commas for several values, nothing for "not tagged". */
export const filtersOf = (rawArgs: readonly string[]): Filter[] =>
  every(rawArgs, 'where').map((text) => {
    const match = /^([^=!]+)(!?)=(.*)$/.exec(text)
    if (!match) throw new WeirError('bad-input', `--where ${text}: write NAME=VALUE, e.g. --where team=search`)
    const [, name = '', not = '', values = ''] = match
    return {
      dimension: dimensionOf(name.trim(), '--where'),
      values: values.split(',').map((value) => (value === '' ? null : value)),
      ...(not === '' ? {} : { negate: true }),
    }
  })

export type FolderFlags = Readonly<{ data?: string | undefined; config?: string | undefined }>

/** The data folder that flags, environment and file name. */
export const folderOf = (flags: FolderFlags): string => dataFolder({ cwd: process.cwd(), env: process.env, ...flags })

export const now_us = (): number => Date.now() * 1000

/** Asks the ledger, through the running gateway or without it. Throws WeirError `not-found` where there is no ledger yet. */
export const withLedger = async <T>(
  flags: FolderFlags,
  role: string,
  work: (ledger: Ledger, data: string) => Promise<T>,
): Promise<T> => {
  const data = folderOf(flags)
  if (!existsSync(data)) {
    throw new WeirError(
      'not-found',
      `there is no ledger in ${data} yet. Start the gateway (weir serve) and send a call through it, bring in what you ` +
        'have (weir import), or say where the ledger lies with --data',
    )
  }
  const { reachLedger } = await import('../gateway/reach.ts')
  const { tagged } = await import('./tags/in-force.ts')
  const ledger = await tagged(await reachLedger(data, { now_us, role }), data)
  try {
    return await work(ledger, data)
  } finally {
    await ledger.close()
  }
}

/** A window with the words that say which it is. */
export type NamedWindow = Readonly<{ window: TimeWindow; name: string; zone: string }>

export type WindowFlags = Readonly<{
  since?: string | undefined
  until?: string | undefined
  zone?: string | undefined
}>

const day_us = 86_400_000_000
const words: Readonly<Record<string, string>> = {
  today: 'today',
  yesterday: 'since yesterday',
  week: 'this week',
  month: 'this month',
  year: 'this year',
  all: 'all time',
}
const spans: Readonly<Record<string, string>> = { m: 'minutes', h: 'hours', d: 'days', w: 'weeks' }

const nameOf = (since: string, until: string | undefined): string => {
  const span = /^(\d+(?:\.\d+)?)([mhdw])$/.exec(since)
  if (until !== undefined || /^\d{4}-/.test(since)) return ''
  return words[since] ?? (span ? `last ${span[1]} ${spans[span[2] ?? ''] ?? ''}` : `since ${since}`)
}

/**
 * The window that the flags say. Without `--since` it is the `usual` one, and where nothing happened in that, all that
 * the ledger holds, so that an imported past is not answered with nothing.
 */
export const windowOf = async (flags: WindowFlags, usual: string, ledger: Ledger): Promise<NamedWindow> => {
  const zone = flags.zone ?? 'UTC'
  const asked = flags.since ?? usual
  const window = parseWindow({ since: asked, until: flags.until, zone }, Date.now())
  if (asked === 'all' || (flags.since === undefined && flags.until === undefined)) {
    const extent = await ledger.query({ ask: 'extent' })
    const { first_us, last_us } = extent
    const outside = last_us !== null && (asked === 'all' || last_us < window.from_us || (first_us ?? 0) >= window.to_us)
    if (first_us !== null && last_us !== null && outside) {
      return { window: { from_us: first_us, to_us: last_us + 1 }, name: 'all time', zone }
    }
  }
  return { window, name: nameOf(asked, flags.until), zone }
}

/** `last 7 days · 2026-11-16 – 2026-11-23 UTC`; shorter windows with their times. */
export const windowTitle = ({ window, name, zone }: NamedWindow): string => {
  const short = window.to_us - window.from_us <= 2 * day_us
  const shown = short ? moment : day
  const until = short ? window.to_us : window.to_us - 1
  const span = `${shown(window.from_us, zone)} – ${shown(until, zone)} ${zone}`
  return name === '' ? span : `${name} · ${span}`
}

/** What the window before is called: `the 7 days before`. */
export const windowBefore = ({ window, name }: NamedWindow): string => {
  const named = /^last (.+)$/.exec(name)?.[1]
  return `the ${named ?? duration((window.to_us - window.from_us) / 1000)} before`
}

/** What to say when nothing was found. */
export const nothingFound = (extent: Extent, { zone }: NamedWindow, filtered: boolean): string => {
  if (extent.receipts === 0 || extent.first_us === null || extent.last_us === null) {
    return (
      'The ledger is empty: no call has come through yet.\n' +
      'Point a client at the gateway (weir serve says how), bring in what you have (weir import --help), or see it at work (npm run demo).'
    )
  }
  const span = `${day(extent.first_us, zone)} to ${day(extent.last_us, zone)}`
  return filtered
    ? `No call matches. The ledger holds calls from ${span}; widen --where or --since.`
    : `No call in this window. The ledger holds calls from ${span}: try --since ${day(extent.first_us, zone)}.`
}
