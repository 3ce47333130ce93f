import type { BillRequest } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { accessToken } from './google-token.ts'
import { askPatiently, jsonObject } from './patience.ts'
import { type BillRecord, textOf } from './record.ts'

const PERMISSION =
  'The account needs the roles BigQuery Job User on the project and BigQuery Data Viewer on the billing dataset'
const ROWS_A_PAGE = '10000'
const PATIENCE_MS = 30_000

/** `…/projects/PROJECT/datasets/DATASET/tables/TABLE`, the name that BigQuery itself has for a table. */
const addressed = /^(https?:\/\/.+\/projects\/([\w.:-]+))\/datasets\/(\w+)\/tables\/([\w$-]+)\/?$/

const listOf = (value: unknown): readonly BillRecord[] => (Array.isArray(value) ? value : [])

/** Rows come as lists of values beside one list of names. */
const recordsOf = (names: readonly string[], page: BillRecord): BillRecord[] =>
  listOf(page['rows']).map((row) =>
    Object.fromEntries(listOf(row['f']).map(({ v }, at) => [names[at] ?? `column ${at}`, v])),
  )

const taken = { take: jsonObject, expects: 'JSON object', permission: PERMISSION }

type Headers = Readonly<Record<string, string>>

/** A job's answers: while it works without rows, then page by page. A page that names itself as the next is an error. */
async function* pagesOf(
  request: BillRequest,
  asked: Readonly<{ url: string; headers: Headers; body: string }>,
): AsyncGenerator<BillRecord> {
  const { url, headers } = asked
  let page = await askPatiently(request, () => asked, taken)
  const job = encodeURIComponent(textOf(page, 'jobReference.jobId') ?? '')
  const location = textOf(page, 'jobReference.location')
  for (let last: string | null = null; ; ) {
    yield page
    const token = textOf(page, 'pageToken')
    if (token === null && textOf(page, 'jobComplete') === 'true') return
    if (token !== null && token === last)
      throw new WeirError('bad-input', 'BigQuery says that there is more but names no new page; the bill is not whole')
    last = token
    const query = new URLSearchParams({ maxResults: ROWS_A_PAGE, timeoutMs: String(PATIENCE_MS) })
    if (location !== null) query.set('location', location)
    if (token !== null) query.set('pageToken', token)
    page = await askPatiently(request, () => ({ url: `${url}/${job}?${query}`, headers }), taken)
  }
}

/**
 * The records that a query gives about the table of the request's address, page by page (https://cloud.google.com/bigquery/docs/reference/rest/v2/jobs/query).
 * `queryOf` gets the table's name as it stands in a query; the days are its parameters `@from` and `@to`.
 */
export async function* askBigQuery(
  request: BillRequest,
  queryOf: (table: string) => string,
): AsyncGenerator<BillRecord> {
  const [, root, project, dataset, table] = addressed.exec(request.base_url) ?? []
  if (root === undefined)
    throw new WeirError(
      'bad-config',
      `billing_url ${request.base_url} names no table: it ends with /projects/PROJECT/datasets/DATASET/tables/TABLE`,
    )
  const headers = { authorization: `Bearer ${await accessToken(request)}`, 'content-type': 'application/json' }
  const day = (name: 'from' | 'to') => ({
    name,
    parameterType: { type: 'TIMESTAMP' },
    parameterValue: { value: `${request[name]}T00:00:00Z` },
  })
  const body = JSON.stringify({
    query: queryOf(`\`${project}.${dataset}.${table}\``),
    useLegacySql: false,
    parameterMode: 'NAMED',
    queryParameters: [day('from'), day('to')],
    maxResults: Number(ROWS_A_PAGE),
    timeoutMs: PATIENCE_MS,
  })
  let names: readonly string[] = []
  let pages = 0
  for await (const page of pagesOf(request, { url: `${root}/queries`, headers, body })) {
    const { schema } = page as Readonly<{ schema?: BillRecord }>
    if (schema) names = listOf(schema['fields']).map((field) => String(field['name']))
    request.progress(++pages)
    yield* recordsOf(names, page)
  }
}
