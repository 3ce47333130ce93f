import { createWriteStream, existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { bills } from '../../bills/index.ts'
import { nearest } from '../../config/suggest.ts'
import type { Bill, BillLine, BillRow, BillWorld } from '../../core/bill.ts'
import { WeirError } from '../../core/errors.ts'
import type { Credentials } from '../../core/provider.ts'
import type { Settings } from '../../core/settings.ts'
import { foldLines } from '../../playbook/allocate/reconcile/fold.ts'
import { openCredentials } from '../../stores/keyring.ts'
import type { Context } from '../verb.ts'

export type BadRow = Readonly<{ file?: string; line: number; why: string }>

/** What was read of a bill; bad rows are counted, and the first of them told. */
export type Collected = Readonly<{
  lines: readonly BillLine[]
  /** Days that the bill holds, those in which nothing was used too. */
  days: ReadonlySet<string>
  /** Parts that came again in another page, and count once. */
  again: number
  bad: number
  bad_rows: readonly BadRow[]
}>

const BAD_ROWS_KEPT = 20
const TIMEOUT_MS = 60_000
/** A month of a whole organisation is some gigabytes. */
const FILE_TIMEOUT_MS = 3_600_000

/** The source of this name. Throws WeirError `bad-input` with what was probably meant. */
export const billOf = (name: string): Bill => {
  const all = Object.values<Bill>(bills)
  const found = all.find((bill) => bill.name === name)
  if (found !== undefined) return found
  const names = all.map((bill) => bill.name)
  const meant = nearest(name, names)
  const hint = meant === undefined ? `use one of ${names.join(', ')}` : `did you mean ${meant}?`
  throw new WeirError('bad-input', `there is no bill of ${name}; ${hint}`, { field: 'source' })
}

const gather = async (rows: AsyncIterable<BillRow>): Promise<Collected> => {
  const folded = foldLines()
  const days = new Set<string>()
  const bad_rows: BadRow[] = []
  let [again, bad] = [0, 0]
  for await (const row of rows) {
    if ('bad' in row) {
      bad += 1
      const { bad: why, ...place } = row
      if (bad_rows.length < BAD_ROWS_KEPT) bad_rows.push({ ...place, why })
    } else {
      again += row.again ?? 0
      if (row.day !== undefined) days.add(row.day)
      for (const line of row.lines) {
        days.add(line.day)
        folded.add(line)
      }
    }
  }
  return { lines: folded.lines(), days, again, bad, bad_rows }
}

/** Reads downloaded files, together one bill. Throws WeirError `bad-input` for one that is not there, or named twice. */
export const readFiles = (bill: Bill, files: readonly string[], field: string): Promise<Collected> => {
  const seen = new Set<string>()
  for (const file of files) {
    if (!existsSync(file)) throw new WeirError('bad-input', `${field} ${file} does not exist`)
    if (seen.has(resolve(file)))
      throw new WeirError('bad-input', `${field} ${file} is named twice; it would count twice`)
    seen.add(resolve(file))
  }
  return gather(bill.read(files))
}

const worldOf = ({ now_us }: Context): BillWorld => ({
  async ask({ url, headers, body, into }) {
    const response = await fetch(url, {
      headers,
      redirect: 'manual',
      signal: AbortSignal.timeout(into === undefined ? TIMEOUT_MS : FILE_TIMEOUT_MS),
      ...(body === undefined ? {} : { method: 'POST', body }),
    })
    const { status } = response
    const header = (name: string) => response.headers.get(name)
    if (into === undefined || status !== 200 || !response.body) return { status, header, text: await response.text() }
    await pipeline(response.body, createWriteStream(into))
    return { status, header, text: '' }
  },
  wait: (ms) => pause(ms),
  now_ms: () => now_us() / 1000,
})

/** What it is asked with: from the environment, or as `weir keys provider set NAME-admin` keeps it. */
const credentialsFor = async ({ name, traits }: Bill, context: Context): Promise<Credentials> => {
  const given: { -readonly [field in keyof Credentials]: string } = {}
  for (const { field, variables } of traits.keys) {
    const value = variables.map(context.variable).find((one) => one !== undefined && one !== '')
    if (value !== undefined) given[field] = value
  }
  const isWhole = (some: Credentials) =>
    traits.keys.every(({ field, optional }) => optional || some[field] !== undefined)
  if (isWhole(given)) return given
  const sealed = await (await context.store()).secrets.all()
  const opened = Object.keys(sealed).length === 0 ? {} : openCredentials(sealed, context.secret('provider-credentials'))
  const kept = opened[`${name}-admin`]
  if (kept !== undefined && isWhole(kept)) return kept
  const wanted = traits.keys.filter(({ field, optional }) => !optional && given[field] === undefined)
  throw new WeirError(
    'bad-config',
    `no admin key of ${name}: set ${wanted.map(({ variables }) => variables.join(' or ')).join(' and ')}, ` +
      `keep it with weir keys provider set ${name}-admin, or download the report and give it as ${context.field('file')}`,
  )
}

/** Where the report is asked for: `options.billing_url` of the provider in weir.yaml, or the provider's own address. */
const baseUrl = ({ name, traits }: Bill, settings: Settings, context: Context): string => {
  const { adapters, base_url, address_example } = traits
  const written = settings.providers.find(
    ({ adapter, options }) => adapters.includes(adapter) && options['billing_url'] !== undefined,
  )
  const url = written?.options['billing_url'] ?? base_url
  if (url === undefined)
    throw new WeirError(
      'bad-input',
      `where the export of ${name} lies is not known: write it as options.billing_url of the provider ${adapters[0]} in weir.yaml, ` +
        `e.g. ${address_example}, or give the downloaded file as ${context.field('file')}`,
      { field: 'file' },
    )
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  const example = address_example === undefined ? '' : `; it reads like ${address_example}`
  throw new WeirError('bad-config', `billing_url ${url} of provider ${written?.name} is no http address${example}`)
}

/** Asks a provider for days [from, to) where its report is. Throws WeirError `bad-config` without a key or an address. */
export const askProvider = async (
  bill: Bill,
  { from, to }: Readonly<{ from: string; to: string }>,
  context: Context,
): Promise<Collected> => {
  const base_url = baseUrl(bill, await context.settings(), context)
  const credentials = await credentialsFor(bill, context)
  const progress = (pages: number) => context.progress?.(pages)
  return gather(bill.fetch({ base_url, credentials, from, to, world: worldOf(context), progress }))
}
