import type { BillLine, BillRequest, BillRow } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import type { BillRecord } from './record.ts'
import { exactJson, rowOf, unpack } from './source.ts'

const ATTEMPTS = 6
const LONGEST_WAIT_MS = 120_000

/** What a provider says of an error, bounded and without line breaks. */
const saidBy = (text: string): string => {
  try {
    const { error } = exactJson(text) as Readonly<{ error?: unknown }>
    const message = typeof error === 'object' && error !== null ? (error as BillRecord)['message'] : error
    if (typeof message === 'string') return `: ${message.replace(/\s+/g, ' ').slice(0, 200)}`
  } catch {
    // An answer that is no JSON has nothing to quote.
  }
  return ''
}

/** How long to wait: what the provider asks (seconds or a date), else twice as long each time. */
const waitOf = (asked: string | null, attempt: number, now_ms: number): number => {
  const seconds = Number(asked ?? Number.NaN)
  const until = Number.isNaN(seconds) && asked !== null ? Date.parse(asked) - now_ms : seconds * 1000
  const wait = Number.isNaN(until) ? 1000 * 2 ** attempt : until
  return Math.min(Math.max(wait, 0), LONGEST_WAIT_MS)
}

type Failed = Readonly<{ error: WeirError; again: boolean; retry_after: string | null }>

const failed = (
  code: ConstructorParameters<typeof WeirError>[0],
  message: string,
  again: boolean,
  retry_after: string | null = null,
): Failed => ({
  error: new WeirError(code, message),
  again,
  retry_after,
})

type Response = Awaited<ReturnType<BillRequest['world']['get']>>

const judge = (path: string, { status, header, text }: Response): BillRecord | Failed => {
  const at = `${path} answered ${status}`
  if (status === 401 || status === 403)
    return failed(
      'forbidden',
      `${at}${saidBy(text)}. Usage is read with an organisation’s admin key, not with one for calls`,
      false,
    )
  if (status === 429)
    return failed('rate-limited', `${at}${saidBy(text)}. Try again later`, true, header('retry-after'))
  if (status >= 500) return failed('provider-unreachable', `${at}${saidBy(text)}`, true, header('retry-after'))
  if (status >= 300 && status < 400)
    return failed('provider-unreachable', `${at}, a redirect, which is not followed: name the right address`, false)
  if (status !== 200) return failed('bad-request', `${at}${saidBy(text)}`, false)
  try {
    const page = exactJson(text)
    if (typeof page === 'object' && page !== null && !Array.isArray(page)) return page as BillRecord
  } catch {
    // A page that was cut off is asked for again.
  }
  return failed('provider-unreachable', `${path} answered something that is no JSON object`, true)
}

const isFailed = (found: BillRecord | Failed): found is Failed => (found as Failed).error instanceof WeirError

/** One page, asked for again while the provider is busy. Throws WeirError with what it said. */
const getPage = async (
  url: URL,
  headers: Readonly<Record<string, string>>,
  { world }: BillRequest,
): Promise<BillRecord> => {
  for (let attempt = 0; ; attempt += 1) {
    const found = await world.get(url.href, headers).then(
      (response) => judge(url.pathname, response),
      (cause: unknown) =>
        failed(
          'provider-unreachable',
          `${url.origin} cannot be reached: ${cause instanceof Error ? cause.message : String(cause)}`,
          true,
        ),
    )
    if (!isFailed(found)) return found
    if (!found.again || attempt + 1 >= ATTEMPTS) throw found.error
    await world.wait(waitOf(found.retry_after, attempt, world.now_ms()))
  }
}

export type Query = Readonly<{
  path: string
  /** Repeated names for lists. */
  parameters: readonly (readonly [name: string, value: string])[]
  headers: Readonly<Record<string, string>>
}>

/** A URL below the base, whose path stays. */
export const urlOf = (base_url: string, { path, parameters }: Query): URL => {
  const url = new URL(`${base_url.replace(/\/+$/, '')}${path}`)
  for (const [name, value] of parameters) url.searchParams.append(name, value)
  return url
}

/** Every page of a report. A cursor that comes again, or is missing where more is promised, is an error: half a bill is none. */
async function* pagesOf(request: BillRequest, query: Query): AsyncGenerator<BillRecord> {
  const url = urlOf(request.base_url, query)
  const seen = new Set<string>()
  for (;;) {
    const page = await getPage(url, query.headers, request)
    request.progress(seen.size + 1)
    if (!Array.isArray(page['data']))
      throw new WeirError(
        'bad-input',
        `${url.pathname} answered a page without data: is the base URL that of the provider?`,
      )
    yield page
    if (page['has_more'] !== true) return
    const next = page['next_page']
    if (typeof next !== 'string' || next === '' || seen.has(next))
      throw new WeirError(
        'bad-input',
        `${url.pathname} says that there is more but names no new page; the report is not whole`,
      )
    seen.add(next)
    url.searchParams.set('page', next)
  }
}

/** The rows of a bill from some reports, one after the other. A record that cannot be read is a row that says so. */
export async function* rowsOf(
  request: BillRequest,
  queries: readonly Query[],
  read: (record: BillRecord) => readonly BillLine[],
): AsyncGenerator<BillRow> {
  let row = 0
  for (const query of queries) {
    for await (const page of pagesOf(request, query)) {
      for (const record of unpack(page)) {
        row += 1
        yield rowOf(record, row, read)
      }
    }
  }
}
