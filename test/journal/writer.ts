/** A process that journals as fast as it can, until it is killed. It says on stdout what is safe: an id once its line is written. */
import { writeSync } from 'node:fs'
import { openJournal } from '../../src/gateway/journal.ts'
import { receipt, usd } from '../ledger/receipts.ts'

const [folder = '', run = '', mode = 'endless'] = process.argv.slice(2)
const say = (text: string) => writeSync(1, `${text}\n`)
const filler = 'x'.repeat(400)
const journal = openJournal({
  folder,
  thread: 'w',
  now_us: () => Date.now() * 1000,
  segment_bytes: 40_000,
  segment_ms: 5,
  fsync_ms: 1,
})
const fields = (id: number) => ({
  receipt_id: `${run}-${id}`,
  call_id: `${run}-${id}`,
  reserved_usd: usd('0.5'),
  usage_raw: filler,
})

const attempt = (id: number) => {
  const line = receipt(fields(id))
  journal.open(line)
  say(`open ${line.receipt_id}`)
  // Ten attempts are always under way, so that segments carry open ones along.
  if (id < 10) return
  const ended = receipt({ ...fields(id - 10), cost_usd: usd('0.25') })
  journal.receipt(ended)
  say(`done ${ended.receipt_id}`)
}

let id = 0
const burst = () => {
  for (let count = 0; count < 50; count += 1) attempt(id++)
  setImmediate(burst)
}
if (mode === 'endless') burst()

if (mode === 'until-full') {
  for (; journal.healthy(); id += 1) {
    try {
      attempt(id)
    } catch (error) {
      say(`refused ${(error as { code?: string }).code}`)
    }
  }
  process.exit(0)
}
