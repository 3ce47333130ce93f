/** Further receipts for a ledger that is there. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Receipt } from '../../src/core/receipt.ts'
import { open } from '../../src/ledgers/duckdb.ts'

/** A receipt of a moment that cost so much; everything else by hand. */
export const receipt = (id: string, at: string, over: Partial<Receipt> = {}): Receipt => ({
  receipt_id: id,
  call_id: `call-${id}`,
  attempt: 1,
  origin: 'live',
  started_at_us: Date.parse(at) * 1000,
  ended_at_us: Date.parse(at) * 1000 + 1_000_000,
  endpoint: 'chat',
  stream: false,
  provider: 'openai',
  model_asked: 'gpt-5.5',
  model_served: 'gpt-5.5',
  outcome: 'ok',
  usage_source: 'provider',
  price_state: 'priced',
  ...over,
})

/** Appends receipts to the ledger of a data folder, as one segment. */
export const append = async (data: string, name: string, receipts: readonly Receipt[]): Promise<void> => {
  mkdirSync(join(data, 'segments'), { recursive: true })
  const path = join(data, 'segments', `${name}.ndjson`)
  writeFileSync(path, receipts.map((r) => `${JSON.stringify({ k: 'receipt', r })}\n`).join(''))
  const ledger = await open({ path: join(data, 'ledger.duckdb') })
  await ledger.append({ name, path })
  await ledger.close()
}
