/** Exports that a cloud writes into a storage of the customer's: their files are brought here one at a time, and read like downloaded ones. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { parseXml, type XmlElement } from '@rgrove/parse-xml'
import type { Bill, BillAsk, BillRequest, BillRow } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { askPatiently } from './patience.ts'

/** What an export holds: days [from, to), and what says so. */
export type Period = Readonly<{ from: string; to: string; name: string }>

/** A file of a storage, when it was last written, ms. */
export type Stored = Readonly<{ name: string; modified_ms: number }>

/** Where files are: how they are listed and asked for. */
export type Storage = Readonly<{
  list(prefix: string): Promise<readonly Stored[]>
  askFor(name: string): (now_ms: number) => BillAsk | Promise<BillAsk>
  /** What it takes to read there, for errors. */
  permission: string
}>

const DAY_MS = 86_400_000

/** The day that comes so many days after another. */
export const dayAfter = (day: string, days = 1): string =>
  new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10)

/**
 * The periods that cover the days asked for, in order. Throws `bad-input` where days are missing, because half a bill is none, or are
 * there twice, because they would count twice.
 */
export const covering = <T extends Period>(all: readonly T[], { from, to }: BillRequest): readonly T[] => {
  const needed = all.filter((one) => one.from < to && one.to > from).toSorted((a, b) => (a.from < b.from ? -1 : 1))
  let reached = from
  for (const { from: begin, to: end, name } of needed) {
    if (begin > reached) break
    if (begin < reached && reached !== from)
      throw new WeirError(
        'bad-input',
        `the export holds ${begin} in ${name} and in the one before it; it would count twice`,
      )
    reached = end
  }
  if (reached >= to) return needed
  const has = all.map(({ name }) => name).join(', ') || 'nothing'
  throw new WeirError('bad-input', `the export does not hold ${reached}; it has ${has}. Ask for other days with since`)
}

/** Of files, the one that was written last; undefined where there is none. */
export const newest = (files: readonly Stored[]): Stored | undefined =>
  files.reduce<Stored | undefined>(
    (last, file) => (last && last.modified_ms >= file.modified_ms ? last : file),
    undefined,
  )

const elementsOf = (element: XmlElement, name: string): XmlElement[] =>
  element.children.flatMap((child) => {
    if (child.type !== 'element') return []
    const inner = child as XmlElement
    return inner.name === name ? [inner] : elementsOf(inner, name)
  })

const textIn = (element: XmlElement, name: string): string | undefined =>
  elementsOf(element, name)[0]?.text || undefined

/** What a storage calls the parts of a list of files. */
type Listing = Readonly<{ file: string; name: string; modified: string; next: string }>

/** A page of a list of files in XML, and where the next one begins; undefined where it is none, or cut off. */
const listed = (text: string, { file, name, modified, next }: Listing) => {
  try {
    const root = parseXml(text).root
    if (!root) return undefined
    const files = elementsOf(root, file).map(
      (one): Stored => ({ name: textIn(one, name) ?? '', modified_ms: Date.parse(textIn(one, modified) ?? '') || 0 }),
    )
    return { files, next: textIn(root, next) }
  } catch {
    return undefined
  }
}

/** Every page of a list; a page that names itself as the next is an error. */
export const listAll = async (
  request: BillRequest,
  permission: string,
  {
    askOf,
    parts,
  }: Readonly<{ askOf(next: string | undefined): (now_ms: number) => BillAsk | Promise<BillAsk>; parts: Listing }>,
): Promise<readonly Stored[]> => {
  const files: Stored[] = []
  let next: string | undefined
  do {
    const page = await askPatiently(request, askOf(next), {
      take: ({ text }) => listed(text, parts),
      expects: 'list of files',
      permission,
    })
    files.push(...page.files)
    if (page.next !== undefined && page.next === next)
      throw new WeirError('bad-input', 'the list of files names no new page; the export is not whole')
    next = page.next
  } while (next !== undefined)
  return files
}

/** Rows of the days asked for. */
const withinDays = (row: BillRow, { from, to }: BillRequest): BillRow =>
  'lines' in row ? { lines: row.lines.filter(({ day }) => day >= from && day < to) } : row

/** Reads files of an export as if they had been downloaded; what is wrong with one is said by its own name. */
export async function* readExport(
  request: BillRequest,
  { askFor, permission }: Storage,
  names: readonly string[],
  read: Bill['read'],
): AsyncGenerator<BillRow> {
  const folder = await mkdtemp(join(tmpdir(), 'weir-bill-'))
  try {
    for (const [at, name] of names.entries()) {
      const path = join(folder, `${at}-${basename(name)}`)
      const askOf = askFor(name)
      const into = async (now_ms: number): Promise<BillAsk> => ({ ...(await askOf(now_ms)), into: path })
      await askPatiently(request, into, { take: () => true, expects: 'file', permission })
      request.progress(at + 1)
      try {
        for await (const row of read([path]))
          yield 'bad' in row ? { ...row, file: basename(name) } : withinDays(row, request)
      } catch (error) {
        if (!(error instanceof WeirError)) throw error
        throw new WeirError(error.code, error.message.replaceAll(path, name), { cause: error })
      }
      await rm(path)
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}
