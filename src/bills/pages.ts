import type { BillLine, BillRequest, BillRow } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { askPatiently, jsonObject, type Taken } from './patience.ts'
import type { BillRecord } from './record.ts'
import { entriesOf, resultsOf } from './report.ts'
import { rowOf } from './source.ts'

const page: Taken<BillRecord> = {
  take: jsonObject,
  expects: 'JSON object',
  permission: 'Usage is read with an organisation’s admin key, not with one for calls',
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
    const found = await askPatiently(request, () => ({ url: url.href, headers: query.headers }), page)
    request.progress(seen.size + 1)
    if (!Array.isArray(found['data']))
      throw new WeirError(
        'bad-input',
        `${url.pathname} answered a page without data: is the base URL that of the provider?`,
      )
    yield found
    if (found['has_more'] !== true) return
    const next = found['next_page']
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
      for (const { record } of entriesOf(page).flatMap(resultsOf)) {
        row += 1
        yield rowOf(record, row, read)
      }
    }
  }
}
