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

/**
 * The receipt is in the journal when its charge takes the place of what the call held in budgets; where the disk has no room,
 * once it has. What was never dispatched costs nothing, and is not held until then.
 */
const write = async (call: Call, receipt: Receipt, { journal, metrics, log, budgets }: World): Promise<void> => {
  const { hold } = call
  const written = (): void => {
    if (hold) budgets.settle(hold, receipt)
    metrics.wrote(receipt)
    log.receipt(receipt)
  }
  try {
    await journal.receiptSoon(receipt, written)
  } catch (error) {
    metrics.unwritable()
    if (hold && receipt.attempt === 0) budgets.release(hold)
    delete call.hold
    throw error
  }
  written()
}
