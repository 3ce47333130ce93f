import { createHash } from 'node:crypto'
import { type BillRecord, dayOf, isRecord, textOf } from './record.ts'

/** A record and its path in the page that it came in, empty where it is the page itself. */
export type Found = Readonly<{ record: BillRecord; path: string }>

const recordsIn = (list: readonly unknown[], name: string): readonly Found[] =>
  list.flatMap((record, at) => (isRecord(record) ? [{ record, path: `${name}[${at}]` }] : []))

/** A page of an API as what it holds: `data`, or the page itself. `path` says where the page is. */
export const entriesOf = (page: BillRecord, path = ''): readonly Found[] => {
  const { data } = page
  return Array.isArray(data) ? recordsIn(data, path === '' ? 'data' : `${path}.data`) : [{ record: page, path }]
}

/** The results of a bucket, each with the bucket's own fields; what is no bucket is itself. */
export const resultsOf = ({ record, path }: Found): readonly Found[] => {
  const { results, ...bucket } = record
  if (!Array.isArray(results)) return [{ record, path }]
  return recordsIn(results, path === '' ? 'results' : `${path}.results`).map((found) => ({
    ...found,
    record: { ...bucket, ...found.record },
  }))
}

/** The day of a bucket. Throws WeirError `bad-input`. */
export const bucketDay = (bucket: BillRecord): string => dayOf(bucket, 'start_time', 'starting_at')

const isPage = ({ data, results }: BillRecord): boolean => Array.isArray(data) || Array.isArray(results)

/** Which report a page is of; empty where nothing in it says so. */
const reportOf = (entries: readonly Found[]): string => {
  const [first] = entries.flatMap(resultsOf)
  if (first === undefined) return ''
  return textOf(first.record, 'object') ?? ('amount' in first.record ? 'costs' : 'usage')
}

type Place = Readonly<{ file: string; line: number }>

/** What the reader of a page takes of it: entries that are new, how many an earlier page had, and those it had otherwise. */
type Taken = Readonly<{ fresh: readonly Found[]; again: number; restated: readonly Found[] }>

const isCount = (value: unknown): boolean => typeof value === 'string' && /^-?\d[\d.]*(e[+-]?\d+)?$/i.test(value)

/** What a result is of: all that it says but its figures. */
const subjectOf = (report: string, { start_time, starting_at, ...record }: BillRecord): string =>
  JSON.stringify([report, start_time, starting_at, record], (name, value) =>
    name !== '1' && isCount(value) ? undefined : value,
  )

/** Follows saved pages, which may overlap, and of which some may be missing. */
export const followPages = () => {
  const pageOf = new Map<string, number>()
  const reportsFrom = new Map<string, Set<string>>()
  const promises: Readonly<{ report: string; next: string | null; place: Place }>[] = []
  let pages = 0
  const isKept = ({ report, next }: Readonly<{ report: string; next: string | null }>): boolean => {
    const reports = reportsFrom.get(next ?? '')
    return reports !== undefined && (report === '' || reports.has(report) || reports.has(''))
  }
  /** Did an earlier page have it? What is twice on one page is two. */
  const cameBefore = (text: string): boolean => {
    const digest = createHash('sha256').update(text).digest('base64')
    const page = pageOf.get(digest) ?? pages
    pageOf.set(digest, page)
    return page !== pages
  }
  return {
    /** Rows of a table are no pages: all of them are new. */
    take(page: BillRecord, entries: readonly Found[], place: Place): Taken {
      if (!isPage(page)) return { fresh: entries, again: 0, restated: [] }
      pages += 1
      const report = reportOf(entries)
      for (const { record } of entries) {
        const start = textOf(record, 'start_time', 'starting_at')
        if (start !== null) reportsFrom.set(start, (reportsFrom.get(start) ?? new Set()).add(report))
      }
      const last = entries.at(-1)?.record ?? {}
      if (page['has_more'] === true) promises.push({ report, next: textOf(last, 'end_time', 'ending_at'), place })
      const {
        again = [],
        restated = [],
        fresh = [],
      } = Object.groupBy(entries, (entry) => {
        const results = resultsOf(entry)
        if (results.length > 0 && cameBefore(JSON.stringify(entry.record))) return 'again'
        const subjects = results.map(({ record }) => cameBefore(subjectOf(report, record)))
        return subjects.includes(true) ? 'restated' : 'fresh'
      })
      return { fresh, again: again.length, restated }
    },
    /** Pages that promise more, where what follows is not among them. */
    unfinished: (): readonly Place[] => promises.flatMap((promise) => (isKept(promise) ? [] : [promise.place])),
  }
}

export type Pages = ReturnType<typeof followPages>
