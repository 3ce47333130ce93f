import type { Ledger } from '../../core/ledger.ts'
import type { Receipt } from '../../core/receipt.ts'
import { cacheRule } from '../../playbook/cache/rules.ts'
import { type Why, whyNotRead } from '../../playbook/cache/why.ts'
import { findCall } from '../../verbs/calls/find.ts'
import { count, duration } from '../show/format.ts'
import { type Look, paint } from '../show/look.ts'
import { facts } from '../show/table.ts'

/** How far back a prefix that any provider still holds can have been written. */
const BACK_US = 25 * 3_600_000_000
const MOST_EARLIER = 5000

export type Explained = Why & Readonly<{ call_id: string; receipt_id: string }>

/** Explains the last attempt of a call from the calls before it. Throws WeirError `bad-input` where there is no such call. */
export const explain = async (ledger: Ledger, id: string): Promise<Explained> => {
  const receipts = await findCall(ledger, id)
  const call = receipts.filter(({ corrects }) => corrects === undefined).at(-1) as Receipt
  const window = { from_us: call.started_at_us - BACK_US, to_us: call.started_at_us }
  const asked = { ask: 'calls', window, filters: [], limit: MOST_EARLIER, order: 'newest' } as const
  const { receipts: earlier } = await ledger.query(asked)
  const rule = cacheRule(call.provider, call.model_asked ?? '', call.started_at_us)
  return { call_id: call.call_id, receipt_id: call.receipt_id, ...whyNotRead(call, earlier, rule) }
}

export const renderWhy = (why: Explained, look: Look): string => {
  const colours = paint(look)
  const { earlier, parted_at } = why
  const compared =
    earlier && `${earlier.call_id}, ${duration(earlier.age_s * 1000)} before, ${earlier.provider} ${earlier.model}`
  const rows = facts(
    [
      ['read', `${count(why.read_tokens)} of ${count(why.input_tokens)} tokens`],
      ['in common', why.common_tokens > 0 ? `${count(why.common_tokens)} tokens with an earlier call` : undefined],
      ['compared with', compared],
      ['parts at', parted_at && `block ${parted_at.block}, after ${count(parted_at.tokens_before)} tokens`],
      ['advice', why.advice],
    ],
    look,
  )
  return `${colours.title('Call')} ${why.call_id}\n${why.cause === 'read' ? colours.green(why.said) : colours.yellow(why.said)}\n${rows}`
}
