/** The process that is measured: reads the history, replays it, tells its figures as JSON. */
import { startReplaying } from '../../src/cli/advise/thread.ts'
import type { Lever } from '../../src/core/lever.ts'
import { open } from '../../src/ledgers/duckdb.ts'
import { adviceFrom } from '../../src/playbook/advise/advise.ts'
import { packer } from '../../src/playbook/advise/pack.ts'
import { rateSheet } from '../../src/playbook/advise/rates.ts'
import { tripReader } from '../../src/playbook/advise/read.ts'
import { levers } from '../../src/playbook/levers.ts'
import { compileBook } from '../../src/playbook/price/book.ts'
import { rows } from './traffic.ts'

const [path = '', receipts, from, days] = process.argv.slice(2)
const [expected, from_us] = [Number(receipts), Number(from)]
const window = { from_us, to_us: from_us + Number(days) * 86_400_000_000 }

const exact = Object.values(levers as unknown as Record<string, Lever>)
  .filter(({ traits }) => traits.certainty === 'exact')
  .map(({ name }) => name)
const prices = { rows, version: 'bench' }
const ledger = await open({ path, memory_limit: '192MB' })

const timed = async (act: () => Promise<unknown>): Promise<Readonly<{ s: number; cpu_s: number }>> => {
  const [began, used] = [performance.now(), process.cpuUsage()]
  await act()
  const { user, system } = process.cpuUsage(used)
  return { s: (performance.now() - began) / 1000, cpu_s: (user + system) / 1e6 }
}

const whole = await timed(async () => {
  const setup = { window, filters: [], by: 'feature', only: exact, prices, ratios: [], seed: 1, expected } as const
  const replaying = startReplaying(setup)
  await adviceFrom({ ledger, window, filters: [] }, replaying).finally(replaying.close)
})
const peak_mb = process.resourceUsage().maxRSS / 1024

/** What this machine is worth at the moment: µs of CPU for a receipt-like JSON line, parsed in a loop that is always the same. */
const calibration = (): number => {
  const line = JSON.stringify({ list: Array.from({ length: 40 }, (_, at) => ({ at, text: `hash-${at * 7919}` })) })
  const used = process.cpuUsage()
  for (let turn = 0; turn < 20_000; turn++) JSON.parse(line)
  const { user, system } = process.cpuUsage(used)
  return (user + system) / 20_000
}

/** Stages apart, one after the other; in the whole the ledger reads ahead while the last page is replayed. */
const pages: Awaited<ReturnType<typeof ask>>[] = []
const ask = (after?: number) =>
  ledger.query({ ask: 'history', window, limit: 10_000, ...(after === undefined ? {} : { from_us: after }) })
const reading = await timed(async () => {
  let page = await ask()
  for (;;) {
    if (pages.length < 2) pages.push(page)
    if (page.next_us === null) return
    page = await ask(page.next_us)
  }
})
/** Packs the pages and opens their calls; resolves to how many lines and calls those are. */
const build = async (): Promise<Readonly<{ lines: number; trips: number }>> => {
  const [pack, opened] = [packer(), tripReader(rateSheet(compileBook(prices)))]
  let [lines, trips] = [0, 0]
  for (const page of pages) {
    for await (const piece of pack.pack(page)) {
      const tripOf = opened(piece)
      for (let call = 0; call < piece.calls; call++) tripOf(call)
      lines += piece.receipts
      trips += piece.calls
    }
  }
  return { lines, trips }
}
// In the whole another thread opened them: here that code has never run, and must be compiled well first.
for (let turn = 0; turn < 4; turn++) await build()
let built = { lines: 0, trips: 0 }
const building = await timed(async () => {
  built = await build()
})
const { lines, trips } = built
await ledger.close()

console.log(
  JSON.stringify([
    { name: `advice over ${expected} receipts`, value: whole.s, unit: 's', limit: '≤ 20 s for 1 M' },
    { name: 'CPU of all threads', value: whole.cpu_s, unit: 's' },
    { name: 'this machine: JSON.parse of 1.2 KB', value: calibration(), unit: 'µs CPU' },
    { name: 'largest resident memory', value: peak_mb, unit: 'MB', limit: '≤ 1,000 MB' },
    { name: 'levers replayed', value: exact.length, unit: 'levers' },
    { name: 'of it: the ledger alone', value: reading.cpu_s, unit: 's CPU' },
    { name: 'of it: lines into calls', value: (building.cpu_s * expected) / Math.max(1, lines), unit: 's CPU' },
    {
      name: 'of it: levers, prices, ranges, parting',
      value: Math.max(0, whole.cpu_s - reading.cpu_s - (building.cpu_s * expected) / Math.max(1, trips)),
      unit: 's CPU',
    },
  ]),
)
