import type { Filter } from '../../core/dimension.ts'
import type { Ledger } from '../../core/ledger.ts'
import type { Receipt } from '../../core/receipt.ts'
import { openRecent } from '../../core/recent.ts'

const PAGE = 1000

/** A call is listed when it ends, so one that took long comes late; this far back is looked. */
const BACK_US = 3_600_000_000

/** What ended so long before the last look may have come to the ledger after it. */
const SLACK_US = 60_000_000

/** So many receipts at most are known to have been given. */
const MOST_SEEN = 200_000

/** What has ended since a moment, each receipt once, oldest first: a function that looks, by the clock's µs. */
export const openFresh = (filters: readonly Filter[], since_us: number) => {
  const seen = openRecent<true>(MOST_SEEN)
  let looked_us = since_us
  return async (ledger: Pick<Ledger, 'query'>, now_us: number): Promise<readonly Receipt[]> => {
    const window = { from_us: now_us - BACK_US, to_us: now_us + 1 }
    const ended_from_us = Math.max(since_us, looked_us - SLACK_US)
    const fresh: Receipt[] = []
    for (let after: Readonly<{ after?: string }> = {}; ; ) {
      const { receipts } = await ledger.query({ ask: 'calls', window, ended_from_us, filters, limit: PAGE, ...after })
      for (const receipt of receipts) {
        if (!seen.get(receipt.receipt_id)) fresh.push(receipt)
        seen.set(receipt.receipt_id, true)
      }
      const last = receipts.at(-1)
      if (last === undefined || receipts.length < PAGE) break
      after = { after: last.receipt_id }
    }
    looked_us = now_us
    return fresh.toReversed()
  }
}
