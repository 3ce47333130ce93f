/** `node fold.ts SOURCE FOLDER`: reads the segments of a folder as the watch does, and prints its figures as JSON. */
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type * as Finding from '../../src/gateway/watch/find.ts'
import type * as Reading from '../../src/gateway/watch/segment-receipts.ts'
import type * as Detecting from '../../src/playbook/allocate/detect/detect.ts'
import type * as Setting from '../../src/playbook/allocate/detect/settings.ts'

const [source = '', folder = ''] = process.argv.slice(2)
const load = async <T>(file: string): Promise<T> => (await import(pathToFileURL(join(source, file)).href)) as T

const { segmentReader } = await load<typeof Reading>('gateway/watch/segment-receipts.ts')
const { finder } = await load<typeof Finding>('gateway/watch/find.ts')
const { openDetection } = await load<typeof Detecting>('playbook/allocate/detect/detect.ts')
const { defaultSettings } = await load<typeof Setting>('playbook/allocate/detect/settings.ts')

/** CPU of all threads, those of the garbage collector among them, µs. */
const cpu = (act: () => void): number => {
  const before = process.cpuUsage()
  act()
  const { user, system } = process.cpuUsage(before)
  return user + system
}

const memory = { detection: openDetection(), position: 0, judged_us: 0 }
const options = { store: undefined as never, prices: { rows: [] } as never, log: { event: console.error } as never }
const { find, flush } = finder(options, memory, defaultSettings)
const figures = { receipts: 0, read_us: 0, watch_us: 0, found: 0 }
const files = readdirSync(folder).sort()
let receipts = 0
const [onlyRead, toWatch] = [segmentReader(), segmentReader()]
const readAll = (file: string): void => {
  for (const _ of onlyRead(join(folder, file), () => {})) receipts += 0
}
const watchAll = (file: string): void => {
  const pieces = toWatch(join(folder, file), (strand, one) => {
    receipts += 1
    figures.found += find(strand, one).length
  })
  for (const _ of pieces) figures.found += flush().length
}
for (const [at, file] of files.entries()) {
  const read_us = cpu(() => readAll(file))
  receipts = 0
  const both_us = cpu(() => watchAll(file))
  // The first tenth warms the compiler, as a gateway that runs for a while is warm.
  if (at < files.length / 10) continue
  figures.receipts += receipts
  figures.read_us += read_us
  figures.watch_us += both_us - read_us
}
console.log(JSON.stringify(figures))
