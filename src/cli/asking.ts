import { dataFolder } from '../config/folder.ts'
import type { Filter } from '../core/dimension.ts'
import type { Extent, Ledger } from '../core/ledger.ts'
import { readFilters } from '../verbs/asking/dimension.ts'
import { type NamedWindow, type WindowWords, windowIn } from '../verbs/asking/window.ts'
import { duration } from './show/format.ts'
import { day, moment } from './show/time.ts'

export { dimensionOf } from '../verbs/asking/dimension.ts'
export type { NamedWindow } from '../verbs/asking/window.ts'

/** Flags of every command that reads the ledger. */
export const folderArgs = {
  data: {
    type: 'string',
    valueHint: 'FOLDER',
    description: 'Data folder (or WEIR_DATA; ./weir-data by default)',
  },
  config: {
    type: 'string',
    valueHint: 'FILE',
    description: 'Configuration file (or WEIR_CONFIG; ./weir.yaml by default)',
  },
  json: { type: 'boolean', description: 'Print the answer as JSON' },
} as const

/** Flag of commands that change what another may change at the same time. */
export const revisionArg = {
  revision: {
    type: 'string',
    valueHint: 'N',
    description: 'Change it only if it is still at this revision, so that no concurrent change is overwritten',
  },
} as const

/** The same of lists of rules, which have versions. */
export const versionArg = {
  version: {
    type: 'string',
    valueHint: 'N',
    description:
      'Change them only if this version is still in force (0 for none), so that no concurrent change is overwritten',
  },
} as const

export const windowArgs = {
  since: {
    type: 'string',
    valueHint: 'TIME',
    description:
      'Start of the window: 24h, 7d, 2w, today, yesterday, week, month, year, all, 2026-11, 2026-11-01, 2026-11-01T09:30',
  },
  until: {
    type: 'string',
    valueHint: 'TIME',
    description: 'End of the window, exclusive, in the same forms; now by default',
  },
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
      'Only calls that match; may be repeated, and all must match: team=search, model=gpt-5.5,gpt-5.4, outcome!=ok, feature= (not tagged), tag:cost-centre=4711; commas mean or',
  },
} as const

/** Every value of a flag that may be given more than once. */
export const every = (rawArgs: readonly string[], flag: string): string[] =>
  rawArgs.flatMap((word, i) => {
    if (word === `--${flag}`) return [rawArgs[i + 1] ?? '']
    return word.startsWith(`--${flag}=`) ? [word.slice(flag.length + 3)] : []
  })

/** `--where` as filters: name=value, name!=value, commas for several values, nothing for "not tagged". */
export const filtersOf = (rawArgs: readonly string[]): Filter[] => readFilters(every(rawArgs, 'where'), '--where')

export type FolderFlags = Readonly<{ data?: string | undefined; config?: string | undefined }>

/** The data folder that flags, environment and file name. */
export const folderOf = (flags: FolderFlags): string => dataFolder({ cwd: process.cwd(), env: process.env, ...flags })

export const now_us = (): number => Date.now() * 1000

/** Asks the ledger, through the running gateway or without it. Throws WeirError `not-found` where there is no ledger yet. */
export const withLedger = async <T>(
  flags: FolderFlags,
  role: string,
  work: (ledger: Ledger, data: string) => Promise<T>,
  /** What the engine may hold where no gateway runs; its own default without it. */
  memory_limit?: string,
): Promise<T> => {
  const data = folderOf(flags)
  const { ledgerAt } = await import('../verbs/context.ts')
  const { tagged } = await import('../verbs/allocation/in-force.ts')
  const { rulesAt } = await import('./tags/rules-at.ts')
  const asked = await ledgerAt(data, { now_us, role, ...(memory_limit === undefined ? {} : { memory_limit }) })
  const ledger = tagged(asked, await rulesAt(data))
  try {
    return await work(ledger, data)
  } finally {
    await ledger.close()
  }
}

export type WindowFlags = WindowWords

const day_us = 86_400_000_000

/** The window that the flags say, or the usual one; see `windowIn`. */
export const windowOf = (flags: WindowFlags, usual: string, ledger: Pick<Ledger, 'query'>): Promise<NamedWindow> =>
  windowIn(ledger, { ...flags, usual, now_us: now_us() })

/** A window's first and last day; of one up to two days, its first and last moment. */
export const windowEnds = ({ window: { from_us, to_us }, zone }: NamedWindow): readonly [from: string, to: string] =>
  to_us - from_us <= 2 * day_us
    ? [moment(from_us, zone), moment(to_us, zone)]
    : [day(from_us, zone), day(to_us - 1, zone)]

/** `last 7 days · 2026-11-16 – 2026-11-23 UTC`; shorter windows with their times. */
export const windowTitle = (named: NamedWindow): string => {
  const { name, zone } = named
  const span = `${windowEnds(named).join(' – ')} ${zone}`
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
      'Point a client at the gateway (weir serve says how), bring in what you have (weir import --help), or try it with providers that are played on this machine (weir simulate).'
    )
  }
  const span = `${day(extent.first_us, zone)} to ${day(extent.last_us, zone)}`
  return filtered
    ? `No call matches. The ledger holds calls from ${span}; widen --where or --since.`
    : `No call in this window. The ledger holds calls from ${span}: try --since ${day(extent.first_us, zone)}.`
}
