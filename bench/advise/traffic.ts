/** Seeded receipts of an invented company, written through real segments, with what levers observed on them. */
import { closeSync, openSync, unlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { encodeLine } from '../../src/core/journal-line.ts'
import type { Ledger } from '../../src/core/ledger.ts'
import type { PriceRow } from '../../src/core/price.ts'
import type { Receipt } from '../../src/core/receipt.ts'
import { traffic } from '../ledger/traffic.ts'

const SEGMENT = 100_000

const row = (
  provider: string,
  model: string,
  input: string,
  read: string,
  write: string,
  output: string,
): PriceRow => ({
  id: `${provider}/${model}`,
  layer: 'weir',
  provider,
  models: [model],
  rates: {
    'in.text.fresh': input,
    'in.text.cache_read': read,
    'in.text.cache_write': write,
    'in.text.cache_write_1h': String(Number(input) * 2),
    'out.text.visible': output,
  },
  source: 'made for the bench',
  checked_at: '2026-11-28',
})

/** The prices that the receipts were written with. */
export const rows: readonly PriceRow[] = [
  row('openai', 'gpt-5.6', '1.25', '0.125', '1.5625', '10'),
  row('openai', 'gpt-5.6-mini', '0.25', '0.025', '0.3125', '2'),
  row('anthropic', 'claude-sonnet-5', '3', '0.3', '3.75', '15'),
  row('anthropic', 'claude-haiku-5', '1', '0.1', '1.25', '5'),
  row('google', 'gemini-3-flash', '0.3', '0.03', '0.3', '2.5'),
]

const OBSERVED = 0.1

/** A tenth of the calls carry what the compact levers would have taken out; a third ask for temperature 0. */
const observed = (receipt: Receipt, number: number): Receipt => {
  const { prefix_tokens = [] } = receipt
  const taken = (share: number) => prefix_tokens.map((tokens) => Math.floor(tokens * share))
  const trace = (name: string, share: number) => ({
    name,
    action: 'observed' as const,
    why: 'blanks in tool results',
    tokens: taken(share).at(-1) ?? 0,
    removed: taken(share),
  })
  return {
    ...receipt,
    tenant: 'f00dfeedf00dfeed',
    ...(number % 3 === 0 && { temperature: 0 }),
    ...(number % (1 / OBSERVED) === 0 && {
      levers: [trace('compact/minify', 0.02), trace('compact/tool-results', 0.01)],
    }),
  }
}

/** Fills the ledger; receipts lie evenly over the days. */
export const fill = async (ledger: Ledger, folder: string, receipts: number, from_us: number, days: number) => {
  const source = traffic({ seed: 20_261_128, receipts, from_us, days })
  for (let done = 0; done < receipts; ) {
    const path = join(folder, `advise-1-${done.toString().padStart(8, '0')}.ndjson`)
    const file = openSync(path, 'w')
    let lines = ''
    for (let at = 0; at < SEGMENT && done < receipts; at += 1, done += 1) {
      const { value } = source.next()
      if (value) lines += encodeLine('receipt', observed(value, done))
      if (lines.length > 1 << 20) {
        writeSync(file, lines)
        lines = ''
      }
    }
    writeSync(file, lines)
    closeSync(file)
    await ledger.append({ name: `advise-${done}`, path })
    unlinkSync(path)
  }
}
