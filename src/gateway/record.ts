import type { Receipt } from '../core/receipt.ts'
import type { Answer, Call } from './call.ts'
import type { Draft } from './draft.ts'
import { closingReceipt } from './receipt.ts'
import { release } from './release.ts'
import { asWeirError } from './shape.ts'
import type { World } from './world.ts'

const costHeaders = ({ price_state, cost_usd }: Receipt): string[] =>
  cost_usd === undefined
    ? ['x-weir-price-state', price_state]
    : ['x-weir-cost-usd', cost_usd, 'x-weir-price-state', price_state]

/**
 * Writes the receipt, then lets the answer's last bytes go. If the journal cannot take it, the client gets
 * `journal-unwritable` in their place: no call completes without its receipt.
 */
export const record = async (call: Call, answer: Answer, settled: Draft, world: World): Promise<Receipt> => {
  const receipt = closingReceipt(call, answer, settled, world)
  if (!answer.attempt) world.metrics.due()
  try {
    await write(call, receipt, world)
  } catch (error) {
    release(call, answer, [], asWeirError(error))
    return receipt
  }
  release(call, answer, costHeaders(receipt), answer.error)
  return receipt
}

/** The receipt of an attempt after which the call goes on: nothing of its answer reaches the client. */
export const recordAttempt = (call: Call, answer: Answer, settled: Draft, world: World): Promise<void> =>
  write(call, closingReceipt(call, answer, settled, world), world)

/** The receipt is in the journal when its charge takes the place of what the call held in budgets. */
const write = async (call: Call, receipt: Receipt, { journal, metrics, log, budgets }: World): Promise<void> => {
  try {
    await journal.receiptSoon(receipt)
  } catch (error) {
    metrics.unwritable()
    if (call.hold) budgets.keep(call.hold)
    throw error
  }
  if (call.hold) budgets.settle(call.hold, receipt)
  metrics.wrote(receipt)
  log.receipt(receipt)
}
