import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { bills } from '../../bills/index.ts'
import { nearest } from '../../config/suggest.ts'
import type { Bill, BillLine, BillRow, BillWorld } from '../../core/bill.ts'
import { WeirError } from '../../core/errors.ts'
import type { Settings } from '../../core/settings.ts'
import { foldLines } from '../../playbook/allocate/reconcile/fold.ts'
import { openCredentials } from '../../stores/keyring.ts'
import type { Context } from '../verb.ts'

export type BadRow = Readonly<{ file?: string; line: number; why: string }>

/** What was read of a bill; bad rows are counted, and the first of them told. */
export type Collected = Readonly<{ lines: readonly BillLine[]; bad: number; bad_rows: readonly BadRow[] }>

const BAD_ROWS_KEPT = 20
const TIMEOUT_MS = 60_000

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

const gather = async (sources: AsyncIterable<Readonly<{ row: BillRow; file?: string }>>): Promise<Collected> => {
  const folded = foldLines()
  const bad_rows: BadRow[] = []
  let bad = 0
  for await (const { row, file } of sources) {
    if ('lines' in row) row.lines.forEach(folded.add)
    else {
      bad += 1
      if (bad_rows.length < BAD_ROWS_KEPT)
        bad_rows.push({ ...(file === undefined ? {} : { file }), line: row.line, why: row.bad })
    }
  }
  return { lines: folded.lines(), bad, bad_rows }
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
  const rows = async function* () {
    for (const file of files) for await (const row of bill.read(file)) yield { row, file }
  }
  return gather(rows())
}

const worldOf = ({ now_us }: Context): BillWorld => ({
  async get(url, headers) {
    const response = await fetch(url, { headers, redirect: 'manual', signal: AbortSignal.timeout(TIMEOUT_MS) })
    return { status: response.status, header: (name) => response.headers.get(name), text: await response.text() }
  },
  wait: (ms) => pause(ms),
  now_ms: () => now_us() / 1000,
})

/** The admin key: from the environment, or as `weir keys provider set NAME-admin` keeps it. */
const adminKey = async (bill: Bill, context: Context): Promise<string> => {
  const { key_variables } = bill.traits
  const given = key_variables.map(context.variable).find((value) => value !== undefined && value !== '')
  if (given !== undefined) return given
  const sealed = await (await context.store()).secrets.all()
  const opened = Object.keys(sealed).length === 0 ? {} : openCredentials(sealed, context.secret('provider-credentials'))
  const kept = opened[`${bill.name}-admin`]?.api_key
  if (kept !== undefined) return kept
  throw new WeirError(
    'bad-config',
    `no admin key of ${bill.name}: set ${key_variables[0]}, keep it with weir keys provider set ${bill.name}-admin, ` +
      `or download the report and give it as ${context.field('file')}`,
  )
}

/** Where the report is asked for: `options.billing_url` of the provider in weir.yaml, or the provider's own address. */
const baseUrl = (bill: Bill, settings: Settings): string => {
  const written = settings.providers.find(
    ({ adapter, options }) => bill.traits.adapters.includes(adapter) && options['billing_url'] !== undefined,
  )
  const url = written?.options['billing_url'] ?? bill.traits.base_url ?? ''
  if (URL.canParse(url) && /^https?:$/.test(new URL(url).protocol)) return url
  throw new WeirError('bad-config', `billing_url ${url} of provider ${written?.name} is no http address`)
}

/** Asks the provider's own API for days [from, to). Throws WeirError `bad-config` without a key, `bad-input` where there is no API. */
export const askApi = async (
  bill: Bill,
  { from, to }: Readonly<{ from: string; to: string }>,
  context: Context,
): Promise<Collected> => {
  if (bill.fetch === undefined)
    throw new WeirError(
      'bad-input',
      `${bill.name} has no API to ask: name the downloaded file with ${context.field('file')}`,
      { field: 'file' },
    )
  const base_url = baseUrl(bill, await context.settings())
  const api_key = await adminKey(bill, context)
  const progress = (pages: number) => context.progress?.(pages)
  const fetched = bill.fetch({ base_url, api_key, from, to, world: worldOf(context), progress })
  const rows = async function* () {
    for await (const row of fetched) yield { row }
  }
  return gather(rows())
}
