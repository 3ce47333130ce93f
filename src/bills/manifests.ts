/** What the clouds write beside the files of an export: which of them make up a period. */
import type { Bill, BillRequest, BillRow } from '../core/bill.ts'
import { WeirError } from '../core/errors.ts'
import { covering, newest, type Period, readExport, type Storage, type Stored } from './exports.ts'
import { askPatiently, jsonObject } from './patience.ts'
import type { BillRecord } from './record.ts'

/** An export of one cloud: which files of its folder are manifests, of which days, and what stands in one. */
export type ExportForm = Readonly<{
  /** What is listed of the folder. */
  prefix: string
  /** Days [from, to) of a manifest, by its name; undefined for other files. */
  daysOf(name: string): Readonly<{ from: string; to: string }> | undefined
  /** Names of the data files. Throws `bad-input` where the manifest is of another export. */
  filesOf(manifest: BillRecord, name: string): readonly string[]
}>

type Manifest = Period & Readonly<{ file: Stored }>

/** The last manifest of each period: an export is written again and again until its month is over. */
const lastOf = (files: readonly Stored[], { daysOf }: ExportForm): readonly Manifest[] => {
  const periods = new Map<string, { from: string; to: string; files: Stored[] }>()
  for (const file of files) {
    const days = daysOf(file.name)
    if (days === undefined) continue
    const id = `${days.from} ${days.to}`
    const period = periods.get(id) ?? { ...days, files: [] }
    period.files.push(file)
    periods.set(id, period)
  }
  return [...periods.values()].flatMap(({ from, to, files: some }) => {
    const file = newest(some)
    return file ? [{ from, to, file, name: file.name.slice(0, file.name.lastIndexOf('/')) }] : []
  })
}

/** Rows of an export over the days asked for: the files that the last manifest of each period names, and no others. */
export async function* rowsOfExport(
  request: BillRequest,
  storage: Storage,
  form: ExportForm,
  read: Bill['read'],
): AsyncGenerator<BillRow> {
  const manifests = covering(lastOf(await storage.list(form.prefix), form), request)
  const names: string[] = []
  for (const { file } of manifests) {
    const manifest = await askPatiently(request, storage.askFor(file.name), {
      take: jsonObject,
      expects: 'JSON object',
      permission: storage.permission,
    })
    const files = form.filesOf(manifest, file.name)
    if (files.length === 0) throw new WeirError('bad-input', `${file.name} names no files; the export is not whole`)
    names.push(...files)
  }
  yield* readExport(request, storage, names, read)
}
